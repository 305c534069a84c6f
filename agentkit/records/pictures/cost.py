"""What model calls cost: by agent, by model, or by anything else that tells them apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.records.amounts import count_of, dollar_ticks, dollars
from agentkit.records.pictures.canvas import COLORS, SMALL, Canvas, canvas, labelled_by
from agentkit.records.pictures.fonts import drawable, shortened
from agentkit.records.pictures.rows import SpanRow, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_cost"]

_MOST = 20
"""Bars that are drawn at most: the rest is added up in the last."""
_HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----")
_SHADES = ("#0072b2", "#e69f00", "#009e73", "#b07aa1", "#8fc3e3", "#999999")


@dataclass(slots=True)
class _Share:
    """What one of them cost."""

    name: str
    cost: float = 0.0
    calls: int = 0
    unpriced: int = 0
    by_model: dict[str, float] | None = None


def plot_cost(of: Any, *, by: str = "agent", ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw what model calls cost, the most expensive first.

    Calls without a known price are counted beside the bars, and not guessed at. With several models, a bar shows the
    share of each.

    Args:
        of: An opened trace, what `open_trace` takes, a list of these, or a dataframe of `agentkit.calls()` or
            `traces()`.
        by: "agent", "model", "trace", or "tool": the tools within which agents worked, by an opened trace or
            `agentkit.spans()`.
        ax: Where to draw; a new figure when None.
        title: The title; the sum when None.

    Returns:
        The axes: US dollars from left to right.

    Raises:
        UserError: `by` is something else, or `of` or `ax` can't be used.
    """
    rows = rows_of(of)
    name_of = _namer(by, rows)
    calls = [row for row in rows if row.is_call]
    shares = _shares(calls, name_of)
    on = canvas(ax, height_in=0.28 * min(len(shares), _MOST) + 1.1)
    if not calls:
        return on.nothing("No model was called.")
    several = _draw(on, shares, by_model=by != "model")
    total, unpriced = sum(share.cost for share in shares), sum(share.unpriced for share in shares)
    told = [dollars(total) if unpriced < len(calls) else "no price is known", count_of(len(calls), "model call")]
    if unpriced:
        told.append(f"{unpriced:,} without a known price")
    on.title(f"Cost by {by}" if title is None else title, " · ".join(told), pad=20 if several else 8)
    return on.ax


def _namer(by: str, rows: Sequence[SpanRow]) -> Callable[[SpanRow], str]:
    """Return what tells to whose share a call belongs.

    Raises:
        UserError: `by` is nothing that calls are told apart by.
    """
    if by == "agent":
        return lambda row: row.agent or "(no agent)"
    if by == "model":
        return lambda row: row.model or "(no model)"
    if by == "trace":
        return lambda row: row.trace_id
    if by == "tool":
        by_id = {row.span_id: row for row in rows}
        return lambda row: _tool_around(row, by_id)
    raise UserError(f"There is no cost by {by!r}.", hint='Use by="agent", "model", "trace" or "tool".')


def _tool_around(row: SpanRow, by_id: dict[str, SpanRow]) -> str:
    """Return the name of the outermost tool within which a call was made."""
    name = "(no tool)"
    above, seen = by_id.get(row.parent_id or ""), {row.span_id}
    while above is not None and above.span_id not in seen:
        seen.add(above.span_id)
        if above.kind == "function":
            name = above.name or "tool"
        above = by_id.get(above.parent_id or "")
    return name


def _shares(calls: Sequence[SpanRow], name_of: Callable[[SpanRow], str]) -> list[_Share]:
    by_name: dict[str, _Share] = {}
    for row in calls:
        name = name_of(row)
        share = by_name.setdefault(name, _Share(name, by_model={}))
        share.calls += 1
        if row.cost_usd is None:
            share.unpriced += 1
            continue
        share.cost += row.cost_usd
        model = row.model or "(no model)"
        share.by_model = (share.by_model or {}) | {model: (share.by_model or {}).get(model, 0.0) + row.cost_usd}
    shares = sorted(by_name.values(), key=lambda share: (-share.cost, -share.calls, share.name))
    if len(shares) <= _MOST:
        return shares
    rest = shares[_MOST - 1 :]
    return [*shares[: _MOST - 1], _added(rest)]


