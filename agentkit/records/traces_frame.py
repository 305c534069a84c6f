"""The dataframe of traces, with what can be done with those in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from agentkit._called_as import called_as
from agentkit.exceptions import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from agentkit.records.datasets.cleaning import Redact, Scrub
    from agentkit.records.datasets.dataset import Dataset
    from agentkit.records.datasets.splits import Split
    from agentkit.records.opened import RecordedTrace

__all__ = ["TracesFrame"]


class TracesFrame(pd.DataFrame):
    """A dataframe of traces, as `agentkit.traces()` returns it. Rows that are chosen from it are one too."""

    @property
    def _constructor(self) -> Callable[..., Any]:  # what pandas asks for
        return _frame_or_traces

    @called_as("agentkit.traces().open")
    def open(self, row: int = 0) -> RecordedTrace:
        """Return the trace of a row, with all its spans.

        Args:
            row: Its position: 0 is the first, -1 the last.

        Raises:
            UserError: There is no such row, or the trace is in the store no more.
        """
        from agentkit.records.opened import open_trace

        if not hasattr(row, "__index__") or isinstance(row, bool):
            raise UserError(
                f"A row is told by its position, not by {row!r:.80}.",
                hint="0 is the first, -1 the last; agentkit.open_trace(…) takes a trace's id.",
            )
        count = len(self)
        if not -count <= row < count:
            there = f"The rows are 0 to {count - 1:,}." if count else "Are the filters right?"
            raise UserError(f"There is no row {row}: the frame has {count or 'none'}.", hint=there)
        return open_trace(str(self["trace_id"].iloc[row]))

    @called_as("agentkit.traces().plot_cost")
    def plot_cost(self, by: str = "agent", ax: Axes | None = None) -> Axes:
        """Draw what the model calls of these runs cost; see `agentkit.records.pictures.cost.plot_cost`.

        Args:
            by: "agent", "model", "trace" or "tool".
            ax: Where to draw; a new figure when None, which a notebook shows.

        Raises:
            UserError: `by` is something else, or a trace is in the store no more.
        """
        from agentkit.records.pictures.cost import plot_cost

        return plot_cost(pd.DataFrame(self), by=by, ax=ax)

    @called_as("agentkit.traces().plot_tokens")
    def plot_tokens(self, ax: Axes | None = None) -> Axes:
        """Draw the tokens of these runs' model calls; see `agentkit.records.pictures.tokens.plot_tokens`."""
        from agentkit.records.pictures.tokens import plot_tokens

        return plot_tokens(pd.DataFrame(self), ax=ax)

    @called_as("agentkit.traces().plot_latency")
    def plot_latency(self, ax: Axes | None = None) -> Axes:
        """Draw how long model calls and tools of these runs took.

        See `agentkit.records.pictures.latency.plot_latency`.
        """
        from agentkit.records.pictures.latency import plot_latency

        return plot_latency(pd.DataFrame(self), ax=ax)

    @called_as("agentkit.traces().to_dataset")
    def to_dataset(
        self,
        kind: str = "sft",
        *,
        where: Callable[[RecordedTrace], Any] | None = None,
        rating: str | None = "up",
        agent: Any = None,  # a name, an agent, or several: classes of a layer above
        tools: bool = True,
        images: bool = True,
        split: Split = None,
        seed: int = 0,
        dedupe: bool = True,
        redact: Redact = True,
        scrub: Scrub | None = None,
    ) -> Dataset:
        """Return a data set made of these runs, in the format of OpenAI's platform.

        Only runs that ended well are taken. `dataset.skipped` says of every other why it was left out.

        Args:
            kind: "sft": what an agent was told and answered, as examples for supervised fine-tuning. "preferences":
                pairs of a liked and a disliked answer to one prompt. "evals": cases for evaluations, with what is known
                of good and bad answers.
            where: A function that takes a run, as `agentkit.open_trace()` returns it, and returns whether it is wanted.
            rating: Only runs whose answer was rated "up", or "down"; None for runs however rated, or not at all. Pairs
                take both.
            agent: Only what these agents were told and answered: a name, an agent, or a list of them.
            tools: Whether runs in which tools were called are taken, and tools described. False leaves such runs out.
            images: Whether runs with images are taken.
            split: The fraction for validation, such as 0.2, or a fraction for each part:
                `{"train": 0.8, "validation": 0.1, "test": 0.1}`. Runs of one session or group, and examples with the
                same prompt, stay together. `dataset.splits` has the parts.
            seed: Of the split: the same runs and seed give the same parts.
            dedupe: Leave out examples that say the same as another.
            redact: True puts "[redacted]" in the place of keys; "skip" leaves out examples that have one, or had one
                when they were recorded; False takes texts as they were stored.
            scrub: A function that takes each text and returns it without what is private: addresses, names, numbers.

        Raises:
            UserError: An argument makes no sense, there are too few examples to split, or the file can't be read.
        """
        from agentkit.records.datasets.build import make_dataset

        return make_dataset(
            self, kind, where=where, rating=rating, agent=agent, tools=tools, images=images, split=split, seed=seed,
            dedupe=dedupe, redact=redact, scrub=scrub,
        )  # fmt: skip


def _frame_or_traces(*args: Any, **kwargs: Any) -> pd.DataFrame:
    """Return a frame of traces, or, where their ids are no longer among the columns, an ordinary one."""
    frame = pd.DataFrame(*args, **kwargs)
    return TracesFrame(frame) if "trace_id" in frame.columns else frame
