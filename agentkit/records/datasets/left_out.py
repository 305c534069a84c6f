"""Why a run, or a part of one, is in no example."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LeftOutError", "Skipped"]


class LeftOutError(Exception):
    """Something can't become an example. Never leaves this package."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Skipped:
    """A trace, or an agent's part of one, that is in no example."""

    trace_id: str
    """The trace."""
    agent: str | None
    """Whose part; None for the whole trace."""
    reason: str
    """In a few words, the same for all that were left out for it."""
    detail: str
    """In a sentence; "" where the reason says it all."""
