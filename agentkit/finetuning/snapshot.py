"""A job at a moment, as plain values: what a view of it needs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentkit.finetuning.asking import JobCheckpoint, JobError, JobEvent
from agentkit.finetuning.following import Known, Progress, seconds_left
from agentkit.finetuning.metrics import columns_of

__all__ = ["JobSnapshot", "snapshot_of"]


@dataclass(frozen=True, slots=True, repr=False)
class JobSnapshot:
    """A job at the moment at which it was last looked at."""

    id: str
    """Its id: "ftjob-…"."""
    status: str
    """"validating_files", "queued", "running", "paused", "succeeded", "failed" or "cancelled"."""
    is_over: bool
    """Whether it has succeeded, failed or been cancelled."""
    platform: str
    """Who trains: "openai", "embedded", or a server's host."""
    model: str
    """The model that it starts from."""
    method: str
    """"sft", "dpo", or what else the platform calls it."""
    fine_tuned_model: str | None
    """The model that came of it."""
    suffix: str | None
    """What was put into its name."""
    hyperparameters: Mapping[str, Any]
    """Those that the platform tells, "auto" among them until it has settled on numbers."""
    seed: int | None
    examples: int | None
    """Training examples, where `agentkit.finetune` has noted them."""
    progress: Progress
    """Steps done, steps in all, and `share`, 0 to 1."""
    seconds_left: float | None
    """How long it will still take; None where it isn't running, or nobody can tell."""
    created_at: int
    """In seconds since 1970, as all times."""
    finished_at: int | None
    trained_tokens: int | None
    metrics: Mapping[str, tuple[float | None, ...]]
    """The metrics as columns, "step" the first; None where a step has none. Metrics that no step has are left out."""
    events: tuple[JobEvent, ...]
    """The last events, oldest first."""
    event_count: int
    """Events that are known, these among them."""
    checkpoints: tuple[JobCheckpoint, ...]
    """Checkpoints that are kept, by steps."""
    error: JobError | None
    """Why it failed."""
    metadata: Mapping[str, str]
    """What the user noted."""
    wandb: Mapping[str, Any] | None
    """The W&B project that it tells."""

    @property
    def is_working(self) -> bool:
        """Whether something may still happen without anybody's doing: it isn't over, and isn't paused."""
        return not self.is_over and self.status != "paused"

    def __repr__(self) -> str:
        step, total = self.progress
        far = f", step {step:,}" + (f" of {total:,}" if total else "") if step else ""
        return f"JobSnapshot({self.id!r}, {self.status}{far})"


def snapshot_of(known: Known, platform: str, *, events: int, now: float | None = None) -> JobSnapshot:
    """Return a job as it is known.

    Args:
        known: What is known of it.
        platform: Who trains.
        events: Events that it has at most.
        now: Seconds since 1970; None for now.
    """
    info, rows = known.info, known.rows
    metrics: dict[str, tuple[float | None, ...]] = {"step": tuple(rows)}
    for name in columns_of(rows.values()):
        column = tuple(row.get(name) for row in rows.values())
        if any(value is not None for value in column):
            metrics[name] = column
    return JobSnapshot(
        id=info.id,
        status=info.status,
        is_over=info.is_over,
        platform=platform,
        model=info.model,
        method=info.method,
        fine_tuned_model=info.fine_tuned_model,
        suffix=info.suffix,
        hyperparameters=dict(info.hyperparameters),
        seed=info.seed,
        examples=info.noted("examples"),
        progress=known.progress,
        seconds_left=seconds_left(known, time.time() if now is None else now),
        created_at=info.created_at,
        finished_at=info.finished_at,
        trained_tokens=info.trained_tokens,
        metrics=metrics,
        events=known.events[-events:] if events else (),
        event_count=len(known.events),
        checkpoints=known.checkpoints,
        error=info.error,
        metadata=info.own_metadata,
        wandb=info.wandb,
    )
