"""Several trainings side by side: a table, and a picture of their curves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.finetuning.job import FineTuningJob
from agentkit.finetuning.jobs import afinetuning_job
from agentkit.finetuning.metrics import COLUMNS
from agentkit.finetuning.snapshot import JobSnapshot
from agentkit.runtime.background import run_blocking

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from openai import AsyncOpenAI

__all__ = ["compare_jobs", "labels_of", "plot_jobs"]

_TEXTS = ("id", "status", "model", "method")
_REWARDS = ("train_reward_accuracy", "full_valid_reward_accuracy", "train_reward_margin", "full_valid_reward_margin")


@called_as("agentkit.compare_jobs")
def compare_jobs(*jobs: FineTuningJob | str, client: AsyncOpenAI | None = None) -> pd.DataFrame:
    """Return some trainings side by side: a dataframe with a row for each, in their order.

    Args:
        jobs: Jobs or their ids.
        client: Whom to ask for those that are given by id; the connected platform when None.

    Returns:
        The index is what each is called: its suffix, or the end of its id. Columns: `id`, `status`, `model`, `method`
        (string), `epochs`, `batch_size`, `examples`, `steps` (Int64), `learning_rate_multiplier`; the last value of
        each metric that one of them has, as in `job.metrics`; `minutes` from its creation to its end (Float64);
        `trained_tokens` (Int64) and `fine_tuned_model` (string). NA where something isn't known.

    Raises:
        UserError: None is given, or there is no such job.
    """
    from agentkit.files.frames import frame_of

    seen = _seen(jobs, client)
    names = [name for name in (*COLUMNS, *_REWARDS) if any(name in each.metrics for each in seen)]
    frame = frame_of(
        {
            **{name: ("string", [getattr(each, name) for each in seen]) for name in _TEXTS},
            "epochs": ("Int64", [_number(each, "n_epochs") for each in seen]),
            "batch_size": ("Int64", [_number(each, "batch_size") for each in seen]),
            "learning_rate_multiplier": ("Float64", [_number(each, "learning_rate_multiplier") for each in seen]),
            "examples": ("Int64", [each.examples for each in seen]),
            "steps": ("Int64", [each.progress.step or None for each in seen]),
            **{name: ("Float64", [_last(each, name) for each in seen]) for name in names},
            "minutes": ("Float64", [_minutes(each) for each in seen]),
            "trained_tokens": ("Int64", [each.trained_tokens for each in seen]),
            "fine_tuned_model": ("string", [each.fine_tuned_model for each in seen]),
        },
        (),
    )
    frame.index = labels_of(seen)
    frame.index.name = "job"
    return frame


@called_as("agentkit.plot_jobs")
def plot_jobs(
    *jobs: FineTuningJob | str,
    metric: str = "train_loss",
    smooth: int = 1,
    ax: Axes | None = None,
    client: AsyncOpenAI | None = None,
) -> Axes:
    """Draw a metric of some trainings in one picture.

    Args:
        jobs: Jobs or their ids.
        metric: Which: "train_loss", "full_valid_loss" or another column of `job.metrics`.
        smooth: Steps that are averaged for a point.
        ax: Where to draw; a new figure when None.
        client: Whom to ask for those that are given by id; the connected platform when None.

    Raises:
        UserError: None is given, there is no such job, or none has the metric.
    """
    from agentkit.finetuning.plotting import plot_snapshots

    seen = _seen(jobs, client)
    return plot_snapshots(list(zip(labels_of(seen), seen, strict=True)), metric, smooth=smooth, ax=ax)


def labels_of(snapshots: Sequence[JobSnapshot]) -> list[str]:
    """Return what trainings are called beside each other: by their suffixes, and by their ids where these don't do."""
    counts = Counter(each.suffix for each in snapshots)
    return [_label(each, alone=counts[each.suffix] == 1) for each in snapshots]


def _label(snapshot: JobSnapshot, *, alone: bool) -> str:
    end = snapshot.id.removeprefix("ftjob-")[-6:]
    if not snapshot.suffix:
        return end
    return snapshot.suffix if alone else f"{snapshot.suffix} {end}"


def _seen(jobs: Sequence[Any], client: AsyncOpenAI | None) -> list[JobSnapshot]:
    given = list(jobs[0]) if len(jobs) == 1 and isinstance(jobs[0], list | tuple) else list(jobs)
    if not given:
        raise UserError("There are no jobs to compare.", hint="compare_jobs(job, …): jobs or their ids.")
    for each in given:
        if not isinstance(each, FineTuningJob | str):
            raise UserError(
                f"{brief(each)} is no job.", hint="Give jobs, or ids such as agentkit.finetuning_jobs() has."
            )

    async def look() -> list[FineTuningJob]:
        found = []
        for each in given:
            if isinstance(each, str):
                found.append(await afinetuning_job(each, client=client))
            else:
                found.append(each if each.is_over else await each.arefresh())
        return found

    return [job.snapshot(events=0) for job in run_blocking(look())]


def _number(snapshot: JobSnapshot, name: str) -> float | None:
    value = snapshot.hyperparameters.get(name)
    return value if isinstance(value, int | float) else None


def _last(snapshot: JobSnapshot, name: str) -> float | None:
    there = [value for value in snapshot.metrics.get(name, ()) if value is not None]
    return there[-1] if there else None


def _minutes(snapshot: JobSnapshot) -> float | None:
    return None if snapshot.finished_at is None else (snapshot.finished_at - snapshot.created_at) / 60
