"""What a platform is asked of fine-tuning jobs, and its answers as plain values."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeGuard

from agentkit.finetuning.failures import job_errors
from agentkit.local.training.records import OVER

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = [
    "LIST_HINT",
    "METHOD_NAMES",
    "JobCheckpoint",
    "JobError",
    "JobEvent",
    "JobInfo",
    "acted",
    "checkpoints_of",
    "created",
    "is_metric",
    "job_info",
    "listed",
    "looked_at",
    "newer_events",
]

LIST_HINT: Final = "agentkit.finetuning_jobs() lists those there are."
METHOD_NAMES: Final = {"supervised": "sft", "dpo": "dpo", "reinforcement": "reinforcement"}
"""Methods by the platform's names, and what they are called here."""
_PAGE: Final = 100
_FEW: Final = 20
"""Events that are asked for where most are known."""
_OUR_METADATA: Final = "agentkit_"


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed."""

    code: str
    """What the platform calls it, such as "invalid_training_file" or "out_of_memory"."""
    message: str
    """What happened, and what to do."""
    param: str | None = None
    """Which argument was wrong; None where it was none of them."""


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened."""

    id: str
    """Its id."""
    created_at: int
    """When, in seconds since 1970."""
    level: str
    """"info", "warn" or "error"."""
    message: str
    """What happened, in a line."""
    type: str
    """"message", or "metrics" where `data` has some."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """Numbers that belong to it."""


@dataclass(frozen=True, slots=True)
class JobCheckpoint:
    """A model on the way."""

    step: int
    """After which step it was kept."""
    model: str
    """The name that it answers to."""
    created_at: int
    """When, in seconds since 1970."""
    metrics: Mapping[str, float]
    """The metrics of the step, those that there are."""

    @property
    def valid_loss(self) -> float | None:
        """The loss on the validation data: on all of it where that is known."""
        found = self.metrics.get("full_valid_loss")
        return self.metrics.get("valid_loss") if found is None else found


@dataclass(frozen=True, slots=True)
class JobInfo:
    """What the platform tells of a job."""

    id: str
    """Its id: "ftjob-…"."""
    status: str
    """"validating_files", "queued", "running", "paused", "succeeded", "failed" or "cancelled"."""
    model: str
    """The model that it starts from."""
    method: Literal["sft", "dpo", "reinforcement"] | str
    """How it trains."""
    created_at: int
    """In seconds since 1970, as all times."""
    fine_tuned_model: str | None = None
    """The model that came of it."""
    finished_at: int | None = None
    estimated_finish: int | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    """Those that the platform tells, "auto" among them until it has settled on numbers."""
    seed: int | None = None
    suffix: str | None = None
    """What was put into the model's name."""
    trained_tokens: int | None = None
    training_file: str = ""
    """Id of the file."""
    validation_file: str | None = None
    result_files: tuple[str, ...] = ()
    error: JobError | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    wandb: Mapping[str, Any] | None = None
    """The W&B project that it tells, with `name`, `entity` and `tags` where they were given."""

    @property
    def is_over(self) -> bool:
        """Whether it has succeeded, failed or been cancelled."""
        return self.status in OVER

    @property
    def own_metadata(self) -> dict[str, str]:
        """The metadata that the user gave."""
        return {key: value for key, value in self.metadata.items() if not key.startswith(_OUR_METADATA)}

    def noted(self, name: str) -> int | None:
        """Return a number that `agentkit.finetune` noted in the metadata; None where it didn't."""
        text = self.metadata.get(f"{_OUR_METADATA}{name}", "")
        return int(text) if text.isascii() and text.isdigit() else None


async def looked_at(client: AsyncOpenAI, job_id: str) -> JobInfo:
    """Return what the platform tells of a job now.

    Raises:
        UserError: There is no such job, or the platform has no fine-tuning.
    """
    with job_errors(client, f"Opening the fine-tuning job {job_id!r}", hint=LIST_HINT):
        return job_info(await client.fine_tuning.jobs.retrieve(job_id))


async def created(client: AsyncOpenAI, body: Mapping[str, Any]) -> JobInfo:
    """Make a job, and return what the platform tells of it.

    Raises:
        UserError: The platform refuses, or trains nothing for this organisation.
    """
    with job_errors(client, "Starting the fine-tuning"):
        return job_info(await client.fine_tuning.jobs.create(**body))


async def listed(client: AsyncOpenAI, limit: int) -> list[JobInfo]:
    """Return the newest jobs, newest first.

    Args:
        client: Whom to ask.
        limit: How many at most.

    Raises:
        UserError: The platform has no fine-tuning.
    """
    found: dict[str, JobInfo] = {}
    with job_errors(client, "Listing the fine-tuning jobs", names_one=False):
        page = await client.fine_tuning.jobs.list(limit=min(limit, _PAGE))
        while True:
            new = [each for each in page.data if each.id not in found]
            found.update({each.id: job_info(each) for each in new})
            if not new or len(found) >= limit or not page.has_next_page():
                return list(found.values())[:limit]
            page = await page.get_next_page()


