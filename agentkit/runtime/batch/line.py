"""How far a batch has come, in one line of text; in a terminal, one that is written over."""

from __future__ import annotations

from agentkit._terminal_line import BarLine
from agentkit.runtime.batch.outcome import BatchProgress

__all__ = ["ProgressLine", "progress_text"]


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


class ProgressLine(BarLine):
    """Writes a batch's progress over and over in one line of a terminal, at most four times a second."""

    def show(self, progress: BatchProgress) -> None:
        """Write it, unless it was written just now."""
        self.draw(progress.done, progress.rows, progress_text(progress))
