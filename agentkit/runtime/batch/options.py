"""How a batch is to go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.runtime.batch.prompts import Missing
from agentkit.runtime.run_config import DEFAULT_MAX_TURNS, RunConfig

if TYPE_CHECKING:
    from agentkit.runtime.hooks import RunHooks

__all__ = ["DEFAULT_CONCURRENCY", "BatchOptions"]

DEFAULT_CONCURRENCY = 8
"""Rows that are asked at the same time unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How a batch is to go. `run_over` says what each means."""

    context: Any = None
    """Object for the agent's tools, the same in all runs."""
    run_config: RunConfig | None = None
    """Settings of each run."""
    max_turns: int | None = DEFAULT_MAX_TURNS
    """Model calls that a row's run may make."""
    hooks: RunHooks[Any] | None = None
    """Called at the events of each run."""
    concurrency: int = DEFAULT_CONCURRENCY
    """Rows that are asked at the same time."""
    budget_usd: float | None = None
    """Dollars that the batch may cost, in all its runs."""
    budget_tokens: int | None = None
    """Tokens that it may use, likewise."""
    missing: Missing = "empty"
    """What becomes of rows in which a value is missing."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    """What places of the template may name besides columns."""
    approve: bool | None = None
    """Whether calls that need approval are approved; None leaves such rows waiting."""
    name: str | None = None
    """What finished rows are kept under; the notebook's or script's file when None."""
    resume: bool = True
    """Whether finished rows are kept, and taken from an earlier run of the batch."""
    afresh: bool = False
    """Whether the rows of earlier runs are forgotten first."""

    def __post_init__(self) -> None:
        _check_count("concurrency", self.concurrency)
        for name in ("budget_usd", "budget_tokens"):
            limit = getattr(self, name)
            if limit is not None and (isinstance(limit, bool) or not isinstance(limit, (int, float)) or limit < 0):
                raise UserError(f"{name} has to be a number of 0 or more, not {limit!r}.")
        if self.missing not in ("empty", "skip", "fail"):
            raise UserError(f"missing can't be {self.missing!r}.", hint='Use "empty", "skip" or "fail".')


def _check_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UserError(f"{name} has to be a whole number of 1 or more, not {value!r}.")
