"""What came of a row, and how far a batch has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["BatchProgress", "Outcome", "RowStatus"]

RowStatus = Literal["ok", "failed", "waiting", "skipped", "cancelled"]
"""How a row ended: with an answer; with an error; at a call that needs approval; not asked, since the budget is spent
or a value is missing; or stopped."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a row."""

    status: RowStatus
    """How it ended."""
    answer: str | None = None
    """The answer as JSON; None where there is none."""
    error: str | None = None
    """Why there is no answer."""
    trace_id: str | None = None
    """Id of the run's trace; None where it left none."""
    input_tokens: int | None = None
    """Tokens sent; None where nothing was."""
    output_tokens: int | None = None
    """Tokens received."""
    cost_usd: float | None = None
    """What they cost at list price; None where that isn't known."""
    duration_s: float | None = None
    """Seconds that the run took."""
    reused: bool = False
    """Whether it was asked by an earlier run of the batch."""


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a batch has come."""

    rows: int
    """Rows in all."""
    ok: int = 0
    """Rows with an answer, those of earlier runs included."""
    failed: int = 0
    """Rows without one that were asked, or can't be."""
    skipped: int = 0
    """Rows that aren't asked."""
    running: int = 0
    """Rows under way."""
    reused: int = 0
    """Rows whose answer is from an earlier run of the batch."""
    input_tokens: int = 0
    """Tokens sent, for all rows that are over."""
    output_tokens: int = 0
    """Tokens received."""
    cost_usd: float = 0.0
    """What they cost, as far as prices are known."""
    elapsed_s: float = 0.0
    """Seconds since the batch began."""
    last_error: str = ""
    """Why the last row that failed did so; "" where none has."""

    @property
    def done(self) -> int:
        """Rows that are over."""
        return self.ok + self.failed + self.skipped

    @property
    def asked(self) -> int:
        """Rows that were asked and are over, this time."""
        return self.ok + self.failed - self.reused

    @property
    def remaining_s(self) -> float | None:
        """Seconds until all rows are over, at the pace so far; None before the first one is."""
        return self.elapsed_s / self.asked * (self.rows - self.done) if self.asked else None
