"""How far a batch has come, in one line of text; in a terminal, one that is written over."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import TextIO

from agentkit.runtime.batch.outcome import BatchProgress

__all__ = ["ProgressLine", "progress_text"]

_BAR_CHARS = 20
_EVERY_S = 0.25


def progress_text(progress: BatchProgress) -> str:
    """Return where a batch stands: `40 of 100 · 2 failed · $0.0132 · 25 s left`."""
    parts = [f"{progress.done:,} of {progress.rows:,}"]
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if progress.reused:
        parts.append(f"{progress.reused:,} done before")
    if progress.cost_usd:
        parts.append(f"${progress.cost_usd:.4f}" if progress.cost_usd >= 0.00005 else "under $0.0001")
    if progress.remaining_s and progress.done < progress.rows:
        parts.append(f"{_duration(progress.remaining_s)} left")
    return " · ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{max(seconds, 1):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"


class ProgressLine:
    """Writes a batch's progress over and over in one line of a terminal, at most four times a second.

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

    def show(self, progress: BatchProgress) -> None:
        """Write it, unless it was written just now."""
        now = self._clock()
        if now < self._next_at:
            return
        self._next_at = now + _EVERY_S
        full = _BAR_CHARS * progress.done // max(progress.rows, 1)
        self._write(f"{'█' * full}{'░' * (_BAR_CHARS - full)} {progress_text(progress)}")

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
