"""Where the examples of a data set come from: a file, Python, a dataframe, recorded runs, chats."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from agentkit._called_as import called_as
from agentkit.exceptions import UserError
from agentkit.finetuning.held import HeldExamples, kind_of_lines
from agentkit.finetuning.holding import FileLines, MadeLines
from agentkit.finetuning.making import lines_of_examples, lines_of_frame
from agentkit.training_files.checking import Checker, Kind, begin, checked_kind
from agentkit.training_files.reading import opened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MadeExamples"]


class MadeExamples(HeldExamples):
    """Examples with the ways in which they are made."""

    @classmethod
    @called_as("FineTuningDataset.from_jsonl")
    def from_jsonl(cls, path: str | os.PathLike[str], *, kind: Kind | None = None) -> Self:
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
        return cls(wanted or kind_of_lines(lines), lines, name=lines.path.name)

    @classmethod
    @called_as("FineTuningDataset.from_examples")
    def from_examples(
        cls, examples: Iterable[Any], *, kind: Kind | None = None, system: str | None = None, name: str = "examples"
    ) -> Self:
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
        return cls(checked_kind(kind) or kind_of_lines(lines), lines, name=name)

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
    ) -> Self:
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
    def from_traces(cls, traces: Any, *, kind: Kind = "sft", **options: Any) -> Self:
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
    def from_chats(cls, *, kind: Kind = "sft", agent: Any = None, since: Any = None, **options: Any) -> Self:
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
