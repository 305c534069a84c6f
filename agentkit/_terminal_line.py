"""A bar and a text in one line of a terminal, written over and over."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import TextIO

__all__ = ["BarLine"]

_BAR_CHARS = 20
_EVERY_S = 0.25


class BarLine:
    """Writes how far something has come over and over in one line of a terminal, at most four times a second.

    Args:
        stream: The terminal.
        clock: Gives the time in seconds.
        columns: Gives the terminal's width in characters: a line that is longer would leave its first part behind.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        clock: Callable[[], float] = time.monotonic,
        columns: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._columns = columns
        self._next_at = float("-inf")
        self._width = 0

    def draw(self, done: float, total: int, text: str) -> None:
        """Write a bar of `done` parts of `total`, and the text, unless the line was written just now."""
        now = self._clock()
        if now < self._next_at:
            return
        self._next_at = now + _EVERY_S
        full = int(_BAR_CHARS * done / max(total, 1))
        self._write(f"{'█' * full}{'░' * (_BAR_CHARS - full)} {text}")

    def clear(self) -> None:
        """Take the line away."""
        if self._width:
            self._write("")
            self._stream.write("\r")
            self._stream.flush()
            self._width = 0

    def _write(self, text: str) -> None:
        most = max(self._columns() - 1, 0)
        text = text[:most]
        self._stream.write(f"\r{text.ljust(min(self._width, most))}")
        self._stream.flush()
        self._width = max(self._width, len(text))
