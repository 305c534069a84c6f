"""Checking a file of training data: what is found, as a dataframe."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit.exceptions import UserError
from agentkit.training_files.checking import Checker, Kind, begin, checked_kind, through
from agentkit.training_files.findings import SHOWN
from agentkit.training_files.reading import MAX_LINE_BYTES, opened

if TYPE_CHECKING:
    from agentkit.finetuning.report import CheckReport

__all__ = ["check_file"]


@called_as("check_file")
def check_file(
    path: str | os.PathLike[str],
    *,
    kind: Kind | None = None,
    shown: int = SHOWN,
    max_line_bytes: int = MAX_LINE_BYTES,
    progress: Callable[[int, int], None] | None = None,
) -> CheckReport:
    """Check a file of training data against every documented rule, in bounded memory whatever its size.

    It looks at lines and at the file. What several examples say together, such as duplicates and contradicting answers,
    `FineTuningDataset.from_jsonl(path).check()` finds.

    Args:
        path: A JSONL file.
        kind: "sft" or "dpo"; None for what its first line is for.
        shown: Problems of a rule that have a row, 100 as a rule; all are counted.
        max_line_bytes: Lines that are longer are reported and passed over.
        progress: Called with the bytes read and the bytes there are, about every MB.

    Returns:
        A dataframe with a row for each problem, that shows itself; `report.ok` says whether the platform takes it.

    Raises:
        UserError: There is no such file, it can't be read, or an argument makes no sense.
    """
    checker = Checker(checked_kind(kind), shown=_positive("shown", shown))
    _positive("max_line_bytes", max_line_bytes)
    with opened(path) as file:
        if (what := begin(checker, file)) is None:
            through(checker, file, max_line_bytes, progress)
            checker.finish()
    from agentkit.finetuning.report import report_of

    return report_of(checker, name=Path(path).name, read=what is None)


def _positive(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UserError(f"{name} is a whole number of 1 or more, not {value!r:.60}.")
    return value
