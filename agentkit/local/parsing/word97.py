"""Word files of 1997 to 2003 (.doc): the text by its table of pieces, with headings and tables.

Source: [MS-DOC], sections 2.4.1 (retrieving text), 2.5 (the FIB) and 2.8.35 (PlcPcd).
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from agentkit.local.parsing.ole import OleError, read_streams
from agentkit.local.parsing.parsed import Parsed, TextBuilder, Unreadable
from agentkit.local.parsing.word97_paragraphs import ParagraphKind, ParagraphKinds

__all__ = ["parse_doc"]

_WORD_97 = 0x00C1
_MAGIC = 0xA5EC
_FIRST_COUNT = 0x4C
"""Where the FIB has the lengths, in characters, of the main text, footnotes, headers, macros, comments, endnotes, text
boxes and text boxes of headers."""
_KEPT = (True, True, False, False, False, True, True, False)
_PLACE_OF_CLX = 0x01A2
_COMPRESSED = 0x40000000
_PARAGRAPH_END = re.compile("[\r\x07\x0c]")
_OTHER_PROGRAMS = {
    "PowerPoint Document": ("a PowerPoint file of before 2007", ".pptx"),
    "Workbook": ("an Excel file", ".csv"),
    "Book": ("an Excel file", ".csv"),
    "__properties_version1.0": ("an Outlook message", ".txt"),
}


def parse_doc(name: str, data: bytes) -> Parsed:
    """Return the text of a Word file: paragraphs, headings and tables, then foot- and endnotes and text boxes.

    Raises:
        Unreadable: It is encrypted, damaged, of Word 95 or older, or another program's.
    """
    try:
        names, streams = read_streams(data, frozenset(("WordDocument", "0Table", "1Table")))
        if "EncryptedPackage" in names:
            raise Unreadable("invalid_file", f"'{name}' is encrypted: save it without a password.")
        if "WordDocument" not in names:
            _refuse(name, names)
        return _parse(name, streams)
    except (OleError, struct.error) as error:
        raise Unreadable("invalid_file", f"'{name}' is damaged: {error}. Save it anew as .docx.") from None


def _refuse(name: str, names: frozenset[str]) -> NoReturn:
    for stream, (what, suffix) in _OTHER_PROGRAMS.items():
        if stream in names:
            raise Unreadable("unsupported_file", f"'{name}' is {what}, which is not read. Save it as {suffix}.")
    raise Unreadable("unsupported_file", f"'{name}' is an OLE2 file without a Word document in it, which is not read.")


def _parse(name: str, streams: dict[str, bytes]) -> Parsed:
    word = streams["WordDocument"]
    magic, version = struct.unpack_from("<HH", word, 0)
    flags = struct.unpack_from("<H", word, 0x0A)[0]
    if magic != _MAGIC or version < _WORD_97:
        raise Unreadable("unsupported_file", f"'{name}' is of Word 95 or older, which is not read. Save it as .docx.")
    if flags & 0x0100:
        raise Unreadable("invalid_file", f"'{name}' is encrypted: save it without a password.")
    table = streams.get("1Table" if flags & 0x0200 else "0Table")
    if table is None:
        raise OleError("its table of pieces is missing")
    start, size = struct.unpack_from("<II", word, _PLACE_OF_CLX)
    pieces = list(_pieces(word, table[start : start + size]))
    text = _without_fields("".join(piece.text for piece in pieces))
    paragraphs = _Paragraphs(TextBuilder(name), pieces, ParagraphKinds(word, table))
    place = 0
    for count, kept in zip(struct.unpack_from("<8I", word, _FIRST_COUNT), _KEPT, strict=True):
        if kept:
            paragraphs.read(text, place, min(place + count, len(text)))
        place += count
    return paragraphs.built.parsed("doc")


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    first: int
    """Which character of the whole text its first is."""
    where: int
    """Where that lies in the stream, in bytes."""
    width: int
    """Bytes of a character."""


def _pieces(word: bytes, clx: bytes) -> Iterator[_Piece]:
    """Yield the pieces of the text in order."""
    place = 0
    while clx[place : place + 1] == b"\x01":  # formatting that pieces refer to
        place += 3 + struct.unpack_from("<H", clx, place + 1)[0]
    if clx[place : place + 1] != b"\x02":
        raise OleError("its table of pieces can't be found")
    size = struct.unpack_from("<I", clx, place + 1)[0]
    pieces = clx[place + 5 : place + 5 + size]
    count = (len(pieces) - 4) // 12
    if count < 1:
        raise OleError("its table of pieces is empty")
    limits = struct.unpack_from(f"<{count + 1}I", pieces, 0)
    read = 0
    for index in range(count):
        first, characters = limits[index], limits[index + 1] - limits[index]
        where = struct.unpack_from("<I", pieces, 4 * (count + 1) + 8 * index + 2)[0]
        if characters < 0:
            raise OleError("its pieces overlap")
        if where & _COMPRESSED:
            start, width, encoding = (where & ~_COMPRESSED) // 2, 1, "cp1252"
        else:
            start, width, encoding = where, 2, "utf-16-le"
        text = _decoded(word[start : start + width * characters], encoding)
        read += characters
        if read > len(word):
            raise OleError("its pieces are longer than the file")
        yield _Piece(text, first, start, width)


def _decoded(data: bytes, encoding: str) -> str:
    """Return text with a character for each of Word's: both halves of an emoji stay two until the text is whole."""
    return data.decode(encoding, errors="replace" if encoding == "cp1252" else "surrogatepass")


