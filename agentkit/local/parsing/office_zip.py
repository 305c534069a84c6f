"""The parts of Word and PowerPoint files, read in pieces: what a header claims of their size is never believed."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from agentkit.local.parsing.parsed import Unreadable

__all__ = ["OfficeZip"]

_MAX_ENTRIES = 20_000
_MAX_DIRECTORY_BYTES = 4_000_000
_MAX_EXPANDED_BYTES = 300_000_000
"""Most bytes that the parts of one file may have, decompressed; a book of 5,000 pages has 100 million."""
_MAX_RATIO = 250
"""Most bytes that one compressed byte may become, beyond the first 10 million. Real documents stay below 60."""
_FREE_BYTES = 10_000_000
_PIECE = 65_536
_MAX_DEPTH = 512


class _BoundedBytes(io.BytesIO):
    """Refuses to hand out more at once than the directory of a real file has: `zipfile` reads that in one piece."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_DIRECTORY_BYTES:
            raise _TooMuchError
        return super().read(size)


class _BoundedFile(io.BufferedReader):
    """The same for a file on disk."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_DIRECTORY_BYTES:
            raise _TooMuchError
        return super().read(size)


class _TooMuchError(Exception):
    pass


class OfficeZip:
    """A Word or PowerPoint file's parts, to be used in a `with` statement.

    Args:
        name: The file, for errors.
        data: Its bytes.

    Raises:
        Unreadable: It is damaged, encrypted, or a bomb.
    """

    def __init__(self, name: str, data: bytes | Path) -> None:
        self.name = name
        self._expanded = 0
        self._file = _BoundedBytes(data) if isinstance(data, bytes) else _BoundedFile(io.FileIO(data))
        self._size = self._file.seek(0, io.SEEK_END)
        try:
            self._zip = self._opened()
        except BaseException:
            self._file.close()
            raise
        self._entries = {entry.filename.replace("\\", "/").lstrip("/"): entry for entry in self._zip.infolist()}

    def _opened(self) -> zipfile.ZipFile:
        try:
            found = zipfile.ZipFile(self._file)
        except _TooMuchError:
            raise self._bomb(f"its directory has more than {_MAX_DIRECTORY_BYTES:,} bytes") from None
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError) as error:
            raise self._damaged(str(error)) from None
        if len(found.infolist()) > _MAX_ENTRIES:
            raise self._bomb(f"it has {len(found.infolist()):,} parts, where {_MAX_ENTRIES:,} is the most")
        return found

    def __enter__(self) -> OfficeZip:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    def __contains__(self, part: str) -> bool:
        return part in self._entries

    def names(self) -> list[str]:
        """Return the names of all parts."""
        return list(self._entries)

    def pieces(self, part: str) -> Iterator[bytes]:
        """Yield a part's bytes.

        Raises:
            Unreadable: It is damaged or encrypted, or becomes too large.
        """
        entry = self._entries[part]
        if entry.flag_bits & 1:
            raise Unreadable("invalid_file", f"'{self.name}' is encrypted. Save it without a password.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self._damaged(f"the part {part!r} is compressed by method {entry.compress_type}")
        try:
            with self._zip.open(entry) as stream:
                while piece := stream.read(_PIECE):
                    self._note(len(piece))
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, NotImplementedError) as error:
            raise self._damaged(f"the part {part!r}: {error}") from None
        except RuntimeError as error:  # a password, where the flag above doesn't say so
            raise self._damaged(f"the part {part!r}: {error}") from None

    def _note(self, size: int) -> None:
        self._expanded += size
        if self._expanded > _MAX_EXPANDED_BYTES:
            raise self._bomb(f"it expands to more than {_MAX_EXPANDED_BYTES:,} bytes")
        if self._expanded > _FREE_BYTES and self._expanded > _MAX_RATIO * self._size:
            raise self._bomb(f"it expands to more than {_MAX_RATIO} times its size")

    def feed(self, part: str, handler: Any) -> None:
        """Read a part as XML.

        Args:
            part: Its name.
            handler: Has `start(tag, attributes)`, `end(tag)` and `text(data)`; tags and attributes come without their
                namespaces, but references to other parts as "r:id".

        Raises:
            Unreadable: It is no XML, or has a document type, as only entity bombs have here.
        """
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        depth = 0

        def start(tag: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > _MAX_DEPTH:
                raise self._damaged(f"the part {part!r} is nested deeper than {_MAX_DEPTH}")
            handler.start(tag.rpartition(" ")[2], {_attribute(key): value for key, value in attributes.items()})

        def end(tag: str) -> None:
            nonlocal depth
            depth -= 1
            handler.end(tag.rpartition(" ")[2])

        def doctype(*_: object) -> None:
            raise Unreadable("invalid_file", f"'{self.name}' declares XML entities in {part!r}, as no document does.")

        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = handler.text
        parser.StartDoctypeDeclHandler = doctype
        try:
            for piece in self.pieces(part):
                parser.Parse(piece, False)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise self._damaged(f"the part {part!r}: {error}") from None

    def relations(self, part: str) -> dict[str, str]:
        """Return which parts a part refers to, by the names that it gives them."""
        folder, _, file = part.rpartition("/")
        source = f"{folder}/_rels/{file}.rels" if folder else f"_rels/{file}.rels"
        if source not in self:
            return {}
        relations = _Relations(folder)
        self.feed(source, relations)
        return relations.targets

    def title(self) -> str:
        """Return the title in the document's properties, "" without one."""
        if "docProps/core.xml" not in self:
            return ""
        properties = _Properties()
        self.feed("docProps/core.xml", properties)
        return properties.title

    def _damaged(self, why: str) -> Unreadable:
        return Unreadable("invalid_file", f"'{self.name}' is damaged: {why}. Save it anew from its program.")

    def _bomb(self, why: str) -> Unreadable:
        return Unreadable("invalid_file", f"'{self.name}' is not read: {why}, as no real document has.")


def _attribute(name: str) -> str:
    """Return an attribute's name without its namespace, but "r:id" for a reference to another part."""
    space, _, local = name.rpartition(" ")
    return f"r:{local}" if space.endswith("/relationships") else local


class _Relations:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.targets: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            path = [] if target.startswith("/") else self._folder.split("/")
            for step in target.split("/"):
                if step == ".." and path:
                    path.pop()
                elif step not in ("", ".", ".."):
                    path.append(step)
            self.targets[attributes.get("Id", "")] = "/".join(path)

    def end(self, tag: str) -> None: ...

    def text(self, data: str) -> None: ...


class _Properties:
    def __init__(self) -> None:
        self.title = ""
        self._inside = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._inside = tag == "title"

    def end(self, tag: str) -> None:
        self._inside = False

    def text(self, data: str) -> None:
        if self._inside:
            self.title += data
