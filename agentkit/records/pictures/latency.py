"""How long model calls and tools take: percentiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.records.amounts import count_of, duration_step_s, duration_ticks, seconds
from agentkit.records.pictures.canvas import COLORS, SMALL, Canvas, canvas, labelled_by
from agentkit.records.pictures.fonts import shortened
from agentkit.records.pictures.rows import SpanRow, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PERCENTILES", "plot_latency"]

PERCENTILES = (50, 90, 99)
_MARKS = {50: ("o", 46), 90: ("D", 34), 99: (">", 40)}
_MOST = 24
"""Names that are drawn at most."""
_MOST_DOTS = 200
"""Durations of a name that are drawn as dots; of more, as many of them."""
_MANY_FOLD = 30
"""From which ratio between the longest and the shortest on the axis is logarithmic."""


@dataclass(slots=True)
class _Series:
    """Durations of one name."""

    name: str
    color: str
    values: list[float]
    """Seconds, ascending."""

    def percentile(self, percent: int) -> float:
        """Return the duration below which so many percent of them are, interpolated linearly."""
        place = (len(self.values) - 1) * percent / 100
        low = int(place)
        high = min(low + 1, len(self.values) - 1)
        return self.values[low] + (self.values[high] - self.values[low]) * (place - low)


def plot_latency(of: Any, *, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw how long model calls and tools took: half of them, 90 and 99 of 100 at most.

    For each model and tool a line from p50 to p99, with the single durations as dots behind it. What hasn't finished is
    left out, what failed counts. Of streamed calls, the time to the first token has a line of its own.

    Args:
        of: An opened trace, what `open_trace` takes, a list of these, or a dataframe of `agentkit.calls()`,
            `tools()`, `spans()` or `traces()`: of one trace or of many.
        ax: Where to draw; a new figure when None.
        title: The title; the counts when None.

    Returns:
        The axes: seconds from left to right, logarithmic where they differ a lot.

    Raises:
        UserError: `of` or `ax` is none of these.
    """
    rows = [row for row in rows_of(of) if row.duration_s is not None]
    every = _series(rows)
    series = every[:_MOST]
    on = canvas(ax, height_in=0.3 * len(series) + 1.2)
    if not series:
        return on.nothing("No model call and no tool has finished.")
    for place, one in enumerate(series):
        _draw(on, place, one)
    _label(on, series)
    calls, tools = sum(row.is_call for row in rows), sum(row.kind == "function" for row in rows)
    told = [count_of(number, noun) for number, noun in ((calls, "model call"), (tools, "tool call")) if number]
    if len(every) > _MOST:
        told.append(f"{len(every) - _MOST} more names aren't shown")
    on.title("Latency" if title is None else title, " · ".join(told), pad=20)
    return on.ax


def _series(rows: Sequence[SpanRow]) -> list[_Series]:
    """Return the durations: of models, to their first tokens, then of tools, those that took longest in all first."""
    found: dict[tuple[int, str], list[float]] = {}
    colors = ("call", "waiting", "tool")
    for row in rows:
        if row.is_call:
            model = row.model or "model call"
            found.setdefault((0, model), []).append(row.duration_s or 0.0)
            if row.first_token_s is not None:
                found.setdefault((1, f"{model}, first token"), []).append(row.first_token_s)
        elif row.kind == "function":
            found.setdefault((2, row.name or "tool"), []).append(row.duration_s or 0.0)
    order = sorted(found, key=lambda key: (key[0], -sum(found[key])))
    return [_Series(name, COLORS[colors[kind]], sorted(found[kind, name])) for kind, name in order]


def _draw(on: Canvas, place: int, one: _Series) -> None:
    dots = one.values
    if len(dots) > _MOST_DOTS:
        step = (len(dots) - 1) / (_MOST_DOTS - 1)
        dots = [one.values[round(number * step)] for number in range(_MOST_DOTS)]
    heights = [
        place + 0.22 * (((number * 7) % 11) / 5 - 1) for number in range(len(dots))
    ]  # so that they can be told apart
    on.ax.scatter(dots, heights, s=9, color=one.color, alpha=0.35, linewidths=0, zorder=3)
    found = {percent: one.percentile(percent) for percent in PERCENTILES}
    on.ax.plot([found[50], found[99]], [place, place], color=on.ink, linewidth=1.4, zorder=4, solid_capstyle="butt")
    for percent, value in found.items():
        marker, size = _MARKS[percent]
        on.ax.scatter([value], [place], marker=marker, s=size, color=one.color, edgecolors=on.ink, linewidths=0.8,
                      zorder=5, label=f"p{percent} {one.name}")  # fmt: skip
    told = " · ".join(seconds(value) for value in found.values())
    on.text(1.012, place, f"{told}   (n={len(one.values):,})", transform=on.ax.get_yaxis_transform(), clip_on=False)


def _label(on: Canvas, series: Sequence[_Series]) -> None:
    from matplotlib.lines import Line2D

    _label_durations(on, series)
    on.ax.set_ylim(len(series) - 0.4, -0.6)
    on.ax.set_yticks(range(len(series)))
    on.names([shortened(one.name, 34) for one in series])
    on.ax.tick_params(axis="y", length=0)
    on.ax.set_xlabel("duration", fontsize=SMALL)
    on.ax.grid(axis="x", color=on.ink, alpha=0.12, linewidth=0.6)
    on.text(1.012, -0.75, "p50 · p90 · p99", transform=on.ax.get_yaxis_transform(), clip_on=False, alpha=0.75)
    style: dict[str, Any] = {"linestyle": "none", "color": "#bbbbbb", "markeredgecolor": on.ink, "markersize": 6}
    words = {50: "half of them (p50)", 90: "90 of 100 (p90)", 99: "99 of 100 (p99)"}
    handles = [Line2D([], [], marker=_MARKS[percent][0], label=words[percent], **style) for percent in PERCENTILES]
    dot = Line2D([], [], marker="o", linestyle="none", color="#888888", alpha=0.5, markersize=3.5, label="a call")
    on.legend([*handles, dot])


def _label_durations(on: Canvas, series: Sequence[_Series]) -> None:
    """Make the axis of durations: logarithmic where they differ a lot, else with ticks in one unit."""
    from matplotlib.ticker import LogLocator, MultipleLocator, NullFormatter

    least = min(one.values[0] for one in series)
    most = max(one.values[-1] for one in series)
    if most > max(least, 1e-6) * _MANY_FOLD:
        on.ax.set_xscale("log")
        on.ax.set_xlim(max(least, most * 1e-6, 1e-6) / 1.3, most * 1.4)
        on.ax.xaxis.set_major_locator(LogLocator(10, subs=(1.0, 3.0), numticks=12))
        on.ax.xaxis.set_minor_formatter(NullFormatter())
        on.ax.xaxis.set_major_formatter(labelled_by(lambda values: [_on_log_axis(value) for value in values]))
        return
    on.ax.set_xlim(0, most * 1.06 or 1)
    if step := duration_step_s(most):
        on.ax.xaxis.set_major_locator(MultipleLocator(step))
    on.ax.xaxis.set_major_formatter(labelled_by(duration_ticks))


def _on_log_axis(value: float) -> str:
    return seconds(value) if value >= 120 else duration_ticks([value])[0]
