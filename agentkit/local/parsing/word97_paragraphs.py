"""Which paragraphs of a Word 97 file are headings, stand in a table's cell, or end a row.

Source: [MS-DOC], sections 2.4.6.1 (properties of paragraphs), 2.8.6 (PlcBtePapx), 2.9.175 (PapxFkp) and 2.6.2 (sprms).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass

__all__ = ["ParagraphKind", "ParagraphKinds"]

_PLACE_OF_TABLE = 0x0102
_PAGE = 512
_IN_TABLE = 0x2416
_ENDS_ROW = 0x2417
_VALUE_BYTES = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}
"""Bytes of a property's value by the upper three bits of its number; of kind 6 the value says it itself."""
_TABLE_DEFINITION = 0xD608
_TABS = 0xC615


@dataclass(frozen=True, slots=True)
class ParagraphKind:
    """What is known of a paragraph."""

    heading: int = 0
    """Its level as a heading, 1 to 9: the first nine styles of every file are those. 0 for other paragraphs."""
    in_table: bool = False
    ends_row: bool = False


class ParagraphKinds:
    """The kinds of a file's paragraphs, by where their last characters lie.

    Args:
        word: The stream "WordDocument".
        table: The stream with its tables.
    """

    def __init__(self, word: bytes, table: bytes) -> None:
        self._starts: list[int] = []
        self._kinds: list[ParagraphKind] = []
        start, size = struct.unpack_from("<II", word, _PLACE_OF_TABLE)
        entries = table[start : start + size]
        count = max(0, (len(entries) - 4) // 8)
        for (page,) in struct.iter_unpack("<I", entries[4 * (count + 1) : 4 * (count + 1) + 4 * count]):
            place = (page & 0x3FFFFF) * _PAGE
            if place + _PAGE <= len(word):
                self._add_page(word[place : place + _PAGE])
        order = sorted(range(len(self._starts)), key=self._starts.__getitem__)
        self._starts, self._kinds = [self._starts[i] for i in order], [self._kinds[i] for i in order]

    def _add_page(self, page: bytes) -> None:
        count = page[_PAGE - 1]
        for index in range(count):
            where = 4 * (count + 1) + 13 * index
            if where >= _PAGE - 1:
                return
            self._starts.append(struct.unpack_from("<I", page, 4 * index)[0])
            self._kinds.append(_kind(page, page[where] * 2))

    def at(self, place: int) -> ParagraphKind:
        """Return the kind of the paragraph in which a byte of the stream lies."""
        index = bisect_right(self._starts, place)
        return self._kinds[index - 1] if index else ParagraphKind()


def _kind(page: bytes, place: int) -> ParagraphKind:
    if place == 0:
        return ParagraphKind()
    size = page[place] * 2 - 1
    start = place + 1
    if page[place] == 0:
        size, start = page[place + 1] * 2, place + 2
    properties = page[start : start + size]
    if len(properties) < 2:
        return ParagraphKind()
    style = struct.unpack_from("<H", properties)[0]
    in_table = ends_row = False
    at = 2
    while at + 3 <= len(properties):
        number = struct.unpack_from("<H", properties, at)[0]
        if number == _IN_TABLE:
            in_table = bool(properties[at + 2])
        elif number == _ENDS_ROW:
            ends_row = bool(properties[at + 2])
        at += 2 + _value_bytes(number, properties, at + 2)
    return ParagraphKind(style if 1 <= style <= 9 else 0, in_table, ends_row)


def _value_bytes(number: int, properties: bytes, at: int) -> int:
    if number >> 13 != 6:
        return _VALUE_BYTES[number >> 13]
    if number == _TABLE_DEFINITION and at + 2 <= len(properties):
        return int(struct.unpack_from("<H", properties, at)[0]) + 1
    if number == _TABS and properties[at] == 255:
        return len(properties)  # its length is said in another way; nothing that is looked for stands behind it
    return 1 + properties[at]
