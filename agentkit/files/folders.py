"""What a folder or a pattern stands for: its files, and what of it isn't looked into, with why."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentkit.exceptions import UserError

__all__ = ["ALL", "Found", "Pattern", "cannot_read", "found_in", "is_pattern", "split_pattern"]

_SIGNS: Final = re.compile(r"[*?\[]")
_JUNK: Final = frozenset({"__pycache__", "node_modules", "desktop.ini", "Thumbs.db"})


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is in a folder."""

    path: Path
    """Where it is."""
    refused: str = ""
    """Why it isn't taken, or looked into; "" for a file that is."""
    error: OSError | None = None
    """What was raised, where it is a folder that can't be read."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What paths within a folder have to be like: as for `glob`, with `**` for any folders."""

    parts: tuple[str, ...]
    """Its parts: ("**", "*.md")."""

    def fits(self, path: Sequence[str]) -> bool:
        """Return whether a file is meant, by the parts of its path."""
        return _fit(self.parts, path)

    def leads_into(self, path: Sequence[str]) -> bool:
        """Return whether files that are meant may be in a folder, by the parts of its path."""
        if "**" in self.parts[: len(path)]:
            return not path[-1].startswith(".") or any(part.startswith(".") for part in self.parts)
        return len(path) < len(self.parts) and _fits(self.parts[len(path) - 1], path[-1])


ALL: Final = Pattern(("**",))
"""All that is in a folder and those within it, but for what is hidden."""


def found_in(folder: Path, pattern: Pattern) -> Iterator[Found]:
    """Yield the files of a folder that are meant, those of a folder before those of the folders in it, by name.

    Links that lead out of the folder, to folders, or round in a circle aren't followed: they are yielded as refused, as
    is a folder that can't be read.

    Raises:
        UserError: The folder itself can't be read.
    """
    unread: list[OSError] = []
    inside: Path | None = None
    for where, folders, names in os.walk(folder, onerror=unread.append):
        yield from _barred(folder, unread)
        here = Path(where).relative_to(folder).parts
        folders[:] = sorted(name for name in folders if name not in _JUNK and pattern.leads_into((*here, name)))
        for name in sorted(names):
            path = Path(where, name)
            if name in _JUNK or not pattern.fits((*here, name)):
                continue
            if not _is_file(path):
                if path.is_symlink() and not path.exists():
                    yield Found(path, "a link to what isn't there")
                continue
            if path.is_symlink():
                inside = inside or folder.resolve()
                if not path.resolve().is_relative_to(inside):
                    yield Found(path, "a link to a file outside of the folder; add that by its own name")
                    continue
            yield Found(path)
        for name in folders:
            if (path := Path(where, name)).is_symlink():
                yield Found(path, "a link to a folder; add that by its own name")
    yield from _barred(folder, unread)


def _barred(folder: Path, unread: list[OSError]) -> Iterator[Found]:
    """Yield the folders that could not be read, and forget them."""
    for error in unread:
        where = Path(os.fsdecode(error.filename))
        if where == folder:
            raise cannot_read(error)
        yield Found(where, f"the folder can't be read: {error.strerror or error}", error)
    unread.clear()


def cannot_read(error: OSError) -> UserError:
    """Return the error that tells of a folder that can't be read."""
    text = f"The folder {os.fsdecode(error.filename)!r} can't be read: {error.strerror or error}."
    return UserError(text, hint="Nothing was changed. Give yourself rights to it, or name other folders.")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # of a folder that may be listed, and no more: reading it will tell
        return True


def is_pattern(text: str) -> bool:
    """Return whether a text is a pattern, and no path of something that is there."""
    return _SIGNS.search(text) is not None and not os.path.exists(text)


def split_pattern(text: str) -> tuple[Path, Pattern]:
    """Return the folder before the first part with a sign of a pattern, and the rest."""
    parts = Path(text).parts
    first = next(place for place, part in enumerate(parts) if _SIGNS.search(part))
    return Path(*parts[:first]), Pattern(parts[first:])


def _fit(parts: Sequence[str], path: Sequence[str]) -> bool:
    if not parts or not path:
        return not parts and not path
    if parts[0] != "**":
        return _fits(parts[0], path[0]) and _fit(parts[1:], path[1:])
    within = _fits("*", path[0])
    return (within and (len(parts) == len(path) == 1 or _fit(parts, path[1:]))) or _fit(parts[1:], path)


def _fits(part: str, name: str) -> bool:
    """Return whether a name is like a part of a pattern, which finds hidden ones only where it begins with a dot."""
    return (part.startswith(".") or not name.startswith(".")) and fnmatch.fnmatch(name, part)
