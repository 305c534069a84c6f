"""What went wrong in the process that runs models, as the platform's side is told it."""

from __future__ import annotations

import traceback
from typing import Any

from agentkit._install import install_command

__all__ = ["AnswerError", "is_out_of_memory", "told"]

_SHORT = 400
_NO_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")


class AnswerError(Exception):
    """A request that can't be answered, as the client will see it.

    Args:
        message: What was wrong, and what to do.
        code: OpenAI's short code.
        status: HTTP status.
        param: Path of the parameter.
    """

    def __init__(self, message: str, *, code: str, status: int = 400, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.param = param


def told(error: BaseException, model: str) -> dict[str, Any]:
    """Return an error as JSON. What was not foreseen goes to the log, too."""
    if not isinstance(error, AnswerError):
        traceback.print_exception(error)
        error = _unforeseen(error, model)
    return {"message": error.message, "status": error.status, "code": error.code, "param": error.param}


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that there is no memory left, of the machine or of its GPU."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError | OSError) and any(words in str(error).lower() for words in _NO_MEMORY)


def _unforeseen(error: BaseException, model: str) -> AnswerError:
    if is_out_of_memory(error):
        message = (
            f"The memory is too small for '{model}' and this request. "
            "Make the request shorter, close what else uses memory, or take a smaller model."
        )
        return AnswerError(message, code="out_of_memory", status=500)
    if isinstance(error, ImportError):
        message = f"'{model}' can't run: {error}. Install what runs models: {install_command('train')}."
        return AnswerError(message, code="training_unavailable", param="model")
    said = str(error).strip()[:_SHORT]
    message = f"The model '{model}' failed while answering: {type(error).__name__}: {said}"
    return AnswerError(message, code="server_error", status=500)
