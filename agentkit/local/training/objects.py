"""Fine-tuning jobs, their events and checkpoints as the API gives them."""

from __future__ import annotations

from typing import Any

from agentkit.local.training.records import OVER, Checkpoint, Job, JobEvent

__all__ = ["checkpoint_object", "event_object", "job_object"]

_OPENAIS = ("n_epochs", "batch_size", "learning_rate_multiplier")
_OURS = ("lora_rank", "max_length")


def job_object(job: Job) -> dict[str, Any]:
    """Return a job as the API gives it."""
    request, over = job.request, job.status in OVER
    kind = request["method"]["type"]
    hyperparameters = _hyperparameters(job, request["method"][kind]["hyperparameters"])
    return {
        "id": job.id,
        "object": "fine_tuning.job",
        "created_at": job.created_at,
        "model": request["model"],
        "organization_id": "org-agentkit",
        "status": job.status,
        "fine_tuned_model": job.fine_tuned_model if job.status == "succeeded" else None,
        "finished_at": job.finished_at,
        "estimated_finish": job.estimated_finish if job.status == "running" else None,
        "training_file": request["training_file"],
        "validation_file": request["validation_file"],
        "result_files": job.result_files,
        "trained_tokens": job.trained_tokens if over else None,
        "error": job.error if job.status == "failed" else None,
        "hyperparameters": {name: hyperparameters[name] for name in _OPENAIS},
        "method": {"type": kind, kind: {"hyperparameters": hyperparameters}},
        "seed": request["seed"],
        "user_provided_suffix": request["given_suffix"],
        "integrations": [_integration(each) for each in request["integrations"]],
        "metadata": request["metadata"],
    }


def _hyperparameters(job: Job, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of the hyperparameters by now; of ours, only those that aren't "auto" any more."""
    known = {name: job.hyperparameters.get(name, value) for name, value in asked.items()}
    return {name: value for name, value in known.items() if name not in _OURS or value != "auto"}


def _integration(asked: dict[str, Any]) -> dict[str, Any]:
    wandb = asked["wandb"]
    shown = {name: wandb.get(name) for name in ("project", "entity", "name", "tags")}
    return {"type": "wandb", "wandb": shown}


def event_object(event: JobEvent) -> dict[str, Any]:
    """Return an event as the API gives it."""
    return {
        "id": event.id,
        "object": "fine_tuning.job.event",
        "created_at": event.created_at,
        "level": event.level,
        "message": event.message,
        "type": event.type,
        "data": event.data,
    }


def checkpoint_object(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return a checkpoint as the API gives it."""
    return {
        "id": checkpoint.id,
        "object": "fine_tuning.job.checkpoint",
        "created_at": checkpoint.created_at,
        "fine_tuned_model_checkpoint": checkpoint.model,
        "fine_tuning_job_id": checkpoint.job_id,
        "step_number": checkpoint.step,
        "metrics": {"step": checkpoint.step, **checkpoint.metrics},
    }