async def acted(client: AsyncOpenAI, job_id: str, action: Literal["cancel", "pause", "resume"]) -> JobInfo:
    """Cancel, pause or resume a job, and return what the platform tells of it then.

    Raises:
        UserError: There is no such job, or its status doesn't allow that.
    """
    jobs = client.fine_tuning.jobs
    do = {"cancel": jobs.cancel, "pause": jobs.pause, "resume": jobs.resume}[action]
    doing = {"cancel": "Cancelling", "pause": "Pausing", "resume": "Resuming"}[action]
    with job_errors(client, f"{doing} the fine-tuning job {job_id!r}"):
        return job_info(await do(job_id))


async def newer_events(
    client: AsyncOpenAI, job_id: str, known: Collection[str], *, most: int
) -> tuple[list[JobEvent], bool]:
    """Return the events that aren't known yet, oldest first, and whether none between these and the known is missing.

    A platform lists the newest first, so that one request is enough where few are new.

    Args:
        client: Whom to ask.
        job_id: The job.
        known: Ids of events that are known.
        most: Events that are read at most.
    """
    found: dict[str, JobEvent] = {}
    with job_errors(client, f"Reading the events of {job_id!r}", hint=LIST_HINT):
        page = await client.fine_tuning.jobs.list_events(job_id, limit=_FEW if known else _PAGE)
        while True:
            before = len(found)
            for told in page.data:
                if told.id in known:
                    return _oldest_first(found), True
                found[told.id] = _event(told)
            if len(found) == before or not page.has_next_page():
                return _oldest_first(found), True
            if len(found) >= most:
                return _oldest_first(found), False
            page = await client.fine_tuning.jobs.list_events(job_id, after=page.data[-1].id, limit=_PAGE)


def _oldest_first(found: Mapping[str, JobEvent]) -> list[JobEvent]:
    return list(found.values())[::-1]


async def checkpoints_of(client: AsyncOpenAI, job_id: str) -> list[JobCheckpoint]:
    """Return the checkpoints of a job that are kept, by their steps."""
    with job_errors(client, f"Reading the checkpoints of {job_id!r}", hint=LIST_HINT):
        page = await client.fine_tuning.jobs.checkpoints.list(job_id, limit=_PAGE)
    return sorted(map(_checkpoint, page.data), key=lambda each: each.step)


def job_info(told: Any) -> JobInfo:
    """Return a job as the client tells of it; servers leave out or add what they like."""
    method = getattr(told, "method", None)
    kind = getattr(method, "type", None) or "supervised"
    integrations = getattr(told, "integrations", None) or []
    wandb = next((each.wandb for each in integrations if getattr(each, "type", "") == "wandb"), None)
    return JobInfo(
        id=told.id,
        status=str(told.status),
        model=told.model,
        method=METHOD_NAMES.get(kind, str(kind)),
        created_at=told.created_at,
        fine_tuned_model=told.fine_tuned_model,
        finished_at=told.finished_at,
        estimated_finish=getattr(told, "estimated_finish", None),
        hyperparameters=_hyperparameters(told, getattr(method, str(kind), None)),
        seed=getattr(told, "seed", None),
        suffix=getattr(told, "user_provided_suffix", None) or _suffix_in(told.fine_tuned_model),
        trained_tokens=getattr(told, "trained_tokens", None),
        training_file=getattr(told, "training_file", None) or "",
        validation_file=getattr(told, "validation_file", None),
        result_files=tuple(getattr(told, "result_files", None) or ()),
        error=_error(getattr(told, "error", None)),
        metadata=dict(getattr(told, "metadata", None) or {}),
        wandb=None if wandb is None else {key: value for key, value in _plain(wandb).items() if value},
    )


def _hyperparameters(told: Any, method: Any) -> dict[str, Any]:
    """Return them from where they are: jobs by DPO have them in the method alone, and null at the top."""
    found: dict[str, Any] = {}
    for source in (getattr(method, "hyperparameters", None), getattr(told, "hyperparameters", None)):
        for name, value in _plain(source).items():
            if value is not None and (value != "auto" or name not in found):
                found[name] = value
    return found


def _plain(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    return value.model_dump() if hasattr(value, "model_dump") else {}


def _error(told: Any) -> JobError | None:
    """Return why it failed; where it didn't, some servers send an object without anything in it."""
    error = _plain(told)
    if not error.get("code") and not error.get("message"):
        return None
    return JobError(str(error.get("code") or "error"), str(error.get("message") or ""), error.get("param"))


def _suffix_in(model: str | None) -> str | None:
    """Return the suffix in a model's name: "ft:gpt-4.1-mini-2025-04-14:org:suffix:id"."""
    parts = (model or "").split(":")
    return parts[3] or None if len(parts) >= 5 and parts[0] == "ft" else None


def _event(told: Any) -> JobEvent:
    data = getattr(told, "data", None)
    return JobEvent(
        id=told.id,
        created_at=told.created_at,
        level=str(told.level),
        message=str(told.message),
        type=str(getattr(told, "type", None) or "message"),
        data=_plain(data),
    )


def _checkpoint(told: Any) -> JobCheckpoint:
    metrics = {name: float(value) for name, value in _plain(told.metrics).items() if is_metric(value)}
    return JobCheckpoint(told.step_number, told.fine_tuned_model_checkpoint, told.created_at, metrics)


def is_metric(value: Any) -> TypeGuard[float]:
    """Return whether a value is a number that can be drawn."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
