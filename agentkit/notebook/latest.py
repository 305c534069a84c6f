"""What the notebook asked last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentkit.runtime import RunResultBase

__all__ = ["Latest", "last_error", "last_run", "latest"]


@dataclass(slots=True)
class Latest:
    """The last run that a magic made, and how it went."""

    run: RunResultBase | None = None
    """Its result, complete or not."""
    error: Exception | None = None
    """The error of the last run that failed."""
    shown: tuple[RunResultBase, int] | None = None
    """The result whose output is in a cell already, and the cell's execution count: not to be shown there again."""

    def take_shown(self, result: RunResultBase, execution_count: int) -> bool:
        """Tell whether this cell shows `result` already. Says so once: who displays it again wants to see it."""
        if self.shown is None or self.shown[0] is not result or self.shown[1] != execution_count:
            return False
        self.shown = None
        return True


latest = Latest()


def last_run() -> RunResultBase:
    """Return the result of the last run that `%ask` or `%%ask` made, stopped and failed ones included.

    Raises:
        LookupError: There was none.
    """
    if latest.run is None:
        raise LookupError("Nothing has been asked yet: no %ask or %%ask has run.")
    return latest.run


def last_error() -> Exception | None:
    """Return the exception that ended the last run that failed, with its whole chain; None where none has."""
    return latest.error