def _without_fields(text: str) -> str:
    """Return a text of the same length in which of each field the result is left, the rest being NUL."""
    hidden: list[tuple[int, int]] = []
    opened: list[int | None] = []
    for mark in re.finditer("[\x13\x14\x15]", text):
        place = mark.start()
        if mark[0] == "\x13":
            opened.append(place)
        elif opened:
            begin = opened.pop()
            if begin is not None:
                hidden.append((begin, place + 1))
            if mark[0] == "\x14":
                opened.append(None)
    parts, done = [], 0
    for begin, end in sorted(hidden):
        if end > done:
            parts += [text[done : max(begin, done)], "\0" * (end - max(begin, done))]
            done = end
    return "".join([*parts, text[done:]])


class _Paragraphs:
    """Puts paragraphs and rows of tables to a text."""

    def __init__(self, built: TextBuilder, pieces: list[_Piece], kinds: ParagraphKinds) -> None:
        self.built = built
        self._pieces = pieces
        self._firsts = [piece.first for piece in pieces]
        self._kinds = kinds
        self._cells: list[str] = []
        self._cell: list[str] = []
        self._gap = 2

    def read(self, text: str, start: int, end: int) -> None:
        """Add a part of the document: the main text, the notes, or the text boxes."""
        for mark in _PARAGRAPH_END.finditer(text, start, end):
            place = mark.start()
            self._add(_tidied(text[start:place]), mark[0], self._kind(place))
            start = place + 1
        self._add(_tidied(text[start:end]), "\r", ParagraphKind())

    def _kind(self, place: int) -> ParagraphKind:
        piece = self._pieces[max(0, bisect_right(self._firsts, place) - 1)]
        return self._kinds.at(piece.where + (place - piece.first) * piece.width)

    def _add(self, text: str, mark: str, kind: ParagraphKind) -> None:
        if mark == "\x07" and kind.ends_row:
            row = " | ".join(self._cells)
            if row.replace("|", "").strip():
                self.built.block(row, gap=self._gap)
                self._gap = 1
            self._cells = []
        elif mark == "\x07":
            self._cells.append(" ".join([*self._cell, text] if text else self._cell).replace("\n", " "))
            self._cell = []
        elif kind.in_table and mark == "\r":
            self._cell += [text] if text else []
        elif text.strip():
            self._gap = 2
            if kind.heading:
                self.built.heading(text, kind.heading)
            else:
                self.built.block(text)


def _tidied(text: str) -> str:
    """Return a paragraph without Word's control characters."""
    text = text.replace("\x1e", "-").replace("\x0b", "\n")
    return re.sub("[\x00-\x08\x0e-\x1f\ufffe\uffff]", "", text).strip("\n").rstrip()
