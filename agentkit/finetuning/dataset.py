"""Data sets for fine-tuning, of any size and from anywhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from agentkit._called_as import called_as
from agentkit.finetuning.held import Line
from agentkit.finetuning.holding import FileLines
from agentkit.finetuning.origins import MadeExamples
from agentkit.finetuning.writing import write_lines
from agentkit.training_files.checking import Checker, Kind, begin
from agentkit.training_files.findings import SHOWN
from agentkit.training_files.reading import opened

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from agentkit.finetuning.costs import Estimate
    from agentkit.finetuning.job import FineTuningJob
    from agentkit.finetuning.preview import Preview
    from agentkit.finetuning.report import CheckReport
    from agentkit.finetuning.splitting import By, Split

__all__ = ["FineTuningDataset"]


class FineTuningDataset(MadeExamples):
    """Examples for fine-tuning: from a file, a dataframe, recorded runs or Python.

    It has a length, `dataset[0]` is the first example as a dictionary, `dataset[:10]` a data set of the first ten, and
    it can be gone through. Examples of a file stay in the file.

    Attributes:
        kind: "sft" for supervised fine-tuning, or "dpo" for direct preference optimization.
        name: What it is called in reports: the file's name, for instance.
        sources: Where each example comes from, a dataframe with a row for each; None where that isn't known.
    """

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

    @called_as("dataset.plot")
    def plot(
        self,
        what: Literal["tokens", "turns", "labels"] | None = None,
        *,
        by: By = "answer",
        model: str | None = None,
        ax: Axes | None = None,
    ) -> tuple[Axes, ...]:
        """Draw how long the examples are, how many turns they have, and how often which answer is given.

        Args:
            what: One of the three; None for all, side by side.
            by: What counts as a label: as `stratify` of `split`.
            model: The model to be trained: it says which tokens are counted.
            ax: Where to draw one of them; a new figure when None.

        Returns:
            The axes of each picture.

        Raises:
            UserError: An argument makes no sense.
        """
        from agentkit.finetuning.plots import plot_dataset

        return plot_dataset(self, what, by=by, model=model, ax=ax)

    @called_as("dataset.estimate", meant={"n_epochs": "epochs"})
    def estimate(
        self,
        model: str | os.PathLike[str] | FineTuningJob | None = None,
        *,
        epochs: int | None = None,
        method: Kind | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
    ) -> Estimate:
        """Return what training on the examples will cost: tokens, and a price with its date, or hours on this machine.

        On the embedded platform a few real steps are made to see, in a process of their own, which takes seconds; for
        the same examples, model and hyperparameters only once. What isn't known is "unknown".

        Args:
            model: The model to start from, as for `agentkit.finetune`; None for "tiny-1" on the embedded platform.
            epochs: How often each example is seen; None for what the platform takes, or is assumed to.
            method: "sft" or "dpo"; None for what the examples are for.
            hyperparameters: Others, as for `agentkit.finetune`.

        Raises:
            UserError: There are no examples, or an argument makes no sense.
        """
        from agentkit.finetuning.costs import estimate

        return estimate(self, model, epochs, method, hyperparameters)

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
