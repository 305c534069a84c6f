"""How much of a text the store keeps: what is longer is cut, with a note of how much."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from logging import getLogger
from typing import Any

from agentkit._json import dumps, loads

__all__ = ["MAX_BYTES", "Cutter"]

MAX_BYTES = 262_144
"""Bytes that the store keeps of an input, an output or the like, unless `AGENTKIT_TRACE_MAX_BYTES` says otherwise."""

_SMALLEST = 1_000
_SHORTEST_TEXT = 200
_CLOSE_ENOUGH = 64
"""The longest text that fits is found to within this part of the limit."""
_NOTE_BYTES = 40
"""A text is cut only by more than the note takes that says so."""
_SIZE = re.compile(r"(?P<number>\d+(?:_\d+)*)\s*(?P<unit>(?:[km]i?)?b?)", re.IGNORECASE | re.ASCII)
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "ki": 1_024, "mi": 1_048_576}


class Cutter:
    """Cuts JSON that is too long: texts in it get shorter and say so. Where that isn't enough, its beginning is left.

    Args:
        max_bytes: How long it may be; as the environment says when None.
    """

    def __init__(self, max_bytes: int | None = None) -> None:
        self.max_bytes = _from_environment() if max_bytes is None else max_bytes

    def cut(self, encoded: str) -> tuple[str, int]:
        """Return JSON text that isn't too long, and how many bytes are gone.

        Args:
            encoded: JSON, with nothing secret in it any more: half a key would no longer be known as one.
        """
        size = len(encoded)
        if size * 4 <= self.max_bytes or (size := len(encoded.encode("utf-8", "surrogatepass"))) <= self.max_bytes:
            return encoded, 0
        shorter = self._longest_that_fits(loads(encoded), _SHORTEST_TEXT)
        if shorter is None:  # it has too many parts, rather than too long ones: keep its beginning, as a text
            shorter = self._longest_that_fits(encoded, 0) or b'""'
        return shorter.decode(), size - len(shorter)

    def _longest_that_fits(self, value: Any, shortest: int) -> bytes | None:  # JSON values
        """Return a value with its texts cut no more than it takes; None where `shortest` bytes of each are too long."""
        low, high = shortest, self.max_bytes
        best = dumps(_shortened(value, low))
        if len(best) > self.max_bytes:
            return None
        while high - low > self.max_bytes // _CLOSE_ENOUGH:
            middle = (low + high) // 2
            tried = dumps(_shortened(value, middle))
            if len(tried) <= self.max_bytes:
                low, best = middle, tried
            else:
                high = middle
        return best


def _shortened(value: Any, longest: int) -> Any:  # JSON values
    """Return a value in which each text has at most about `longest` bytes."""
    if isinstance(value, str):
        if len(value) * 4 <= longest:  # no character takes more than four bytes
            return value
        encoded = value.encode("utf-8", "surrogatepass")
        if len(encoded) <= longest + _NOTE_BYTES:
            return value
        end = longest
        while end and encoded[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        kept = encoded[:end].decode("utf-8", "surrogatepass")
        return kept + _note(len(value) - len(kept))
    if isinstance(value, list):
        return [_shortened(each, longest) for each in value]
    if isinstance(value, dict):
        return {key: _shortened(each, longest) for key, each in value.items()}
    return value


def _note(characters: int) -> str:
    return f"… [cut: {characters:,} more characters]"


def _from_environment() -> int:
    return _bytes_in(os.environ.get("AGENTKIT_TRACE_MAX_BYTES", "").strip())


@lru_cache(maxsize=8)  # so that it warns once
def _bytes_in(given: str) -> int:
    if not given:
        return MAX_BYTES
    if (found := _SIZE.fullmatch(given)) is not None:
        return max(int(found["number"]) * _UNITS[(found["unit"] or "").lower().removesuffix("b")], _SMALLEST)
    getLogger("agentkit.tracing").warning(
        "AGENTKIT_TRACE_MAX_BYTES is a number of bytes such as 1_000_000, 500kB or 1MB, not %r: %s are kept of a text.",
        given,
        f"{MAX_BYTES:,}",
    )
    return MAX_BYTES
