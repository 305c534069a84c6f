"""What goes wrong with fine-tuning jobs, as agentkit's exceptions: with what to do instead."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from agentkit.exceptions import AgentsException, UserError
from agentkit.files.errors import platform_errors
from agentkit.models.errors import joined, server_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from agentkit.finetuning.asking import JobError
    from agentkit.finetuning.job import FineTuningJob

__all__ = ["INSTEAD", "FineTuningError", "job_errors"]

INSTEAD: Final = (
    'Train on this machine: agentkit.connect("embedded"), and agentkit.finetune(dataset, model="…") with the folder of '
    "a model. Or do without training: examples in the instructions, or files to search in."
)
"""What can be done where a platform trains nothing."""


class FineTuningError(AgentsException):
    """A fine-tuning job failed.

    Attributes:
        job: The job: what was trained so far is in `job.checkpoints`.
        code: What the platform calls the failure, such as "invalid_training_file".
        param: Which argument was wrong; None where it was none of them.
    """

    def __init__(self, message: str, *, job: FineTuningJob, error: JobError | None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.job = job
        self.code = error.code if error is not None else None
        self.param = error.param if error is not None else None


@contextlib.contextmanager
def job_errors(client: AsyncOpenAI, what: str, *, hint: str | None = None, names_one: bool = True) -> Iterator[None]:
    """Raise what the client raises as agentkit's: still of the client's classes, too.

    Args:
        client: Whom is asked.
        what: What is being done, for the message: "Opening the fine-tuning job 'ftjob-1'".
        hint: What to do where the platform doesn't know the object that is asked for.
        names_one: Whether the request is about one object. If not, and it isn't found, the server has no fine-tuning.

    Raises:
        UserError: The platform refuses the request as it is, doesn't know the object, or trains nothing.
        AgentsException: The platform can't be reached, refuses the key, or failed.
    """
    import openai

    with platform_errors(client, what, hint=hint, names_one=names_one, kind="fine-tuning", instead=INSTEAD):
        try:
            yield
        except openai.PermissionDeniedError as error:
            if error.code != "training_not_available":
                raise
            text = f"{server_of(client)} lets this organisation start no fine-tuning jobs ({error.code})."
            raise joined(error, UserError(text, hint=INSTEAD)) from error
