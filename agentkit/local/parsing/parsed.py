"""What reading a file gives: its text, and where in it pages and headings begin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "MAX_CHARACTERS",
    "MAX_FILE_BYTES",
    "MAX_FILE_TOKENS",
    "MAX_HEADINGS",
    "Mark",
    "Parsed",
    "TextBuilder",
    "Unreadable",
    "one_line",
    "storable",
    "too_many_tokens",
]

MAX_FILE_BYTES = 512_000_000
"""Most bytes of a file; OpenAI's limit."""
MAX_FILE_TOKENS = 5_000_000
"""Most tokens of a file's text; OpenAI's limit."""
MAX_CHARACTERS = 200_000_000
"""Most characters of the text in a file of another format than plain text. 5,000,000 tokens rarely have a tenth."""
MAX_HEADINGS = 50_000
"""Most headings that are noted of a file."""
_MAX_TITLE = 200


class Unreadable(Exception):  # noqa: N818 (it is the file that is unreadable)
    """A file can't be read.

    Attributes:
        code: What OpenAI calls it: "unsupported_file" for a kind of file that isn't read, "invalid_file" for one that
            is damaged, empty, encrypted or too large.
        message: What is wrong with which file, and what to do.
    """

    def __init__(self, code: Literal["unsupported_file", "invalid_file"], message: str) -> None:
        super().__init__(message)
        self.code: Literal["unsupported_file", "invalid_file"] = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a page or a heading begins in a text."""

    start: int
    """Its place, in characters from 0."""
    number: int
    """Of a page or slide: which one, from 1. Of a heading: its level, 1 for the outermost."""
    title: str = ""
    """The heading's own text, in one line; for a page "", for a slide its title."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's text."""

    text: str
    """All of it, with "\\n" at line ends; a table has a line for each row, its cells separated by " | "."""
    pages: tuple[Mark, ...] = ()
    """Where pages, or slides, begin, in order; none for files without pages."""
    headings: tuple[Mark, ...] = ()
    """Where headings begin, in order."""
    kind: str = "text"
    """What it was read as: "text", "code", "markdown", "html", "json", "csv", "tex", "notebook", "pdf", "docx", "doc",
    "pptx" or "rtf"."""
    title: str = ""
    """What the document calls itself; "" where it doesn't."""


def too_many_tokens(name: str, most: int) -> Unreadable:
    """Return the error of a file that is too long."""
    return Unreadable("invalid_file", f"'{name}' has more than {most:,} tokens. Split it into parts.")


class TextBuilder:
    """Puts a text together from pieces and notes where pages and headings begin.

    Args:
        name: The file, for the error of one that is too long.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._parts: list[str] = []
        self._length = 0
        self._trailing = 0
        """Line ends at the end of what is there."""
        self.pages: list[Mark] = []
        self.headings: list[Mark] = []

    @property
    def length(self) -> int:
        """Characters so far."""
        return self._length

    def add(self, text: str) -> None:
        """Append text as it is.

        Raises:
            Unreadable: It becomes too long.
        """
        if not text:
            return
        self._parts.append(text)
        self._length += len(text)
        body = text.rstrip("\n")
        self._trailing = len(text) - len(body) + (0 if body else self._trailing)
        if self._length > MAX_CHARACTERS:
            raise Unreadable(
                "invalid_file", f"'{self._name}' holds more than {MAX_CHARACTERS:,} characters. Split it into parts."
            )

    def block(self, text: str, *, gap: int = 2) -> int:
        """Append a paragraph, row or line, `gap` line ends after what is there; return where it begins."""
        if self._length and self._trailing < gap:
            self.add("\n" * (gap - self._trailing))
        start = self._length
        self.add(text)
        return start

    def heading(self, text: str, level: int, *, gap: int = 2) -> None:
        """Append a heading and note it."""
        if title := one_line(text):
            start = self.block(text, gap=gap)
            if len(self.headings) < MAX_HEADINGS:
                self.headings.append(Mark(start, level, title))

    def page(self, number: int, title: str = "") -> None:
        """Note that a page begins with what is appended next."""
        if self._length and self._trailing < 2:
            self.add("\n" * (2 - self._trailing))
        self.pages.append(Mark(self._length, number, one_line(title)))

    def parsed(self, kind: str, *, title: str = "") -> Parsed:
        """Return the whole."""
        text = storable("".join(self._parts).rstrip())
        return Parsed(text, tuple(self.pages), tuple(self.headings), kind, one_line(storable(title)))


def storable(text: str) -> str:
    """Return a text without what no database takes: halves of characters, and NUL. Marks stay right."""
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\ufffd") if "\0" in text else text


def one_line(text: str, *, most: int = _MAX_TITLE) -> str:
    """Return a text in one line, cut to a length."""
    line = re.sub(r"\s+", " ", text[: most * 4]).strip()
    return line if len(line) <= most else f"{line[: most - 1]}…"
