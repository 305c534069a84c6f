"""Writing lines to a file: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from agentkit.exceptions import UserError

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.finetuning.holding import Lines

__all__ = ["write_lines"]


def write_lines(path: str | os.PathLike[str], lines: Lines, sources: pd.DataFrame | None) -> Path:
    """Write lines to a file, and return its path; beside it a table of where they come from, where that is given.

    Raises:
        UserError: It isn't named as such files are, there are no lines, or it can't be written.
    """
    target = Path(path).expanduser()
    if target.suffix != ".jsonl":
        name = f"{target.stem or 'train'}.jsonl"
        raise UserError(f"Training files are named *.jsonl, and {target.name!r} isn't.", hint=f"Call it {name}.")
    if not len(lines):
        raise UserError("There are no examples to write.", hint="Look at the data set first: it is empty.")
    try:
        _replace(target, lines)
        if sources is not None:
            table = sources.to_csv(index=False, lineterminator="\n").encode("utf-8", "backslashreplace")
            _replace(target.with_suffix(".sources.csv"), [table.removesuffix(b"\n")])
    except OSError as error:
        remedy = "Give a file in a folder that exists, on a disk with room for it."
        raise UserError(f"{target} can't be written ({error.strerror or error}).", hint=remedy) from error
    return target


def _replace(target: Path, lines: Lines | list[bytes]) -> None:
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb", buffering=1 << 20) as file:
            for line in lines:
                file.write(line)
                file.write(b"\n")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
