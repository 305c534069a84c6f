"""How much of a text the store keeps: what is longer is cut, with a note of how much."""

from __future__ import annotations

import os
from typing import Any

from agentkit._json import dumps, loads

__all__ = ["MAX_BYTES", "Cutter"]

MAX_BYTES = 262_144
"""Bytes that the store keeps of an input, an output or the like, unless `AGENTKIT_TRACE_MAX_BYTES` says otherwise."""

_SMALLEST = 1_000
_SHORTEST_TEXT = 200


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
        value = loads(encoded)
        longest = self.max_bytes // 2
        while True:
            shorter = dumps(_shortened(value, longest)).decode()
            kept = len(shorter.encode())
            if kept <= self.max_bytes:
                return shorter, size - kept
            if longest <= _SHORTEST_TEXT:
                break
            longest //= 4
        return self._as_text(encoded, size)

    def _as_text(self, encoded: str, size: int) -> tuple[str, int]:
        """Return the beginning of JSON that has too many parts, rather than too long ones, as a text."""
        beginning = encoded[: self.max_bytes // 8]  # each character may take six bytes once it is JSON within JSON
        shorter = dumps(beginning + _note(len(encoded) - len(beginning))).decode()
        return shorter, size - len(shorter.encode())


def _shortened(value: Any, longest: int) -> Any:  # JSON values
    if isinstance(value, str):
        gone = len(value) - longest
        return value if gone <= 0 else value[:longest] + _note(gone)
    if isinstance(value, list):
        return [_shortened(each, longest) for each in value]
    if isinstance(value, dict):
        return {key: _shortened(each, longest) for key, each in value.items()}
    return value


def _note(characters: int) -> str:
    return f"… [cut: {characters:,} more characters]"


def _from_environment() -> int:
    given = os.environ.get("AGENTKIT_TRACE_MAX_BYTES", "").strip()
    return max(int(given), _SMALLEST) if given.isdigit() else MAX_BYTES
