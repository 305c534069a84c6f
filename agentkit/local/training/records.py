"""What is kept of a fine-tuning job, of its events and checkpoints, and of the models that came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

__all__ = [
    "OVER",
    "Checkpoint",
    "EventLevel",
    "EventType",
    "Job",
    "JobEvent",
    "JobStatus",
    "TrainedModel",
    "Wanted",
]

JobStatus = Literal["validating_files", "queued", "running", "paused", "succeeded", "failed", "cancelled"]
OVER: frozenset[JobStatus] = frozenset({"succeeded", "failed", "cancelled"})
"""What no job leaves."""
Wanted = Literal["", "pause", "cancel"]
EventLevel = Literal["info", "warn", "error"]
EventType = Literal["message", "metrics"]


@dataclass(frozen=True, slots=True)
class Job:
    """A job, as it stands."""

    id: str
    """`ftjob-…`"""
    created_at: int
    """Unix time in seconds."""
    status: JobStatus
    wanted: Wanted
    """What somebody asked of the worker, which it has not done yet."""
    worker: str
    """The process that works on it, as `agentkit._process.this_process` describes it; "" for none."""
    heartbeat: float
    """Unix time at which the worker was last heard of."""
    starts: int
    """How often a worker was started for it."""
    request: dict[str, Any]
    """What was asked for, checked: `model`, `method` (with its `type` and that type's `hyperparameters`, "auto" where
    they were not given), `training_file`, `validation_file`, `suffix` (as it may stand in a name; `given_suffix` is
    what was given), `seed`, `integrations`, `metadata`."""
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    """Those that the worker settled on: without "auto"."""
    error: dict[str, Any] | None = None
    """`code`, `message` and `param` of a failed job."""
    fine_tuned_model: str | None = None
    finished_at: int | None = None
    estimated_finish: int | None = None
    """Unix time in seconds, while it runs."""
    trained_tokens: int | None = None
    result_files: list[str] = field(default_factory=list)
    """Ids of files."""
    step: int = 0
    """Optimizer steps done."""
    total_steps: int | None = None
    furthest: int = 0
    """The furthest step that was done when the current worker was started."""
    tries: int = 0
    """Workers that were started since the job was made or resumed."""


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened."""

    id: str
    """`ftevent-…`"""
    job_id: str
    created_at: int
    level: EventLevel
    type: EventType
    message: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model on the way."""

    id: str
    """`ftckpt_…`"""
    job_id: str
    created_at: int
    step: int
    model: str
    """The name that it answers to: `ft:…:ckpt-step-N`."""
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model that can be asked, or trained further."""

    name: str
    """`ft:<base>:agentkit:<suffix>:<id>`, of a checkpoint with `:ckpt-step-N` at its end."""
    folder: Path
    """A Hugging Face model folder, with its tokenizer; of a LoRA, the adapter's, which names its base."""
    job_id: str
    created_at: int
