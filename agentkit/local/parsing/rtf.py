"""Rich text (.rtf, and .doc files that are such inside): the text without its formatting."""

from __future__ import annotations

import codecs
import re

from agentkit.local.parsing.parsed import Parsed, TextBuilder, Unreadable

__all__ = ["parse_rtf"]

_TOKEN = re.compile(
    rb"\\'([0-9a-fA-F]{2})|\\([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
_DESTINATIONS = (
    "fonttbl colortbl stylesheet info pict object fldinst header headerl headerr headerf footer footerl footerr "
    "footerf listtable listoverridetable revtbl rsidtbl generator xmlnstbl themedata colorschememapping datastore "
    "latentstyles filetbl bkmkstart bkmkend annotation atnid atnauthor mmathPr nonshppict"
)
_HIDDEN = frozenset(_DESTINATIONS.encode().split())
_SIGNS = {
    b"par": "\n\n", b"sect": "\n\n", b"page": "\n\n", b"line": "\n", b"tab": "\t", b"cell": " | ", b"row": "\n",
    b"emdash": "—", b"endash": "–", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”",
    b"bullet": "•",
}  # fmt: skip
_SYMBOLS = {b"~": " ", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\n": "\n\n", b"\r": "\n\n"}
_MAX_DEPTH = 10_000


def parse_rtf(name: str, data: bytes) -> Parsed:
    """Return the text of a rich text file.

    Raises:
        Unreadable: It is damaged.
    """
    text = _Reader(name, data).read()
    built = TextBuilder(name)
    for paragraph in re.split(r"\n{2,}", text):
        if line := re.sub(r" \|\s*$", "", paragraph.strip("\n"), flags=re.MULTILINE).rstrip():
            built.block(line)
    return built.parsed("rtf")


class _Reader:
    def __init__(self, name: str, data: bytes) -> None:
        self._name = name
        self._data = data
        self._parts: list[str] = []
        self._bytes = bytearray()
        """Characters of the file's own encoding that wait to be decoded: some have two bytes."""
        self._encoding = "cp1252"
        self._groups: list[tuple[bool, int]] = []
        self._hidden = False
        self._skip = 1
        """Characters that stand for an Unicode character to programs which don't know such."""
        self._to_skip = 0
        self._starred = False

    def read(self) -> str:
        place, data = 0, self._data
        while place < len(data) and (found := _TOKEN.match(data, place)):
            place = found.end()
            code, word, number, symbol, brace, plain = found.groups()
            if word == b"bin" and number:
                place += max(0, int(number))
            elif word is not None:
                self._word(word, None if number is None else int(number))
            elif brace is not None:
                self._brace(brace)
            elif symbol == b"*":
                self._starred = True
            elif code is not None:
                self._characters(bytes.fromhex(code.decode()))
            elif symbol is not None:
                self._sign(_SYMBOLS.get(symbol, ""))
            elif plain is not None:
                self._characters(plain)
        self._flush()
        return "".join(self._parts)

    def _word(self, word: bytes, number: int | None) -> None:
        starred, self._starred = self._starred, False
        if word == b"ansicpg" and number is not None:
            try:
                self._encoding = codecs.lookup(f"cp{number}").name
            except LookupError:
                self._encoding = "cp1252"
        elif word in _HIDDEN or starred:
            self._hidden = True
        elif word == b"uc" and number is not None:
            self._skip = max(0, min(number, 8))
        elif word == b"u" and number is not None:
            unit = (number % 65_536).to_bytes(2, "little")
            self._sign(unit.decode("utf-16-le", errors="surrogatepass"))
            self._to_skip = self._skip
        else:
            self._sign(_SIGNS.get(word, ""))

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self._to_skip = 0
        if brace == b"{":
            if len(self._groups) >= _MAX_DEPTH:
                raise Unreadable(
                    "invalid_file", f"'{self._name}' is damaged: nested deeper than {_MAX_DEPTH:,} groups."
                )
            self._groups.append((self._hidden, self._skip))
        elif self._groups:
            self._hidden, self._skip = self._groups.pop()
        self._starred = False

    def _sign(self, sign: str) -> None:
        if sign and not self._hidden:
            self._flush()
            self._parts.append(sign)

    def _characters(self, data: bytes) -> None:
        skipped = min(self._to_skip, len(data))
        self._to_skip -= skipped
        if not self._hidden:
            self._bytes += data[skipped:]

    def _flush(self) -> None:
        if self._bytes:
            self._parts.append(self._bytes.decode(self._encoding, errors="replace"))
            self._bytes.clear()
