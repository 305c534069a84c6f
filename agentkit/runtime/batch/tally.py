"""What came of each row so far, and what that adds up to."""

from __future__ import annotations

import time
from collections import Counter

from agentkit.runtime.batch.outcome import BatchProgress, Outcome, RowStatus

__all__ = ["Tally"]


class Tally:
    """Keeps count of a batch's rows.

    Args:
        rows: How many there are.
    """

    def __init__(self, rows: int) -> None:
        self.outcomes: list[Outcome | None] = [None] * rows
        """What came of each row; None where nothing has."""
        self.running = 0
        """Rows under way."""
        self._counts: Counter[RowStatus] = Counter()
        self._reused = self._sent = self._received = 0
        self._cost_usd = 0.0
        self._last_error = ""
        self._began = time.monotonic()

    def begin(self) -> None:
        """Take the time from now on."""
        self._began = time.monotonic()

    def note(self, index: int, outcome: Outcome) -> None:
        """Take note of what came of a row."""
        self.outcomes[index] = outcome
        self._counts[outcome.status] += 1
        self._reused += outcome.reused
        self._sent += outcome.input_tokens or 0
        self._received += outcome.output_tokens or 0
        self._cost_usd += outcome.cost_usd or 0.0
        if outcome.status in ("failed", "waiting"):
            self._last_error = outcome.error or ""

    @property
    def has_answers(self) -> bool:
        """Whether a row that was asked this time has its answer."""
        return self._counts["ok"] > self._reused

    def progress(self) -> BatchProgress:
        """Return how far the batch has come."""
        counts = self._counts
        return BatchProgress(
            rows=len(self.outcomes),
            ok=counts["ok"],
            failed=counts["failed"] + counts["waiting"],
            skipped=counts["skipped"],
            running=self.running,
            reused=self._reused,
            input_tokens=self._sent,
            output_tokens=self._received,
            cost_usd=self._cost_usd,
            elapsed_s=time.monotonic() - self._began,
            last_error=self._last_error,
        )
