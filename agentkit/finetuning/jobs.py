"""Fine-tuning jobs of the platform: opened by their ids, and listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentkit._called_as import called_as
from agentkit._repr import brief
from agentkit.backend import Backend, current_backend
from agentkit.exceptions import UserError
from agentkit.finetuning import asking
from agentkit.finetuning.asking import JobInfo
from agentkit.finetuning.job import FineTuningJob
from agentkit.runtime.background import run_blocking

if TYPE_CHECKING:
    import pandas as pd
    from openai import AsyncOpenAI

__all__ = ["afinetuning_job", "afinetuning_jobs", "backend_of", "finetuning_job", "finetuning_jobs"]


@called_as("agentkit.finetuning_job")
def finetuning_job(job_id: str, *, client: AsyncOpenAI | None = None) -> FineTuningJob:
    """Return a job that there is, in whichever process it was started.

    Args:
        job_id: Its id: "ftjob-…".
        client: Whom to ask; the connected platform when None.

    Raises:
        UserError: There is no such job, or the platform has no fine-tuning.
    """
    return run_blocking(afinetuning_job(job_id, client=client))


@called_as("agentkit.afinetuning_job")
async def afinetuning_job(job_id: str, *, client: AsyncOpenAI | None = None) -> FineTuningJob:
    """Return a job that there is, for async code. Arguments and errors as for `finetuning_job`."""
    if not isinstance(job_id, str) or not job_id.strip():
        raise UserError(f"A fine-tuning job is opened by its id, not by {brief(job_id)}.", hint=asking.LIST_HINT)
    backend = backend_of(client)
    return await FineTuningJob.opened(backend, await asking.looked_at(backend.client, job_id.strip()))


@called_as("agentkit.finetuning_jobs")
def finetuning_jobs(*, limit: int = 100, client: AsyncOpenAI | None = None) -> pd.DataFrame:
    """Return the newest jobs, newest first: a dataframe with a row for each.

    Args:
        limit: How many at most.
        client: Whom to ask; the connected platform when None.

    Returns:
        Columns: `id`, `status`, `model`, `method`, `suffix`, `fine_tuned_model` (string), `created_at`, `finished_at`
        (UTC), `trained_tokens` (Int64) and `error` (string, NA where there is none).

    Raises:
        UserError: `limit` is no number from 1 on, or the platform has no fine-tuning.
    """
    return run_blocking(afinetuning_jobs(limit=limit, client=client))


@called_as("agentkit.afinetuning_jobs")
async def afinetuning_jobs(*, limit: int = 100, client: AsyncOpenAI | None = None) -> pd.DataFrame:
    """Return the newest jobs, for async code. Arguments, columns and errors as for `finetuning_jobs`."""
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise UserError(f"limit is a whole number from 1 on, not {brief(limit)}.")
    return _frame(await asking.listed(backend_of(client).client, limit))


def _frame(infos: list[JobInfo]) -> pd.DataFrame:
    from agentkit.files.frames import frame_of

    errors = [None if each.error is None else each.error.message or each.error.code for each in infos]
    texts = ("id", "status", "model", "method", "suffix", "fine_tuned_model")
    return frame_of(
        {
            **{name: ("string", [getattr(each, name) for each in infos]) for name in texts},
            "created_at": ("time", [each.created_at for each in infos]),
            "finished_at": ("time", [each.finished_at for each in infos]),
            "trained_tokens": ("Int64", [each.trained_tokens for each in infos]),
            "error": ("string", errors),
        },
        (),
    )


def backend_of(client: AsyncOpenAI | None) -> Backend:
    """Return the platform that a client speaks to; the connected one for None."""
    return current_backend() if client is None else Backend.for_client(client)
