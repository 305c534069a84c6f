"""What came of a training: its models, by name, and how they are deleted; or why it failed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.finetuning.failures import FineTuningError, job_errors
from agentkit.finetuning.following import Known
from agentkit.finetuning.metrics import best_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from agentkit.finetuning.job import FineTuningJob

__all__ = ["delete_job", "failure_of", "model_of", "models_of", "what_would_go"]

_NO_SUCH_REQUEST = 404, 405, 501
"""Statuses by which a server says that it forgets no jobs, as it isn't in OpenAI's API."""
_HINT_OF: Final = {
    "validating_files": "job.wait() waits for it.",
    "queued": "job.wait() waits for it.",
    "running": "job.wait() waits for it.",
    "paused": "job.resume() lets it go on.",
    "succeeded": "It was deleted.",
}


def model_of(known: Known, checkpoint: Any) -> str:
    """Return the name of a model; see `FineTuningJob.use`.

    Raises:
        UserError: There is no such model (yet).
    """
    info, there = known.info, known.checkpoints
    if checkpoint is None:
        if info.fine_tuned_model:
            return info.fine_tuned_model
        text = f"The job {info.id} has no model at its end: it is {info.status}, and {_told(known)}."
        last = 'job.use("last") is the newest of them.' if there else None
        raise UserError(text, hint=_HINT_OF.get(info.status, last))
    if checkpoint in ("best", "last") and isinstance(checkpoint, str):
        found = best_of(there) if checkpoint == "best" else (there[-1] if there else None)
        if found is not None:
            return found.model
        if info.fine_tuned_model:  # its checkpoints were deleted, or the platform keeps none
            return info.fine_tuned_model
        raise UserError(f"The job {info.id} has no checkpoints: it is {info.status}.", hint=_HINT_OF.get(info.status))
    if isinstance(checkpoint, bool) or not hasattr(checkpoint, "__index__"):
        text = f'checkpoint is a step, "best" or "last", not {brief(checkpoint)}.'
        raise UserError(text, hint="job.checkpoints has the steps.")
    for each in there:
        if each.step == checkpoint.__index__():
            return each.model
    raise UserError(f"The job {info.id} has no checkpoint of step {checkpoint}: {_told(known)}.")


def _told(known: Known) -> str:
    steps = [f"{each.step:,}" for each in known.checkpoints]
    return f"it has checkpoints of the steps {', '.join(steps)}" if steps else "it has no checkpoints"


def failure_of(job: FineTuningJob) -> FineTuningError:
    """Return the exception for a job that has failed."""
    error = job.error
    why = f"{error.message} ({error.code})" if error is not None else "The platform doesn't say why."
    known = job._known
    kept = f'What was trained so far is kept: {_told(known)}; job.use("last").' if known.checkpoints else None
    return FineTuningError(f"The job {job.id} failed: {why}", job=job, error=error, hint=kept)


def models_of(known: Known) -> list[str]:
    """Return the names of all models that came of a job: that at its end first, then its checkpoints."""
    first = [known.info.fine_tuned_model] if known.info.fine_tuned_model else []
    return list(dict.fromkeys([*first, *(each.model for each in known.checkpoints)]))


def what_would_go(known: Known, platform: str) -> str:
    """Return what a deletion takes away, for an error that asks whether that is meant.

    Raises:
        UserError: The job isn't over.
    """
    _check_over(known)
    models = models_of(known)
    told = f"the models {', '.join(models)}" if len(models) > 1 else f"the model {models[0]}" if models else ""
    if platform == "openai":
        return told or "nothing: the job has no models, and OpenAI keeps jobs"
    return f"the job {known.info.id} with its events and metrics{', and ' + told if told else ''}"


async def delete_job(client: AsyncOpenAI, known: Known, platform: str) -> None:
    """Delete the models that came of a job, and the job where the platform can forget one: OpenAI can't.

    Raises:
        UserError: The job isn't over, or the platform refuses.
    """
    import openai

    _check_over(known)
    if platform != "openai":
        try:
            with job_errors(client, f"Deleting the fine-tuning job {known.info.id!r}"):
                await client.delete(f"/fine_tuning/jobs/{known.info.id}", cast_to=object)
            return
        except openai.APIStatusError as error:
            if error.status_code not in _NO_SUCH_REQUEST:
                raise
    for name in models_of(known):
        with contextlib.suppress(openai.NotFoundError), job_errors(client, f"Deleting the model {name!r}"):
            await client.models.delete(name)


def _check_over(known: Known) -> None:
    if not known.info.is_over:
        text = f"The job {known.info.id} is {known.info.status}, and can't be deleted."
        raise UserError(text, hint="job.cancel() ends it.")
