"""Trained models and checkpoints as `/v1/models` has them, and who needs one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentkit.local.errors import ApiError, quoted_list
from agentkit.local.training.bases import base_of_adapter
from agentkit.local.training.records import OVER, TrainedModel
from agentkit.local.training.store import JobStore

__all__ = ["check_unneeded", "delete_model", "finished_models", "model_object"]


def finished_models(jobs: JobStore) -> list[TrainedModel]:
    """Return the models that came of jobs, oldest first; neither checkpoints nor those whose folders are gone."""
    return [model for model in jobs.models() if ":ckpt-step-" not in model.name and model.folder.is_dir()]


def model_object(model: TrainedModel) -> dict[str, Any]:
    """Return a trained model or a checkpoint as the API gives it."""
    return {
        "id": model.name,
        "object": "model",
        "created": model.created_at,
        "owned_by": "agentkit",
        "shutdown_date": None,
    }


def delete_model(jobs: JobStore, model: TrainedModel) -> None:
    """Delete a model, or a checkpoint.

    Raises:
        ApiError: Somebody needs it.
    """
    job = jobs.get(model.job_id)
    if job is not None and job.status not in OVER:
        message = (
            f"'{model.name}' belongs to the fine-tuning job {job.id}, which is not over (its status is "
            f"'{job.status}'). Cancel the job first."
        )
        raise ApiError(message, param="model", code="model_in_use")
    check_unneeded(jobs, [model])
    jobs.delete_model(model.name)


def check_unneeded(jobs: JobStore, models: Sequence[TrainedModel]) -> None:
    """Check that no job is about to train some models further, and that none that stays is an adapter of theirs.

    Raises:
        ApiError: One is needed.
    """
    names = {model.name for model in models}
    for job in jobs.unfinished():
        if (name := job.request["model"]) in names:
            message = f"The fine-tuning job {job.id} trains '{name}' further, and is not over. Cancel that job first."
            raise ApiError(message, param="model", code="model_in_use")
    stay = [model for model in jobs.models() if model.name not in names]
    for model in models:
        if any(each.folder == model.folder for each in stay):
            continue  # its files stay
        if needing := [other.name for other in stay if _is_adapter_of(other, model)]:
            message = (
                f"'{model.name}' is needed by {quoted_list(needing)}: they hold only what their training has changed "
                "of it. Delete them first."
            )
            raise ApiError(message, param="model", code="model_in_use")


def _is_adapter_of(other: TrainedModel, model: TrainedModel) -> bool:
    """Return whether a model is an adapter that names another as its base; the trainer gives each a base of its own."""
    try:
        base = base_of_adapter(other.folder)
    except (OSError, ValueError):
        return False  # a whole model
    return base == model.name or Path(base) == model.folder
