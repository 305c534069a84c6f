"""What a person names to be put into a store, as documents: paths, folders, patterns, addresses, bytes, dataframes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.files.attributes import Attributes
from agentkit.files.documents import KNOWN_TYPES, Document, looks_like_text
from agentkit.files.downloads import is_address
from agentkit.files.folders import ALL, Found, Pattern, cannot_read, found_in, is_pattern, split_pattern
from agentkit.files.naming import Scope, address_name, path_name, scope_within
from agentkit.files.rows import Columns, is_frame, row_documents

__all__ = ["checked_base", "documents_of", "scope_of"]

_SNIFFED_BYTES: Final = 8192
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


@dataclass(frozen=True, slots=True)
class _Looking:
    """How folders and patterns are looked through."""

    base: Path | None = None
    """The folder that names are told from; the working folder when None."""
    whole: bool = False
    """Whether what can't be read is an error, as files in it would seem to be gone; else it is a refused document."""
    empty: bool = False
    """Whether there may be no file; else that is an error."""


def documents_of(
    sources: Sequence[Any], *, attributes: Attributes | Callable[[Any], Any] | None, base: Path | None,
    columns: Columns, name: str | None, whole: bool = False, empty: bool = False,
) -> list[Document]:  # fmt: skip
    """Return the documents that are meant, each once, in order.

    Args:
        sources: Paths, folders, patterns, addresses, bytes, pairs of name and bytes, open files, dataframes; lists of
            these.
        attributes: Of each, or a function that makes them.
        base: The folder that paths are told from; the working folder when None.
        columns: Which columns of dataframes are what.
        name: What a single source without a name of its own is called.
        whole: Whether a part of a folder that can't be read is an error; else it is a refused document.
        empty: Whether a folder or pattern may stand for no file.

    Raises:
        UserError: A source can't be used, isn't there, or stands for no file.
    """
    flat = list(_flat(sources))
    if not flat:
        raise UserError("There is nothing to add.", hint='Name files: store.add("docs/**/*.pdf").')
    if name is not None and len(flat) > 1:
        raise UserError(
            f"name={name!r} is for one source, and there are {len(flat)}.", hint="Pass (name, bytes) pairs."
        )
    looking = _Looking(base, whole, empty)
    found: dict[str, Document] = {}
    for source in flat:
        for document in _documents(source, looking, columns, name, attributes):
            if (known := found.get(document.name)) is not None and known.data != document.data:
                raise _twice(document)
            if known is None or known.refused:  # what is refused in a folder may be named by itself, too
                found[document.name] = document
    return list(found.values())


def checked_base(base: str | os.PathLike[str] | None) -> Path | None:
    """Return the folder that names are told from; None for the working folder.

    Raises:
        UserError: There is no such folder.
    """
    if base is None:
        return None
    text = os.fspath(base)
    if not text.strip() or not Path(text).is_dir():
        there = "is no folder" if text.strip() and Path(text).exists() else "isn't there"
        raise UserError(f"base={text!r} {there}.", hint="It is the folder that names are told from.")
    return Path(text)


def scope_of(source: Any, *, base: Path | None) -> Scope:
    """Return which names a folder or pattern stands for.

    Raises:
        UserError: It is neither.
    """
    if not isinstance(source, (str, os.PathLike)) or is_address(str(source)):
        raise UserError(f"sync takes folders and patterns, not {brief(source)}.", hint="Use add for what is no folder.")
    text = os.path.expanduser(os.fspath(source))
    _check_named(text)
    root, pattern = split_pattern(text) if is_pattern(text) else (Path(text), ALL)
    if not root.is_dir():
        there = "is a file" if root.exists() else "isn't there"
        raise UserError(f"sync needs a folder, and {str(root)!r} {there}.", hint="Nothing was changed.")
    return scope_within(root, pattern, base)


def _twice(document: Document) -> UserError:
    """Return the error that tells of two sources of one name."""
    hint = "They have the same name, and what is in them differs: give one of them another."
    if document.weak:
        hint = "Both are named by numbers of rows: pass title= with a column that names the rows."
    return UserError(f"Two sources are both called {document.name!r}.", hint=hint)


def _flat(sources: Sequence[Any]) -> Iterator[Any]:
    for source in sources:
        if isinstance(source, (list, set, frozenset)) or (isinstance(source, Iterator) and not hasattr(source, "read")):
            yield from _flat(list(source))
        elif isinstance(source, tuple) and not (
            len(source) == 2 and isinstance(source[0], str) and not isinstance(source[1], (str, os.PathLike))
        ):
            _check_no_text(source)
            yield from _flat(source)
        else:
            yield source


def _check_no_text(source: tuple[Any, ...]) -> None:
    """Check that two texts are paths, and not a name and what is to be in the file.

    Raises:
        UserError: One of them isn't there.
    """
    if len(source) != 2 or not all(isinstance(each, str) for each in source):
        return
    absent = [each for each in source if not is_address(each) and not is_pattern(each) and not _exists(each)]
    if absent:
        name = brief(source[0])
        raise UserError(
            f"{brief(absent[-1])} isn't there.",
            hint=f"Paths are told from {str(Path.cwd())!r}. For a file {name} with a text in it, pass bytes: "
            f"store.add(({name}, text.encode())).",
        )


def _exists(text: str) -> bool:
    return os.path.exists(os.path.expanduser(text))