def _added(shares: Sequence[_Share]) -> _Share:
    models: dict[str, float] = {}
    for share in shares:
        for model, cost in (share.by_model or {}).items():
            models[model] = models.get(model, 0.0) + cost
    return _Share(
        f"{len(shares):,} more", sum(share.cost for share in shares), sum(share.calls for share in shares),
        sum(share.unpriced for share in shares), models,
    )  # fmt: skip


def _draw(on: Canvas, shares: Sequence[_Share], *, by_model: bool) -> bool:
    """Draw the bars, and return whether they show the shares of several models."""
    from matplotlib.patches import Patch

    places = list(range(len(shares)))
    models = _models(shares) if by_model else []
    if len(models) < 2:
        on.ax.barh(places, [share.cost for share in shares], height=0.7, color=COLORS["input"], label="cost")
    else:
        base = [0.0] * len(shares)
        handles = []
        for number, (model, others) in enumerate(models):
            values = [sum((share.by_model or {}).get(name, 0.0) for name in others) for share in shares]
            style: dict[str, Any] = {"edgecolor": "white", "hatch": _HATCHES[number], "linewidth": 0}
            on.ax.barh(places, values, left=base, height=0.7, color=_SHADES[number], label=drawable(model), **style)
            handles.append(Patch(facecolor=_SHADES[number], label=drawable(shortened(model, 24)), **style))
            base = [low + value for low, value in zip(base, values, strict=True)]
        on.legend(handles)
    _label_dollars(on, shares)
    on.ax.set_ylim(len(shares) - 0.4, -0.6)
    on.ax.set_yticks(places)
    on.names([shortened(share.name, 30) for share in shares])
    on.ax.tick_params(axis="y", length=0)
    on.ax.grid(axis="x", color=on.ink, alpha=0.12, linewidth=0.6)
    for place, share in zip(places, shares, strict=True):
        on.text(1.012, place, _beside(share), transform=on.ax.get_yaxis_transform(), clip_on=False)
    return len(models) > 1


def _label_dollars(on: Canvas, shares: Sequence[_Share]) -> None:
    """Make the axis of dollars, which has no numbers where none is known."""
    from matplotlib.ticker import MaxNLocator

    most = max(share.cost for share in shares)
    on.ax.set_xlim(0, most * 1.02 or 1)
    on.ax.set_xlabel("US dollars", fontsize=SMALL)
    on.ax.xaxis.set_major_formatter(labelled_by(dollar_ticks))
    if most:
        on.ax.xaxis.set_major_locator(MaxNLocator(6))
    elif all(share.unpriced == share.calls for share in shares):
        on.ax.set_xticks([])
        on.ax.set_xlabel("agentkit.set_price(…) says what a model costs", fontsize=SMALL)
    else:
        on.ax.set_xticks([0])


def _beside(share: _Share) -> str:
    cost = "no known price" if share.unpriced == share.calls else dollars(share.cost)
    told = f"{cost} · {count_of(share.calls, 'call')}"
    return f"{told}, {share.unpriced:,} without a price" if 0 < share.unpriced < share.calls else told


def _models(shares: Sequence[_Share]) -> list[tuple[str, list[str]]]:
    """Return the models, the most expensive first, in as many shades as there are: the rest shares the last."""
    costs: dict[str, float] = {}
    for share in shares:
        for model, cost in (share.by_model or {}).items():
            costs[model] = costs.get(model, 0.0) + cost
    names = sorted(costs, key=lambda model: -costs[model])
    if len(names) <= len(_SHADES):
        return [(name, [name]) for name in names]
    rest = names[len(_SHADES) - 1 :]
    return [*((name, [name]) for name in names[: len(_SHADES) - 1]), (f"{len(rest)} more", rest)]
