"""Pictures of a data set: how long its examples are, how many turns they have, and what they answer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.finetuning.examples import answer_of, messages_of
from agentkit.finetuning.splitting import By, labels_of
from agentkit.finetuning.tokens import token_frame
from agentkit.records.pictures.canvas import COLORS, SMALL, Canvas, canvas, canvases
from agentkit.runtime.graph.labels import cut, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from agentkit.finetuning.dataset import FineTuningDataset

__all__ = ["PANELS", "plot_dataset"]

PANELS: Final = ("tokens", "turns", "labels")
"""What can be drawn of a data set."""

_MOST: Final = 15
"""Labels that have a bar of their own."""
_BINS: Final = 24
_READ, _TRAINED = COLORS["call"], COLORS["tool"]


def plot_dataset(
    dataset: FineTuningDataset, what: Any, *, by: By, model: str | None, ax: Axes | None
) -> tuple[Axes, ...]:
    """Draw distributions of a data set; see `FineTuningDataset.plot`.

    Raises:
        UserError: There is no such picture, or `ax` is given for several.
    """
    if what is not None and what not in PANELS:
        raise UserError(f"No picture is called {brief(what)}.", hint=f"There are {', '.join(PANELS)}; None draws all.")
    wanted = PANELS if what is None else (what,)
    if ax is not None and len(wanted) > 1:
        raise UserError("Three pictures don't fit into one pair of axes.", hint='Name one: dataset.plot("tokens", …).')
    places = canvases(len(wanted), height_in=2.8) if ax is None else [canvas(ax)]
    if not len(dataset):
        return tuple(on.nothing("There are no examples.") for on in places)
    for on, name in zip(places, wanted, strict=True):
        if name == "tokens":
            _tokens(on, dataset, model)
        elif name == "turns":
            _turns(on, dataset)
        else:
            _labels(on, dataset, by)
    return tuple(on.ax for on in places)


def _tokens(on: Canvas, dataset: FineTuningDataset, model: str | None) -> None:
    from matplotlib.patches import Patch

    frame = token_frame(dataset, model).dropna()
    if frame.empty:
        on.nothing("No example can be read.")
        return
    highest = int(frame["tokens"].max())
    step = max(1, -(-(highest + 1) // _BINS))
    edges = list(range(0, highest + step + 1, step))
    handles = []
    for name, color, hatch, label in (("tokens", _READ, "", "all"), ("trained", _TRAINED, "////", "learnt")):
        values = frame[name].astype("int64").to_numpy()
        look: dict[str, Any] = {"alpha": 0.75, "hatch": hatch, "edgecolor": "white", "linewidth": 0.4}
        on.ax.hist(values, edges, color=color, **look)
        handles.append(Patch(facecolor=color, label=f"{label}, {values.mean():,.0f} on average", **look))
    on.legend(handles)
    _named(on, "tokens of an example", "examples")


def _turns(on: Canvas, dataset: FineTuningDataset) -> None:
    counts = Counter(
        sum(each.get("role") == "user" for each in messages_of(value))
        for value in dataset.values()
        if value is not None
    )
    if not counts:
        on.nothing("No example can be read.")
        return
    bars = on.ax.bar(list(counts), list(counts.values()), width=0.7, color=_READ)
    on.ax.bar_label(bars, fmt="{:,.0f}", fontsize=SMALL, color=on.ink, padding=2)
    on.ax.set_xticks(sorted(counts) if len(counts) <= 12 else range(min(counts), max(counts) + 1, len(counts) // 8))
    on.ax.set_xlim(min(counts) - 0.8, max(counts) + 0.8)
    _named(on, "messages of the user", "examples")


def _labels(on: Canvas, dataset: FineTuningDataset, by: By) -> None:
    if by == "answer":  # as it is written, where `labels_of` would only tell long ones apart
        labels = [answer_of(value) if value is not None else "(unreadable)" for value in dataset.values()]
    else:
        labels = labels_of(dataset, by)
    counts = Counter(labels)
    shown = counts.most_common(_MOST)
    names = [cut(visible(label), 34) for label, _ in shown]
    numbers = [count for _, count in shown]
    if len(counts) > _MOST:
        names.append(f"{len(counts) - _MOST:,} others")
        numbers.append(sum(counts.values()) - sum(numbers))
    places = range(len(names) - 1, -1, -1)
    colors = [_READ] * min(len(names), _MOST) + [COLORS["cached"]] * (len(names) - _MOST)
    on.ax.barh(list(places), numbers, height=0.72, color=colors)
    on.ax.set_yticks(list(places))
    on.names(names)
    on.ax.tick_params(axis="y", length=0)
    _named(on, "examples", "")
    on.ax.grid(visible=False, axis="y")
    on.ax.grid(axis="x", color=on.ink, alpha=0.12, linewidth=0.6)


def _named(on: Canvas, x: str, y: str) -> None:
    on.ax.set_xlabel(x, fontsize=SMALL)
    on.ax.set_ylabel(y, fontsize=SMALL)
    on.ax.grid(axis="y", color=on.ink, alpha=0.12, linewidth=0.6)
