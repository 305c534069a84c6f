"""JSON that has not come to its end: a parser that is fed pieces, and knows after each what there is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

__all__ = ["MISSING", "Frame", "PartialJson"]


class _Missing:
    """The one value that stands for none."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final[Any] = _Missing()
"""Stands for a value of which nothing has come, where None would be a value."""

_MAX_DEPTH = 200
_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_SCALAR = re.compile(r"[-+.0-9A-Za-z]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS: dict[str, Any] = {
    "true": True,
    "false": False,
    "null": None,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}
"""What isn't a number; the last three are not of the standard, but read by every Python parser."""


class Frame:
    """An object or array that is being read."""

    __slots__ = ("key", "keys", "value")

    def __init__(self, value: dict[str, Any] | list[Any]) -> None:
        self.value = value
        """Its members that are complete."""
        self.keys: list[str] = []
        """Of an object: the keys of those, in the order in which they came; one that came twice, twice."""
        self.key: str | None = None
        """Of an object: the key of the member that is being read."""


class PartialJson:
    """Reads JSON in pieces that are cut anywhere.

    Each piece costs what its own length costs, however much came before. Numbers and the words `true`, `false` and
    `null` count once what follows shows that they are complete; strings as far as they have come. Where the text turns
    out to be no JSON, what came before stays. A code fence around the text is passed over, as models like to put one.
    """

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        """The objects and arrays that are open, the outermost first."""
        self.value: Any = MISSING
        """The value, once it is complete."""
        self.failed = False
        """Whether the text is no JSON from some point on."""
        self._step: Callable[[str, int], int] = self._before
        self._parts: list[str] = []  # of the string, number or word that is being read
        self._half = ""  # the first half of an emoji, that a string which is being read ends with
        self._held = ""  # the beginning of an escape
        self._in_text = False

    @property
    def complete(self) -> bool:
        """Whether the value has come to its end."""
        return self.value is not MISSING

    def feed(self, text: str) -> None:
        """Read on."""
        if self._held:
            text, self._held = self._held + text, ""
        at, end = 0, len(text)
        try:
            while at < end:
                at = self._step(text, at)
        except ValueError:
            self.failed = True
            self._step = self._beyond

    def finish(self) -> None:
        """Take the text as ended: a number that stands alone is complete only now."""
        if not self.frames and self._step == self._in_scalar:
            self.feed(" ")

    def open_text(self) -> str:
        """Return the string value that is being read, as far as it has come, or MISSING where none is."""
        if not self._in_text:
            return MISSING  # type: ignore[no-any-return]
        text = "".join(self._parts)
        self._parts = [text]
        return text

    # -- steps: each reads something at a place in the text, and returns where to go on --------------------------------

    def _before(self, text: str, at: int) -> int:
        at = _after_space(text, at)
        if text.startswith("\ufeff", at):
            return at + 1
        if at < len(text):
            self._step = self._in_fence if text[at] == "`" else self._in_value
        return at

    def _in_fence(self, text: str, at: int) -> int:
        line_end = text.find("\n", at)
        if line_end < 0:
            return len(text)
        self._step = self._in_value
        return line_end + 1

    def _in_value(self, text: str, at: int) -> int:
        at = _after_space(text, at)
        if at == len(text):
            return at
        match text[at]:
            case '"':
                self._parts, self._half, self._in_text, self._step = [], "", True, self._in_string
            case "{":
                self._open({}, self._in_first_key)
            case "[":
                self._open([], self._in_first_value)
            case sign if _SCALAR.match(sign).end():  # type: ignore[union-attr]
                self._parts, self._step = [], self._in_scalar
                return at
            case _:
                raise ValueError
        return at + 1

    def _open(self, value: dict[str, Any] | list[Any], step: Callable[[str, int], int]) -> None:
        if len(self.frames) == _MAX_DEPTH:
            raise ValueError
        self.frames.append(Frame(value))
        self._step = step

    def _in_first_value(self, text: str, at: int) -> int:
        at = _after_space(text, at)
        if at < len(text):
            self._step = self._after_value if text[at] == "]" else self._in_value
        return at

    def _in_first_key(self, text: str, at: int) -> int:
        at = _after_space(text, at)
        if at < len(text):
            self._step = self._after_value if text[at] == "}" else self._in_key
        return at

    def _in_key(self, text: str, at: int) -> int:
        at = _after_space(text, at)
        if at == len(text):
            return at
        if text[at] != '"':
            raise ValueError
        self._parts, self._half, self._step = [], "", self._in_string
        return at + 1

    def _in_colon(self, text: str, at: int) -> int:
        at = _after_space(text, at)
        if at == len(text):
            return at
        if text[at] != ":":
            raise ValueError
        self._step = self._in_value
        return at + 1

    def _in_string(self, text: str, at: int) -> int:
        end = _PLAIN.match(text, at).end()  # type: ignore[union-attr]
        if end > at:
            self._put(text[at:end])
        if end == len(text):
            return end
        if text[end] == "\\":
            return self._in_escape(text, end)
        if text[end] != '"':
            raise ValueError
        said = "".join(self._parts) + self._half
        if self._in_text:
            self._in_text = False
            self._add(said)
        else:
            self.frames[-1].key = said
            self._step = self._in_colon
        return end + 1

    def _put(self, text: str) -> None:
        """Add to the string; of an emoji that is cut in half, the first half waits for the other."""
        if self._half or not text.isascii():
            text = _with_whole_emojis(self._half + text)
            self._half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
            text = text.removesuffix(self._half)
        self._parts.append(text)

    def _in_escape(self, text: str, at: int) -> int:
        code = text[at + 1 : at + 2]
        if not code or (code == "u" and at + 6 > len(text)):
            self._held = text[at:]
            return len(text)
        if code == "u":
            digits = text[at + 2 : at + 6]
            if _HEX.fullmatch(digits) is None:
                raise ValueError
            self._put(chr(int(digits, 16)))
            return at + 6
        if code not in _ESCAPES:
            raise ValueError
        self._put(_ESCAPES[code])
        return at + 2

    def _in_scalar(self, text: str, at: int) -> int:
        end = _SCALAR.match(text, at).end()  # type: ignore[union-attr]
        self._parts.append(text[at:end])
        if end < len(text):
            self._add(_scalar("".join(self._parts)))
        return end

    def _after_value(self, text: str, at: int) -> int:
        at = _after_space(text, at)
        if at == len(text):
            return at
        is_object = isinstance(self.frames[-1].value, dict)
        match text[at]:
            case ",":
                self._step = self._in_key if is_object else self._in_value
            case "}" if is_object:
                self._add(self.frames.pop().value)
            case "]" if not is_object:
                self._add(self.frames.pop().value)
            case _:
                raise ValueError
        return at + 1

    def _beyond(self, text: str, at: int) -> int:
        return len(text)

    def _add(self, value: Any) -> None:
        """Put a value that is complete into what it is part of."""
        if not self.frames:
            self.value = value
            self._step = self._beyond
            return
        frame = self.frames[-1]
        if isinstance(frame.value, dict):
            key, frame.key = frame.key or "", None
            frame.value[key] = value
            frame.keys.append(key)
        else:
            frame.value.append(value)
        self._step = self._after_value


def _after_space(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]


def _scalar(text: str) -> Any:  # a number, a truth value or None
    """Return the value that a number or word stands for.

    Raises:
        ValueError: It is neither, or a number of more digits than Python reads.
    """
    if text in _WORDS:
        return _WORDS[text]
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError
    return int(text) if match.lastindex is None else float(text)


def _with_whole_emojis(text: str) -> str:
    """Return `text` with the two halves that UTF-16 cuts rare characters into joined, where both are there."""
    if text.isascii() or _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
