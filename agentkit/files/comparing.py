"""Chunk sizes and ranking settings side by side, judged by the same questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.files.evaluation import Evaluation
from agentkit.files.indexing import chunking_json

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Comparison", "Setting", "Tried", "chunkings_of", "rankings_of"]

_COLORS = ("#0072b2", "#e69f00", "#009e73", "#b07aa1", "#8fc3e3", "#999999")
_HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----")
_OPTIONS = ("embedding_weight", "filters", "ranker", "rewrite", "score_threshold", "text_weight")


@dataclass(frozen=True, slots=True)
class Setting:
    """A way to cut files."""

    label: str
    """What it is called: "400/200", or "as it is"."""
    chunking: dict[str, Any] | None
    """How, as the API takes it; None for the store itself."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One way of cutting and ranking, judged."""

    chunking: str
    """How the files were cut."""
    ranking: str
    """How the passages were ranked."""
    evaluation: Evaluation
    """How well the questions were answered."""


class Comparison:
    """Ways of cutting and ranking, judged by the same questions.

    Args:
        tried: The ways.
    """

    def __init__(self, tried: Sequence[Tried]) -> None:
        self._tried = tuple(tried)

    @property
    def tried(self) -> tuple[Tried, ...]:
        """The ways, each with its evaluation."""
        return self._tried

    @property
    def best(self) -> Tried:
        """The way with the best nDCG; of equal ones the first."""
        return max(self._tried, key=lambda each: list(each.evaluation.metrics.values())[-1])

    def to_dataframe(self) -> pd.DataFrame:
        """Return a dataframe with a row for each way: `chunking`, `ranking` (string), `questions` (Int64), metrics."""
        import pandas as pd

        rows = [
            {"chunking": each.chunking, "ranking": each.ranking, "questions": len(each.evaluation.questions)}
            | each.evaluation.metrics
            for each in self._tried
        ]
        return pd.DataFrame(rows).astype({"chunking": "string", "ranking": "string", "questions": "Int64"})

    def plot(self, metric: str | None = None, *, ax: Axes | None = None) -> Axes:
        """Draw a metric: a group of bars for each way of cutting, a bar for each way of ranking.

        Args:
            metric: A column of the dataframe, such as "recall@5"; nDCG when None.
            ax: Where to draw; a new figure when None.

        Returns:
            The axes.

        Raises:
            UserError: There is no such metric, or `ax` is none of matplotlib's.
        """
        metrics = list(self._tried[0].evaluation.metrics)
        name = metrics[-1] if metric is None else metric
        if name not in metrics:
            raise UserError(f"There is no metric {metric!r}.", hint=f"There are {', '.join(metrics)}.")
        ax = _axes(ax)
        chunkings = list(dict.fromkeys(each.chunking for each in self._tried))
        rankings = list(dict.fromkeys(each.ranking for each in self._tried))
        width = 0.8 / len(rankings)
        values = {(each.chunking, each.ranking): each.evaluation.metrics[name] for each in self._tried}
        for number, ranking in enumerate(rankings):
            places = [place - 0.4 + width * (number + 0.5) for place in range(len(chunkings))]
            heights = [values[chunking, ranking] for chunking in chunkings]
            bars = ax.bar(
                places, heights, width * 0.94, label=ranking, color=_COLORS[number % len(_COLORS)],
                hatch=_HATCHES[number % len(_HATCHES)], edgecolor="white", linewidth=0,
            )  # fmt: skip
            ax.bar_label(bars, fmt="%.2f", fontsize=7.5, padding=2)
        ax.set_xticks(range(len(chunkings)), chunkings)
        ax.set_xlabel("tokens of a passage / shared with the next")
        ax.set_ylabel(name)
        ax.set_ylim(0, 1.08)
        count = len(self._tried[0].evaluation.questions)
        ax.set_title(f"{name} · {count:,} question{'' if count == 1 else 's'}", loc="left", fontsize=10)
        if len(rankings) > 1:
            ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
        return ax

    def __len__(self) -> int:
        return len(self._tried)

    def __repr__(self) -> str:
        best = self.best
        name, value = list(best.evaluation.metrics.items())[-1]
        return f"Comparison({len(self)} ways; best {name}: {value:.2f} with {best.chunking}, {best.ranking})"

    def __str__(self) -> str:
        return self.to_dataframe().to_string(index=False, float_format=lambda value: f"{value:.3f}")

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # IPython's
        printer.text(repr(self) if cycle else str(self))


def _axes(ax: Axes | None) -> Axes:
    from matplotlib.axes import Axes

    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.figure(figsize=(7.2, 3.4), layout="constrained", facecolor="white").add_subplot(facecolor="white")
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        ax.set_axisbelow(True)
        ax.grid(axis="y", alpha=0.25, linewidth=0.6)
        return ax
    if not isinstance(ax, Axes):
        raise UserError(f"ax has to be matplotlib's Axes, not {type(ax).__name__} {ax!r:.60}.")
    return ax


def chunkings_of(given: Sequence[Any] | None) -> list[Setting]:
    """Return ways of cutting.

    Args:
        given: Numbers of tokens, which share half with the next; pairs of tokens and shared tokens; None for the store
            as it is. Only the latter when None itself.

    Raises:
        UserError: One can't be used.
    """
    if given is None:
        return [Setting("as it is", None)]
    if isinstance(given, (str, Mapping)) or not isinstance(given, Sequence) or not given:
        raise UserError(f"chunking can't be {brief(given)}.", hint="Use numbers, or pairs: [200, 400, (800, 100)].")
    made = []
    for each in given:
        if each is None:
            made.append(Setting("as it is", None))
            continue
        size, shared = each if isinstance(each, (tuple, list)) and len(each) == 2 else (each, None)
        chunking = chunking_json(size, shared)
        static = (chunking or {})["static"]
        label = f"{static['max_chunk_size_tokens']}/{static['chunk_overlap_tokens']}"
        made.append(Setting(label, chunking))
    return list({each.label: each for each in made}.values())


def rankings_of(given: Any) -> dict[str, dict[str, Any]]:
    """Return ways of ranking by their labels.

    Args:
        given: Options of `store.search`: dictionaries, alone, in a list, or by labels. The platform's own when None.

    Raises:
        UserError: One can't be used.
    """
    if given is None:
        return {"default": {}}
    if isinstance(given, Mapping) and given and all(isinstance(each, Mapping) for each in given.values()):
        named = {str(label): dict(each) for label, each in given.items()}
    else:
        several = [given] if isinstance(given, Mapping) else given
        if isinstance(several, str) or not isinstance(several, Sequence) or not several:
            raise UserError(
                f"ranking can't be {brief(given)}.", hint='Use [{"text_weight": 0}, {"embedding_weight": 0}].'
            )
        if odd := [each for each in several if not isinstance(each, Mapping)]:
            raise UserError(f"ranking can't be {brief(odd[0])}.", hint='Use dictionaries: {"score_threshold": 0.3}.')
        named = {_label(each): dict(each) for each in several}
    for options in named.values():
        if unknown := [key for key in options if key not in _OPTIONS]:
            raise UserError(f"A search has no option {unknown[0]!r}.", hint=f"There are {', '.join(_OPTIONS)}.")
    return named


def _label(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={brief(value, 40)}" for key, value in options.items()) or "default"
