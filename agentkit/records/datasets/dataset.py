"""A data set made of recorded runs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit import _json
from agentkit._called_as import called_as
from agentkit.exceptions import UserError
from agentkit.tracing.columns import columns_of, dataframe
from agentkit.training_files.rules import (
    MAX_FILE_BYTES,
    MAX_WITH_IMAGES,
    MIN_EXAMPLES,
    Problem,
    problems_in,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Dataset"]

Line = dict[str, Any]

_NAMES = {"sft": "fine-tuning", "preferences": "preference pairs", "evals": "evaluation"}
_PROBLEMS = {"line": "Int64", "field": "string", "problem": "string", "remedy": "string", "level": "category"}


class Dataset:
    """Examples made of recorded runs, in the format of OpenAI's platform: `agentkit.traces().to_dataset()` makes them.

    It has a length, its examples can be gone through, and `dataset[0]` is the first.

    Attributes:
        kind: "sft", "preferences" or "evals".
        examples: The lines of the file, as dictionaries.
        frame: One row an example, with the trace that it comes from; see docs/datasets.md.
        skipped: One row a trace, or an agent's part of one, that is in no example: trace_id, agent, reason and detail.
        splits: The parts by their names, such as "train"; {} where it wasn't split.
    """

    def __init__(
        self,
        kind: str,
        examples: list[Line],
        frame: pd.DataFrame,
        skipped: pd.DataFrame,
        *,
        names: tuple[str, ...] = (),
    ) -> None:
        self.kind = kind
        self.examples = examples
        self.frame = frame
        self.skipped = skipped
        self.splits: dict[str, Dataset] = {name: self._part(name) for name in names}

    def _part(self, name: str) -> Dataset:
        chosen = self.frame[self.frame["split"] == name].reset_index(drop=True)
        examples = [self.examples[line - 1] for line in chosen["line"]]
        chosen["line"] = range(1, len(chosen) + 1)
        return Dataset(self.kind, examples, chosen.astype({"line": "Int64"}), self.skipped.iloc[:0])

    def validate(self) -> pd.DataFrame:
        """Return what the platform wouldn't take, or shouldn't be given; no rows where all is well.

        Returns:
            A dataframe with the columns line (from 1, as in the file; missing where it is about all of them), field
            (such as "messages[2].tool_calls[0].id"), problem, remedy and level: "error", or "warning" for what is taken
            and isn't good.
        """
        found = [
            (number, *problem[: len(_PROBLEMS) - 1])
            for number, line in enumerate(self.examples, 1)
            for problem in problems_in(self.kind, line)
        ]
        about_all = [(None, *problem[: len(_PROBLEMS) - 1]) for problem in self._problems()]
        return dataframe(_PROBLEMS, columns_of(tuple(_PROBLEMS), [*about_all, *found]))

    def _problems(self) -> Iterator[Problem]:
        if self.kind == "evals":
            return
        if len(self) < MIN_EXAMPLES:
            yield Problem("", f"{_count(len(self))}", f"The platform trains on {MIN_EXAMPLES} or more.")
        if (size := sum(len(line) + 1 for line in self._lines())) > MAX_FILE_BYTES:
            yield Problem("", f"{size:,} bytes", f"A file has at most {MAX_FILE_BYTES:,}: use the Uploads API for it.")
        if (images := int((self.frame["images"] > 0).sum())) > MAX_WITH_IMAGES:
            yield Problem("", f"{images:,} examples with images", f"At most {MAX_WITH_IMAGES:,} may have some.")
        if self.frame["redacted"].sum():
            where = "in the column redacted"
            yield Problem(
                "", "keys were taken out of some texts", f'Look at them ({where}), or redact="skip".', "warning"
            )

    @called_as("dataset.to_jsonl")
    def to_jsonl(self, path: str | os.PathLike[str], *, sources: bool = True) -> Path:
        """Write the examples to a file, one a line, and return its path. A file of that name is replaced.

        Args:
            path: The file; the platform takes those whose name ends with ".jsonl".
            sources: Write a table beside it, `<name>.sources.csv`, that says which trace each line comes from.

        Raises:
            UserError: There are no examples, or the file can't be written.
        """
        target = Path(path).expanduser()
        if target.suffix != ".jsonl":
            raise UserError(
                f"Training files are named *.jsonl, and {target.name!r} isn't.", hint=f"{target.stem or 'train'}.jsonl"
            )
        if not self.examples:
            raise UserError(
                "There are no examples to write.", hint="dataset.skipped says of each trace why it was left out."
            )
        try:
            _write(target, b"".join(line + b"\n" for line in self._lines()))
            if sources:
                table = self.frame.to_csv(index=False, lineterminator="\n")
                _write(target.with_suffix(".sources.csv"), table.encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise UserError(
                f"{target} can't be written ({error.strerror or error}).", hint="Give a file in a folder that exists."
            ) from error
        return target

    def _lines(self) -> Iterator[bytes]:
        return map(_json.dumps, self.examples)

    def __len__(self) -> int:
        return len(self.examples)

    def __iter__(self) -> Iterator[Line]:
        return iter(self.examples)

    def __getitem__(self, index: int) -> Line:
        return self.examples[index]

    def __repr__(self) -> str:
        lines = [f"Dataset for {_NAMES[self.kind]}: {_count(len(self))}{self._sources()}"]
        if self.splits:
            lines.append("split: " + ", ".join(f"{name} {len(part)}" for name, part in self.splits.items()))
        if self.frame["tokens"].notna().any():
            lines.append(f"tokens: {int(self.frame['tokens'].sum()):,}")
        if len(self.skipped):
            reasons = Counter(self.skipped["reason"]).most_common()
            lines.append("left out: " + ", ".join(f"{count} {reason}" for reason, count in reasons))
        return "\n  ".join(lines)

    def _sources(self) -> str:
        if not self.examples:
            return ""
        traces = len({*self.frame["trace_id"], *self.frame["other_trace_id"].dropna()})
        names = dict.fromkeys(self.frame["agent"].dropna())
        agents = [name if name.isprintable() else repr(name) for name in names]
        told = f" of {', '.join(agents[:3])}{', …' if len(agents) > 3 else ''}" if agents else ""
        return f"{told}, from {traces} trace{'' if traces == 1 else 's'}"


def _count(number: int) -> str:
    return f"{number or 'no'} example{'' if number == 1 else 's'}"


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
