"""What is to be put into a store: each file with its name, its attributes, and how its bytes are had."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from agentkit.exceptions import UserError
from agentkit.files.attributes import Attributes, Source, checked_attributes
from agentkit.files.downloads import Downloads
from agentkit.files.errors import reason_of

__all__ = ["KNOWN_TYPES", "Content", "Document", "looks_like_text"]

KNOWN_TYPES: Final = frozenset(
    (
        ".c",
        ".cpp",
        ".cs",
        ".css",
        ".doc",
        ".docx",
        ".go",
        ".html",
        ".java",
        ".js",
        ".json",
        ".md",
        ".pdf",
        ".php",
        ".pptx",
        ".py",
        ".rb",
        ".sh",
        ".tex",
        ".ts",
        ".txt",
    )
)
"""Endings of files that OpenAI's vector stores take."""
_IN_MEMORY_BYTES: Final = 16 * 2**20
"""Files up to here are read once, and sent as they were read."""
_STEP_BYTES: Final = 2**20
_TYPES: Final = {".md": "text/markdown", ".tex": "application/x-tex", ".ts": "application/typescript"}


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes, ready to be sent."""

    filename: str
    """What the platform is told that it is called."""
    data: bytes | Path
    """Its bytes, or where they are."""
    size_bytes: int
    sha256: str
    """Hash of its bytes, 64 hexadecimal digits."""

    @property
    def mime_type(self) -> str:
        """Its type by its name, such as "application/pdf"."""
        ending = Path(self.filename).suffix.lower()
        return _TYPES.get(ending) or mimetypes.guess_type(self.filename)[0] or "application/octet-stream"

    @contextmanager
    def opened(self) -> Iterator[BinaryIO | bytes]:
        """Give the bytes, or the open file."""
        if isinstance(self.data, bytes):
            yield self.data
            return
        with self.data.open("rb") as file:
            yield file


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is to be in a store."""

    name: str
    """By what it is known again: "docs/a.pdf", "https://…", "bytes:notes.txt", "row:handbook.txt"."""
    data: bytes | Path | str
    """Its bytes, its path, or its address."""
    filename: str = ""
    """What it is to be called; "" for its own name."""
    about: Any = None  # a path, an address, a row: what a function of the user's is given
    """What attributes are made from."""
    attributes: Attributes | Callable[[Any], Any] | None = None
    """Its attributes, or the function that makes them; None leaves those that the store has."""
    refused: str = ""
    """Why it isn't added; "" where it is."""
    broken: str = ""
    """Why it can't be added although it should: its attributes could not be made."""
    weak: str = ""
    """Why it takes the place of no other text of its name, as that says too little; "" where it does."""
    in_folder: bool = False
    """Whether it was found in a folder or by a pattern, and not named by itself."""

    async def read(self, downloads: Downloads) -> Content:
        """Return its bytes with their hash.

        Raises:
            OSError: It can't be read.
            UserError: It can't be had.
        """
        filename = self.filename or Path(self.name).name
        if isinstance(self.data, str):
            data, filename = await downloads.get(self.data)
            return Content(filename, data, len(data), hashlib.sha256(data).hexdigest())
        if isinstance(self.data, bytes):
            return Content(filename, self.data, len(self.data), hashlib.sha256(self.data).hexdigest())
        return await asyncio.to_thread(_read_file, self.data, filename, self.in_folder)

    def with_attributes(self) -> Document:
        """Return the same with its attributes made and checked, or with why they can't be."""
        if not callable(self.attributes) or self.refused:
            return self
        try:
            made = self.attributes(self.about)
        except Exception as error:  # the user's code
            return replace(self, broken=f"attributes(…) raised {type(error).__name__}: {reason_of(error)}")
        try:
            return replace(self, attributes={} if made is None else checked_attributes(made, self.name))
        except UserError as error:
            return replace(self, broken=reason_of(error).removeprefix(f"{self.name}: "))

    def source(self, content: Content) -> Source:
        """Return what is kept in the store to know it again."""
        return Source(content.sha256, self.name)


def _read_file(path: Path, filename: str, in_folder: bool) -> Content:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        first = file.read(_IN_MEMORY_BYTES)
        if in_folder and path.suffix.lower() not in KNOWN_TYPES and looks_like_text(first[:8192]):
            filename += ".txt"  # a type that platforms don't list, but text: as such they take it
        digest.update(first)
        if len(first) < _IN_MEMORY_BYTES:
            return Content(filename, first, len(first), digest.hexdigest())
        size = len(first)
        while part := file.read(_STEP_BYTES):
            digest.update(part)
            size += len(part)
    return Content(filename, path, size, digest.hexdigest())


def looks_like_text(start: bytes) -> bool:
    """Return whether bytes at the start of a file are text in UTF-8, or in UTF-16 with its mark."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if b"\0" in start:
        return False
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return error.start > len(start) - 4 and error.reason == "unexpected end of data"
    return True
