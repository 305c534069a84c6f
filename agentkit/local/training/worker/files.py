"""The files of a job: where they are, and whether their lines are right. Nothing of torch is needed for that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from agentkit.exceptions import UserError
from agentkit.local.errors import ApiError
from agentkit.local.files.store import FileStore
from agentkit.local.training.worker.failures import JobFailure
from agentkit.training_files.checking import MAX_LEGAL_BYTES, Checker, begin, through
from agentkit.training_files.parsing import NOTHING, parsed
from agentkit.training_files.reading import opened, raw_lines

__all__ = ["Role", "check_lines", "file_path", "lines_of"]

Role = Literal["training", "validation"]

_TOLD = 5
"""Problems that a failure tells."""


def file_path(home: Path, file_id: str, role: Role) -> Path:
    """Return where an uploaded file's bytes are.

    Raises:
        JobFailure: There is no such file any more.
    """
    files = FileStore(home)
    try:
        entry = files.get(file_id)
        if entry is None:
            raise JobFailure(
                f"invalid_{role}_file",
                f"The {role} file {file_id} is no longer there: it was deleted, or has expired. Upload it again.",
                param=f"{role}_file",
            )
        return files.checked_path(entry)
    except ApiError as error:
        raise JobFailure(f"invalid_{role}_file", error.message, param=f"{role}_file") from error
    finally:
        files.close()


def check_lines(path: Path, file_id: str, role: Role, kind: Literal["sft", "dpo"]) -> int:
    """Check each line of a file, and return how many examples there are.

    Args:
        path: The file.
        file_id: How it is called, for what is told.
        role: What it is for; a validation file may have few examples.
        kind: What its lines are for.

    Raises:
        JobFailure: A line breaks a rule.
    """
    try:
        checker = Checker(kind)
        with opened(path) as file:
            if begin(checker, file) is None:
                through(checker, file, MAX_LEGAL_BYTES, None)
                checker.finish()
    except UserError as error:
        raise JobFailure(f"invalid_{role}_file", f"{file_id}: {error}", param=f"{role}_file") from error
    few = {"too-few"} if role == "validation" and checker.examples else set()
    wrong = [each for each in checker.findings if each.level == "error" and each.rule not in few]
    if not wrong:
        return checker.examples
    count = checker.findings.count("error") - sum(each.rule in few for each in checker.findings)
    told = " ".join(_told(each.line, each.field, each.problem, each.remedy) for each in wrong[:_TOLD])
    more = f" And {count - _TOLD:,} more." if count > _TOLD else ""
    message = f"The {role} file {file_id} has {count:,} problem{'s' if count > 1 else ''}. {told}{more}"
    raise JobFailure(f"invalid_{role}_file", message, param=f"{role}_file")


def _told(line: int | None, field: str, problem: str, remedy: str) -> str:
    where = " ".join(part for part in (f"Line {line:,}" if line else "The file", field) if part)
    return f"{where}: {problem.rstrip('.')}. {remedy}"


def lines_of(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the numbers and the values of the lines of a file that was checked."""
    with path.open("rb", buffering=1 << 20) as file:
        for raw in raw_lines(file, max_line_bytes=MAX_LEGAL_BYTES):
            value = NOTHING if raw.data is None else parsed(raw.data)
            if isinstance(value, dict):
                yield raw.number, value
