"""A job that is followed: what is known of it grows by what is new, with a request or two for each look."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from agentkit.exceptions import ModelServerError
from agentkit.finetuning import asking
from agentkit.finetuning.asking import JobCheckpoint, JobEvent, JobInfo
from agentkit.finetuning.metrics import TOTAL_STEPS, Rows, read_results, rows_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["Known", "Pace", "Progress", "first_look", "looked_again", "seconds_left"]

MOST_EVENTS: Final = 3_000
"""Events that the first look reads; older ones stay on the platform. Its metrics come from the result file then."""
_QUIET: Final = frozenset({"validating_files", "queued"})
"""Statuses in which there can't be checkpoints."""
_FAILURES: Final = 20
"""Looks one after the other that may fail while a job is watched."""


class Progress(NamedTuple):
    """How far a training is."""

    step: int
    """Steps done."""
    total: int | None
    """Steps in all; None where that isn't known yet."""

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return min(1.0, self.step / self.total) if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a job since it was last looked at."""

    info: JobInfo
    """What the platform tells of it."""
    asked_at: float = 0.0
    """When that look began, in seconds of the monotonic clock: a later look counts more."""
    events: tuple[JobEvent, ...] = ()
    """Its events, oldest first."""
    is_whole: bool = True
    """Whether these are all there are."""
    ids: frozenset[str] = frozenset()
    """Their ids."""
    rows: Rows = field(default_factory=dict)
    """Metrics by steps."""
    checkpoints: tuple[JobCheckpoint, ...] = ()
    """Checkpoints that are kept, by steps."""

    @property
    def progress(self) -> Progress:
        """How far the training is."""
        if not self.rows:
            return Progress(0, None)
        last = max(self.rows)
        total = self.rows[last].get(TOTAL_STEPS)
        return Progress(last, int(total) if total else None)


async def first_look(client: AsyncOpenAI, info: JobInfo) -> Known:
    """Return all that is to be known of a job of which the platform has told `info` just now."""
    return await _with_details(client, Known(info, time.monotonic()), None)


async def looked_again(client: AsyncOpenAI, known: Known) -> Known:
    """Return what is known of a job after another look.

    Raises:
        UserError: The job is gone.
    """
    asked_at = time.monotonic()
    info = await asking.looked_at(client, known.info.id)
    return await _with_details(client, replace(known, info=info, asked_at=asked_at), known)


async def _with_details(client: AsyncOpenAI, known: Known, before: Known | None) -> Known:
    """Return the same with new events and, where there may be others, checkpoints; once it is over, with its results.

    The job's own state was asked first: what belongs to a job that is over has been told by then.
    """
    new, unbroken = await asking.newer_events(client, known.info.id, known.ids, most=MOST_EVENTS)
    if new:
        known = replace(
            known,
            events=(*known.events, *new),
            ids=known.ids | {each.id for each in new},
            rows=rows_of(new, known.rows),
            is_whole=known.is_whole and unbroken,
        )
    status = known.info.status
    changed = before is None or before.info.status != status
    if status not in _QUIET and (changed or any("checkpoint" in each.message.lower() for each in new)):
        known = replace(known, checkpoints=tuple(await asking.checkpoints_of(client, known.info.id)))
    if changed and known.info.is_over and known.info.result_files and not (known.rows and known.is_whole):
        results = await read_results(client, known.info.result_files[0])
        known = replace(known, rows=rows_of((), {**results, **known.rows}))
    return known


def seconds_left(known: Known, now: float) -> float | None:
    """Return how long a training will still take: by the platform's estimate, or by the pace of its steps.

    Args:
        known: What is known of it.
        now: Seconds since 1970.

    Returns:
        Seconds; None where it isn't running, or nobody can tell.
    """
    if known.info.status != "running":
        return None
    if known.info.estimated_finish:
        return max(0.0, known.info.estimated_finish - now)
    steps = [(each.created_at, int(each.data["step"])) for each in known.events if "step" in each.data]
    total = known.progress.total
    if total is None or len(steps) < 2 or steps[-1][1] <= steps[0][1]:
        return None
    each_s = (steps[-1][0] - steps[0][0]) / (steps[-1][1] - steps[0][1])
    return max(0.0, steps[-1][0] + each_s * (total - steps[-1][1]) - now)


class Pace:
    """When to look again: soon after something has happened, later and later while nothing does.

    Args:
        near: Whether the platform is in this process, where a look costs next to nothing.
    """

    def __init__(self, *, near: bool) -> None:
        self._first_s, self._longest_s = (0.2, 1.0) if near else (2.0, 15.0)
        self._pause_s = self._first_s
        self._failures = 0

    def next_s(self, *, moved: bool) -> float:
        """Return how many seconds to wait.

        Args:
            moved: Whether the last look found anything new.
        """
        self._pause_s = self._first_s if moved else min(self._pause_s * 1.5, self._longest_s)
        return self._pause_s

    def answered(self) -> None:
        """Note that the platform has answered."""
        self._failures = 0

    def bears(self, error: ModelServerError) -> bool:
        """Return whether to look again after a look that failed: trainings take hours, networks fail for minutes."""
        status = getattr(error, "status_code", None)
        self._failures += 1
        return self._failures <= _FAILURES and (status is None or status in (408, 409, 429) or status >= 500)
