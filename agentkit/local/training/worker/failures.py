"""Why a job failed, in a code and a sentence that says what to do."""

from __future__ import annotations

import errno
import traceback
from pathlib import Path
from typing import Any, Final

from agentkit._install import install_command
from agentkit.local.errors import ApiError
from agentkit.local.training.bases import UnknownBaseError

__all__ = ["JobFailure", "StopWork", "failure_of"]


class JobFailure(Exception):  # noqa: N818 - it is the job's end, and its error
    """A job can't go on.

    Args:
        code: A short code, such as "disk_full".
        message: What happened and what to do.
        param: The parameter of the request that it is about.
    """

    def __init__(self, code: str, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param

    def as_error(self) -> dict[str, Any]:
        """Return it as the `error` of a job."""
        return {"code": self.code, "message": self.message, "param": self.param}


class StopWork(Exception):  # noqa: N818 - not an error: somebody asked for it
    """The work ends before the job is done, without a failure.

    Args:
        wanted: "pause" or "cancel".
        reason: What to tell; "" for the usual words.
    """

    def __init__(self, wanted: str, reason: str = "") -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.reason = reason


_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_ROOM_SAID: Final = (
    "no space left on device",
    "disk quota exceeded",
    "file too large",
    "database or disk is full",
    "pytorchstreamwriter failed",
    "inline_container.cc",  # torch.save, where a write was cut short
    "unexpected pos",
)
_NO_MEMORY_SAID: Final = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "bad_alloc",
    "bad allocation",
    "mmap failed",
)


def failure_of(error: BaseException, *, folder: Path) -> JobFailure:
    """Return what to tell of an error that ended a job.

    Args:
        error: It.
        folder: The job's folder, with its log.
    """
    if isinstance(error, JobFailure):
        return error
    if isinstance(error, UnknownBaseError):
        return JobFailure("invalid_model", str(error), param="model")
    causes = list(_chain(error))
    if any(_is_no_room(each) for each in causes):
        return JobFailure(
            "disk_full",
            f"There is no room left on the disk of {folder}: {_last_line(error)}. A checkpoint is as large as the "
            "model, and while a job runs its optimizer takes twice that. Make room, or set AGENTKIT_HOME to a larger "
            "disk; then create the job again, from its last checkpoint if you like.",
        )
    if any(_is_no_memory(each) for each in causes):
        return JobFailure(
            "out_of_memory",
            f"There wasn't enough memory: {_last_line(error)}. Give a smaller batch_size or max_length, train a LoRA "
            "(hyperparameters lora_rank=16), or start from a smaller model.",
        )
    missing = next((each for each in causes if isinstance(each, ModuleNotFoundError)), None)
    if missing is not None and missing.name:
        return JobFailure(
            "training_unavailable",
            f"{missing.name} isn't installed, which training needs: {install_command('train')}",
        )
    return JobFailure(
        "server_error",
        f"The training broke off: {_last_line(error)}. The whole report is in {folder / 'log.txt'}.",
    )


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _is_no_room(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return True
    return _says(error, _NO_ROOM_SAID) and _foreign(error)


def _is_no_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return type(error).__name__ == "OutOfMemoryError" or (_says(error, _NO_MEMORY_SAID) and _foreign(error))


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    said = str(error).lower()
    return any(each in said for each in words)


def _foreign(error: BaseException) -> bool:
    """Return whether an error is of a kind in which compiled code tells of the system, not one of ours with a text."""
    return isinstance(error, (RuntimeError, OSError, ApiError)) or "safetensor" in type(error).__name__.lower()


def _last_line(error: BaseException) -> str:
    lines = [line for line in "".join(traceback.format_exception_only(error)).strip().splitlines() if line.strip()]
    return f"{lines[0] if lines else type(error).__name__:.300}".rstrip(".")