def _documents(
    source: Any, looking: _Looking, columns: Columns, name: str | None, attributes: Any
) -> Iterator[Document]:
    if is_frame(source):
        if name is not None:
            text = f"name={name!r} is for bytes, and a dataframe's rows have names of their own."
            raise UserError(text, hint='They are taken from its index, or from a column: title="…".')
        yield from row_documents(source, columns, attributes)
        return
    if columns.given:
        text = f"{columns.given} is for dataframes, and {brief(source)} is none."
        raise UserError(text, hint="Add files and dataframes by calls of their own.")
    if isinstance(attributes, (list, tuple, str)):
        text = f"attributes={brief(attributes)}: attributes names columns, which only dataframes have."
        raise UserError(text, hint='Use {"year": 2026}, or a function.')
    if isinstance(source, (str, os.PathLike)) and not is_address(str(source)):
        for document in _files(os.path.expanduser(os.fspath(source)), looking):
            yield replace(document, attributes=attributes)
    elif isinstance(source, str):
        yield Document(address_name(source), source, about=source, attributes=attributes)
    else:
        yield _from_bytes(source, name, attributes, looking.base)


def _from_bytes(source: Any, name: str | None, attributes: Any, base: Path | None) -> Document:
    path: Path | None = None
    if isinstance(source, tuple):
        name, source = source
    if hasattr(source, "read"):
        path = None if name else _opened_path(source)
        given = getattr(source, "name", None)
        name = name or (Path(given).name if isinstance(given, (str, os.PathLike)) else None)
        source = source.read()
        source = source.encode() if isinstance(source, str) else source
    if isinstance(source, (bytearray, memoryview)):
        source = bytes(source)
    if not isinstance(source, bytes):
        raise UserError(
            f"{type(source).__name__} {brief(source)} can't be added.",
            hint="Pass a path, a folder, a pattern, an address, bytes, an open file or a dataframe.",
        )
    if not name:
        raise UserError(f"{len(source):,} bytes have no name.", hint='Name them: store.add(data, name="notes.md").')
    if path is not None:
        return Document(path_name(path, base), source, filename=path.name, about=path, attributes=attributes)
    return Document(f"bytes:{name}", source, filename=Path(name).name, about=name, attributes=attributes)


def _opened_path(file: Any) -> Path | None:
    """Return the path of an open file; None of what has none, or another file stands there by now."""
    given = getattr(file, "name", None)
    if not isinstance(given, (str, os.PathLike)):
        return None
    try:
        is_there = os.path.samestat(os.fstat(file.fileno()), os.stat(given))
    except (AttributeError, OSError, TypeError, ValueError):  # io.BytesIO has no number, nor has what is closed
        return None
    return Path(os.fspath(given)) if is_there else None


def _files(text: str, looking: _Looking) -> Iterator[Document]:
    """Yield the files that a path, a folder or a pattern stands for."""
    _check_named(text)
    path = Path(text)
    if is_pattern(text):
        root, pattern = split_pattern(text)
        found = sorted(_looked_through(root, pattern, looking), key=lambda each: each.path)
        nothing = f"No file matches {text!r} in {str(Path.cwd())!r}.", '"**" stands for any folders.'
    elif path.is_dir():
        root, found = path, _looked_through(path, ALL, looking)
        nothing = f"There is no file in the folder {text!r}.", "Hidden files are left out."
    elif path.is_file():
        yield Document(path_name(path, looking.base), path, about=path)
        return
    else:
        there = "is no file or folder" if path.exists() else "isn't there"
        raise UserError(f"{text!r} {there}.", hint=f"Paths are told from {str(Path.cwd())!r}.")
    there_are = [each for each in found if not (each.refused and looking.whole)]
    if not there_are and not looking.empty:
        hint = "Nothing was removed. If that is meant: allow_empty=True." if looking.whole else nothing[1]
        raise UserError(nothing[0], hint=hint)
    for each in found:
        document = Document(path_name(each.path, looking.base), each.path, about=each.path, in_folder=True)
        yield replace(document, refused=each.refused or _refusal(each.path))


def _looked_through(root: Path, pattern: Pattern, looking: _Looking) -> list[Found]:
    found = list(found_in(root, pattern)) if os.path.isdir(root) else []
    if looking.whole and (error := next((each.error for each in found if each.error is not None), None)):
        raise cannot_read(error)
    return found


def _check_named(text: str) -> None:
    """Check that a path is one: without this, an empty text would be the whole working folder.

    Raises:
        UserError: It is empty, or an address that nothing is fetched from.
    """
    if (scheme := _SCHEME.match(text)) and not os.path.exists(text):
        hint = "Addresses begin with http:// or https://; what is on this machine is named by its path."
        raise UserError(f"Nothing is fetched from {scheme[1]}:// addresses.", hint=hint)
    if not text.strip():
        hint = 'Name files or a folder: "docs", "docs/**/*.pdf"; the working folder is ".".'
        raise UserError(f"{text!r} is no path.", hint=hint)


def _refusal(path: Path) -> str:
    """Return why a file of a folder isn't one for a store; "" where it is."""
    if path.suffix.lower() in KNOWN_TYPES:
        return ""
    try:
        with path.open("rb") as file:
            is_text = looks_like_text(file.read(_SNIFFED_BYTES))
    except OSError:
        return ""  # reading it will tell
    return "" if is_text else f"not a document: {path.suffix or 'no ending'}, and no text"
