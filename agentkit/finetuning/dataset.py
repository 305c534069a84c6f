"""Data sets for fine-tuning, of any size and from anywhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, overload

from agentkit._called_as import called_as
from agentkit.exceptions import UserError
from agentkit.finetuning.checking import Checker, Kind, begin, checked_kind, kind_of
from agentkit.finetuning.findings import SHOWN
from agentkit.finetuning.holding import ChosenLines, FileLines, Lines, MadeLines
from agentkit.finetuning.making import lines_of_examples, lines_of_frame
from agentkit.finetuning.parsing import NOTHING, parsed, reasons
from agentkit.finetuning.reading import opened
from agentkit.finetuning.writing import write_lines

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.finetuning.preview import Preview
    from agentkit.finetuning.report import CheckReport
    from agentkit.finetuning.splitting import By, Split

__all__ = ["FineTuningDataset"]

Line = dict[str, Any]


class FineTuningDataset:
    """Examples for fine-tuning: from a file, a dataframe, recorded runs or Python.

    It has a length, `dataset[0]` is the first example as a dictionary, `dataset[:10]` a data set of the first ten, and
    it can be gone through. Examples of a file stay in the file.

    Attributes:
        kind: "sft" for supervised fine-tuning, or "dpo" for direct preference optimization.
        name: What it is called in reports: the file's name, for instance.
        sources: Where each example comes from, a dataframe with a row for each; None where that isn't known.
    """

    def __init__(self, kind: Kind, lines: Lines, *, name: str, sources: pd.DataFrame | None = None) -> None:
        self.kind = kind
        self.name = name
        self.sources = sources
        self._lines = lines

    # -- making ----------------------------------------------------------------------------------------------------

    @classmethod
    @called_as("FineTuningDataset.from_jsonl")
    def from_jsonl(cls, path: str | os.PathLike[str], *, kind: Kind | None = None) -> FineTuningDataset:
        """Open a file of examples, one a line. Its texts stay where they are, however large it is.

        Args:
            path: The file. It mustn't change while the data set is used.
            kind: "sft" or "dpo"; None for what its first line is for.

        Raises:
            UserError: It can't be read, or `kind` is neither.
        """
        wanted = checked_kind(kind)
        with opened(path) as file:
            if (what := begin(checker := Checker(), file)) is not None:
                remedy = next(iter(checker.findings)).remedy
                raise UserError(f"{Path(path).name} is {what}, and no file of examples on lines.", hint=remedy)
        lines = FileLines(path)
        return cls(wanted or _kind_of_lines(lines), lines, name=lines.path.name)

    @classmethod
    @called_as("FineTuningDataset.from_examples")
    def from_examples(
        cls, examples: Iterable[Any], *, kind: Kind | None = None, system: str | None = None, name: str = "examples"
    ) -> FineTuningDataset:
        """Make a data set of Python values.

        Args:
            examples: For each example a line as it is written, as a dictionary; a list of messages; or texts: a
                question and its answer, or, for DPO, a question, a liked and a disliked answer.
            kind: "sft" or "dpo"; None for what the first one looks like.
            system: What the model is told to be, in each example that has no system message.
            name: What it is called in reports.

        Raises:
            UserError: One can't be read, or can't be written as JSON; or `kind` is neither.
        """
        data = lines_of_examples(examples, system)
        lines = MadeLines(data)
        return cls(checked_kind(kind) or _kind_of_lines(lines), lines, name=name)

    @classmethod
    @called_as("FineTuningDataset.from_dataframe")
    def from_dataframe(
        cls,
        frame: pd.DataFrame,
        *,
        kind: Kind | None = None,
        roles: Mapping[str, str] | None = None,
        messages: str | None = None,
        prompt: str | None = None,
        answer: str | None = None,
        preferred: str | None = None,
        rejected: str | None = None,
        system: str | None = None,
        instructions: str | None = None,
        name: str = "dataframe",
    ) -> FineTuningDataset:
        """Make a data set of a dataframe: an example of each row.

        Where no column is named, those are taken whose names say what they are: `messages`; or `prompt` and `answer`,
        or `preferred` and `rejected`, and `system`; and words that mean the same, as question, completion or chosen.

        Args:
            frame: The dataframe.
            kind: "sft" or "dpo"; None for "dpo" where there are liked and disliked answers.
            roles: The role of each column, in the order in which they are said:
                `{"rules": "system", "mail": "user", "category": "assistant"}`.
            messages: The column of conversations: lists of messages, or their JSON.
            prompt: The column of what the user says.
            answer: The column of what the assistant is to say. What is no text becomes JSON.
            preferred: The column of liked answers, for DPO.
            rejected: The column of disliked ones.
            system: The column of what the model is told to be.
            instructions: The same as one text for all rows.
            name: What it is called in reports.

        Raises:
            UserError: There is no such column, a cell is empty that mustn't be, or it can't be told what is meant.
        """
        named = {
            "messages": messages, "prompt": prompt, "answer": answer, "preferred": preferred, "rejected": rejected,
            "system": system,
        }  # fmt: skip
        found, data = lines_of_frame(frame, checked_kind(kind), named, roles, instructions)
        import pandas as pd

        rows = pd.DataFrame({"line": range(1, len(data) + 1), "row": frame.index[: len(data)]})
        return cls(found, MadeLines(data), name=name, sources=rows)

    @classmethod
    @called_as("FineTuningDataset.from_traces")
    def from_traces(cls, traces: Any, *, kind: Kind = "sft", **options: Any) -> FineTuningDataset:
        """Make a data set of recorded runs: the liked ones for SFT, the liked against the disliked ones for DPO.

        Args:
            traces: `agentkit.traces(…)`, or some of its rows; or what its `to_dataset()` made.
            kind: "sft" or "dpo".
            **options: Those of `to_dataset`: where, rating, agent, tools, images, dedupe, redact and scrub.

        Raises:
            UserError: These are no traces, or an option makes no sense.
        """
        from agentkit.finetuning.recorded import dataset_of_traces

        wanted, data, sources = dataset_of_traces(traces, checked_kind(kind) or "sft", options)
        return cls(wanted, MadeLines(data), name="traces", sources=sources)

    @classmethod
    @called_as("FineTuningDataset.from_chats")
    def from_chats(
        cls, *, kind: Kind = "sft", agent: Any = None, since: Any = None, **options: Any
    ) -> FineTuningDataset:
        """Make a data set of what was rated: chats, and runs rated by `agentkit.rate`.

        Args:
            kind: "sft" takes answers with a thumb up; "dpo" pairs of one with a thumb up and one with a thumb down.
            agent: Only those of an agent, or of some.
            since: Only those from then on: a time, or how long ago ("7d").
            **options: Those of `from_traces`.

        Raises:
            UserError: An argument makes no sense, or the file of the traces can't be read.
        """
        from agentkit.records.traces import traces

        given = {"agent": agent} if agent is not None else {}
        made = cls.from_traces(traces(since=since, limit=None), kind=kind, **given, **options)
        made.name = "chats"
        return made

    # -- examples --------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Line]:
        return (self._value(index, data) for index, data in enumerate(self._lines))

    @overload
    def __getitem__(self, index: int) -> Line: ...

    @overload
    def __getitem__(self, index: slice) -> FineTuningDataset: ...

    def __getitem__(self, index: int | slice) -> Line | FineTuningDataset:
        if isinstance(index, slice):
            return self.some(range(len(self))[index])
        if isinstance(index, bool) or not hasattr(index, "__index__"):
            raise UserError(f"Examples are numbered from 0, and {index!r:.60} is no number.")
        place = index.__index__()
        if not -len(self) <= place < len(self):
            raise IndexError(f"There is no example {place}: there are {len(self):,}, from 0.")
        return self._value(place % len(self), self._lines[place % len(self)])

    @property
    def lines(self) -> Iterator[bytes]:
        """The examples as they are written, without line ends."""
        return iter(self._lines)

    def values(self) -> Iterator[Line | None]:
        """Go through the examples; None stands for a line that can't be read."""
        return (value if isinstance(value := _value(data), dict) else None for data in self._lines)

    def some(self, indices: Sequence[int], *, name: str | None = None) -> FineTuningDataset:
        """Return a data set of some of the examples.

        Args:
            indices: Which, from 0, in their order.
            name: What it is called in reports.
        """
        rows = None if self.sources is None else self.sources.iloc[list(indices)].reset_index(drop=True)
        if rows is not None and "line" in rows.columns:
            rows["line"] = range(1, len(rows) + 1)
        return FineTuningDataset(self.kind, ChosenLines(self._lines, indices), name=name or self.name, sources=rows)

    def _value(self, index: int, data: bytes) -> Line:
        value = _value(data)
        if not isinstance(value, dict):
            number = self._lines.number(index)
            raise UserError(
                f"Line {number:,} of {self.name} can't be read.", hint="dataset.check() says what is wrong with it."
            )
        return cast("Line", value)

    # -- looking ---------------------------------------------------------------------------------------------------

    @called_as("dataset.check")
    def check(
        self,
        *,
        validation: FineTuningDataset | None = None,
        model: str | None = None,
        max_tokens: int | None = None,
        quality: bool = True,
        shown: int = SHOWN,
    ) -> CheckReport:
        """Check the examples against every documented rule, and look for what makes a training worse.

        Args:
            validation: The validation data: it is looked for in the training data.
            model: The model to be trained: it says how many tokens an example may have, where that is known.
            max_tokens: The same as a number.
            quality: Whether to look for what is taken and isn't good, such as duplicates. False is much faster.
            shown: Problems of a rule that have a row; all are counted.

        Returns:
            A dataframe with a row for each problem, that shows itself.
        """
        from agentkit.finetuning.quality import Quality
        from agentkit.finetuning.report import report_of

        checker = Checker(self.kind, shown=shown)
        looks = Quality(checker.findings, self.kind, model=model, max_tokens=max_tokens) if quality else None
        if isinstance(self._lines, FileLines):
            with opened(self._lines.path) as file:
                begin(checker, file)
        for raw in self._lines.raw():
            value = checker.line(raw)
            if looks is not None and isinstance(value, dict) and raw.data is not None:
                looks.line(raw.number, raw.data, value)
            del raw, value  # long lines aren't in memory twice
        checker.finish()
        if looks is not None:
            looks.finish(self._at)
        if validation is not None:
            from agentkit.finetuning.overlap import look_for_overlap

            look_for_overlap(checker.findings, self, validation)
        return report_of(checker, name=self.name)

    def _at(self, number: int) -> Line | None:
        """Return the example on a line of the file."""
        index = self._index(number)
        value = _value(self._lines[index]) if index is not None else None
        return value if isinstance(value, dict) else None

    def _index(self, number: int) -> int | None:
        import bisect

        index = bisect.bisect_left(range(len(self)), number, key=self._lines.number)
        return index if index < len(self) and self._lines.number(index) == number else None

    def line_number(self, index: int) -> int:
        """Return which line of its file an example is, from 1."""
        return self._lines.number(index)

    @called_as("dataset.preview")
    def preview(self, count: int = 3, *, seed: int | None = None) -> Preview:
        """Return some examples as they read, for a look at them.

        Args:
            count: How many.
            seed: None for the first ones; else some by chance, the same ones for the same seed.
        """
        from agentkit.finetuning.preview import preview_of

        return preview_of(self, count, seed)

    @called_as("dataset.diff")
    def diff(self, other: FineTuningDataset) -> pd.DataFrame:
        """Return what is in the one data set and not in the other.

        Args:
            other: The newer one.

        Returns:
            A dataframe: `change` ("added", "removed", or "changed" for another answer to the same prompt), `line` here,
            `other_line` there (Int64, NA where it isn't), `prompt`, `answer` and `other_answer` (string).
        """
        from agentkit.finetuning.comparing import difference

        return difference(self, other)

    @called_as("dataset.tokens")
    def tokens(self, model: str | None = None) -> pd.DataFrame:
        """Return how many tokens each example has, counted offline.

        Args:
            model: The model to be trained: it says which tokens are counted. None for those of GPT-4o and later.

        Returns:
            A dataframe: `line`, `messages`, `tokens` (all that is read) and `trained` (those of the answers that are
            learnt), all Int64. `attrs["encoding"]` names the vocabulary.
        """
        from agentkit.finetuning.tokens import token_frame

        return token_frame(self, model)

    @called_as("dataset.token_distribution")
    def token_distribution(self, model: str | None = None) -> pd.DataFrame:
        """Return how long the examples are: a row for messages, tokens and trained tokens.

        Returns:
            A dataframe with the columns total, mean, min, p10, p50, p90 and max.
        """
        from agentkit.finetuning.tokens import distribution

        return distribution(self.tokens(model))

    # -- others made of it -----------------------------------------------------------------------------------------

    @called_as("dataset.split")
    def split(self, *, test: float = 0.2, seed: int = 0, stratify: By = None) -> Split:
        """Return two data sets: one to train on, and one that the training never sees.

        Examples with the same prompt stay together, so that no part tells about the other.

        Args:
            test: The fraction for the second, between 0 and 1.
            seed: The same examples and seed give the same parts.
            stratify: What both parts have as much of: "answer", "system", "refusal", "turns", a function of an example,
                or a label for each example, such as a column.

        Returns:
            `split.train` and `split.test`; `train, test = dataset.split()` does, too.

        Raises:
            UserError: There are too few examples, or an argument makes no sense.
        """
        from agentkit.finetuning.splitting import split_of

        return split_of(self, test, seed, stratify)

    @called_as("dataset.dedupe")
    def dedupe(self, *, near: bool = False, threshold: float = 0.9) -> FineTuningDataset:
        """Return the examples without those that another one before them says already.

        Args:
            near: Whether those go, too, that are nearly the same.
            threshold: How similar these are: the part of their passages that they share, between 0 and 1.
        """
        from agentkit.finetuning.thinning import without_duplicates

        return without_duplicates(self, near=near, threshold=threshold)

    @called_as("dataset.balance")
    def balance(self, by: By = "answer", *, most: int | None = None, seed: int = 0) -> FineTuningDataset:
        """Return a data set in which no label has more examples than others; some are left out by chance.

        Args:
            by: What is counted: as `stratify` of `split`.
            most: Examples of a label at most; None for as many as the rarest has.
            seed: The same examples and seed give the same ones.
        """
        from agentkit.finetuning.thinning import balanced

        return balanced(self, by, most, seed)

    @called_as("dataset.map")
    def map(self, function: Callable[[Line], Line | None]) -> FineTuningDataset:
        """Return the examples as a function makes them; where it returns None, they are left out.

        Args:
            function: It is given an example as a dictionary of its own. Lines that it returns as they were keep their
                bytes.
        """
        from agentkit.finetuning.thinning import mapped

        return mapped(self, function)

    @called_as("dataset.to_jsonl")
    def to_jsonl(self, path: str | os.PathLike[str], *, sources: bool = True) -> Path:
        """Write the examples to a file, one a line, and return its path. A file of that name is replaced.

        Lines that came from a file are written byte by byte as they were there.

        Args:
            path: The file; the platform takes those whose name ends with ".jsonl".
            sources: Write a table beside it, `<name>.sources.csv`, where it is known where examples come from.

        Raises:
            UserError: There are no examples, or the file can't be written.
        """
        target = write_lines(path, self._lines, self.sources if sources else None)
        if isinstance(self._lines, FileLines) and self._lines.path.resolve() == target.resolve():
            self._lines = FileLines(target)
        return target

    def __repr__(self) -> str:
        count = f"{len(self):,} example{'' if len(self) == 1 else 's'}"
        return f"FineTuningDataset for {self.kind.upper()}: {count} ({self.name!r:.80})"


def _value(data: bytes) -> Any:
    value = parsed(data)
    return reasons(data)[1] if value is NOTHING else value


def _kind_of_lines(lines: Lines) -> Kind:
    for index, data in enumerate(lines):
        if index == 100:
            break
        value = _value(data)
        if isinstance(value, dict) and (kind := kind_of(value)) is not None:
            return kind
    return "sft"
