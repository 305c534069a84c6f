"""Weights & Biases, where a job asks for it: through its own library, with the user's own key and settings."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agentkit._install import install_command
from agentkit.local.training.worker.failures import JobFailure

__all__ = ["tracked", "wandb_of"]


def wandb_of(request: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a request says of Weights & Biases, or None where it doesn't ask for it."""
    for each in request.get("integrations") or ():
        if each.get("type") == "wandb":
            return dict(each.get("wandb") or {})
    return None


@contextlib.contextmanager
def tracked(
    wanted: dict[str, Any] | None, *, job_id: str, folder: Path, config: dict[str, Any]
) -> Iterator[Callable[[int, dict[str, Any]], None]]:
    """Open a run for a job, and give what is called with the metrics of each step.

    Args:
        wanted: `project`, and `name`, `entity` and `tags` if given; None: nothing is sent.
        job_id: The job; a run that was begun for it is gone on with.
        folder: Where the library keeps what it has not sent, or in offline mode all.
        config: What is shown with the run.

    Raises:
        JobFailure: The library isn't there, has no key, or can't reach its server.
    """
    if wanted is None:
        yield lambda step, data: None
        return
    try:
        import wandb
    except ImportError as error:
        raise _failure(f"the library isn't installed: {install_command('wandb')}") from error
    settings = wandb.Settings(silent=True, console="off", disable_git=True, x_disable_stats=True, init_timeout=60)
    try:
        run = wandb.init(
            project=wanted.get("project"),
            name=wanted.get("name") or job_id,
            entity=wanted.get("entity"),
            tags=list(wanted.get("tags") or ()) or None,
            id=job_id,
            resume=None if os.environ.get("WANDB_MODE") == "offline" else "allow",
            dir=str(folder),
            config=config,
            settings=settings,
        )
    except Exception as error:  # its errors are of many kinds
        said = str(error).strip().splitlines()
        raise _failure(f"{type(error).__name__}: {said[0] if said else ''}"[:300].rstrip(".")) from error
    ended = 1
    try:
        yield lambda step, data: run.log({key: value for key, value in data.items() if value is not None}, step=step)
        ended = 0
    finally:
        with contextlib.suppress(Exception):  # what was trained counts more than its record
            run.finish(exit_code=ended)


def _failure(reason: str) -> JobFailure:
    return JobFailure(
        "wandb_error",
        f"Weights & Biases can't be used: {reason}. Set WANDB_API_KEY or run `wandb login` and start the platform "
        "again, set WANDB_MODE=offline to keep the run on this machine, or leave the integration out.",
        param="integrations",
    )
