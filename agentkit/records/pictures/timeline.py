"""The timeline: who did what when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentkit.records.amounts import count_of, seconds
from agentkit.records.pictures.bars import (
    Bar,
    Scale,
    draw_bars,
    draw_labels,
    draw_marks,
    mark_handles,
    scale_of,
)
from agentkit.records.pictures.canvas import SMALL, Canvas, canvas
from agentkit.records.pictures.fonts import shortened
from agentkit.records.pictures.lanes import Group, lanes_of
from agentkit.records.pictures.rows import SpanRow, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_timeline"]

_LINE_IN = 0.25
"""Height of a line, in inches."""
_MOST_ARROWS = 30
_MOST_NAME = 26


@dataclass(slots=True)
class _Drawing:
    """What is to be drawn, before it is."""

    bars: list[Bar] = field(default_factory=list)
    ticks: list[tuple[float, str, bool]] = field(default_factory=list)
    """Place, label, and whether it is an agent's."""
    bands: list[tuple[float, float]] = field(default_factory=list)
    """From where to where each agent's lanes go."""
    sums: list[tuple[float, str]] = field(default_factory=list)
    """Place, and what a lane comes to."""
    place_of: dict[str, float] = field(default_factory=dict)
    """Where each agent is."""
    height: float = 0


def plot_timeline(of: Any, *, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw when what happened: a band for each agent, in it lanes for its model calls and tools.

    What runs in parallel lies in lines beneath each other. A model call is light until its first token came. Errors are
    hatched and crossed, what hasn't finished is hatched and open. Where there would be too many lanes, those with the
    fewest spans are drawn together.

    Args:
        of: An opened trace, what `open_trace` takes, a list of these, or a dataframe of `agentkit.spans()`.
        ax: Where to draw; a new figure when None.
        title: The title; what the trace was and came to when None.

    Returns:
        The axes. Seconds, or what the axis says, go from left to right since the first span's start.

    Raises:
        UserError: `of` or `ax` is none of these.
    """
    rows = rows_of(of)
    drawing, scale = _Drawing(), scale_of(rows)
    for group in lanes_of(rows):
        _place(drawing, group, scale)
    on = canvas(ax, height_in=drawing.height * _LINE_IN + 1.25)
    if not rows:
        return on.nothing("No spans were recorded.")
    _draw_frame(on, drawing, scale)
    kinds = draw_bars(on, drawing.bars, scale)
    draw_marks(on, drawing.bars)
    draw_labels(on, drawing.bars, scale)
    arrows = _draw_handoffs(on, drawing, [row for row in rows if row.kind == "handoff"], scale)
    on.legend([*kinds, *mark_handles(on, drawing.bars, arrows)])
    told, details = _told(of, rows, scale)
    on.title(told if title is None else title, details, pad=20)
    return on.ax


def _place(drawing: _Drawing, group: Group, scale: Scale) -> None:
    """Put a group's lanes beneath what is there."""
    top = drawing.height
    drawing.place_of |= dict.fromkeys(group.agents, top)
    if group.at_work is None and group.agents != {""}:  # a line for the name alone
        drawing.ticks.append((top, group.title, True))
        drawing.height += 1
    for lane in group.all_lanes:
        is_agent = lane is group.at_work
        drawing.ticks.append((drawing.height, lane.label, is_agent))
        if not is_agent and lane.count > 1:
            told = f"{lane.count:,}× · {seconds(lane.busy_s)}"
            drawing.sums.append((drawing.height, f"{told} · overlapping" if lane.crowded else told))
        for line in lane.rows:
            drawing.bars += [scale.bar(row, drawing.height) for row in line]
            drawing.height += 1
    drawing.bands.append((top - 0.5, drawing.height - 0.5))
    drawing.height += 0.25


def _draw_frame(on: Canvas, drawing: _Drawing, scale: Scale) -> None:
    ax = on.ax
    for number, (top, bottom) in enumerate(drawing.bands):
        ax.axhspan(top, bottom, facecolor=on.ink, alpha=0.035 if number % 2 else 0.07, linewidth=0, zorder=0)
    ax.set_ylim(drawing.height - 0.75, -0.75)
    ax.set_xlim(-scale.total_s * 0.005, scale.right)
    ax.set_yticks([place for place, _, _ in drawing.ticks])
    names = [shortened(label, _MOST_NAME) for _, label, _ in drawing.ticks]
    on.names(names, bold=[is_agent for _, _, is_agent in drawing.ticks])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    for place, told in drawing.sums:
        on.text(1.014, place, told, transform=ax.get_yaxis_transform(), fontsize=6.5, alpha=0.75, clip_on=False)
    _label_time(on, scale)


def _label_time(on: Canvas, scale: Scale) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    total = scale.total_s
    unit, factor = next(
        (unit, factor)
        for most, unit, factor in (
            (1.0, "milliseconds", 1e-3), (120.0, "seconds", 1.0), (7200.0, "minutes", 60.0), (2e5, "hours", 3600.0),
            (float("inf"), "days", 86400.0),
        )
        if total < most
    )  # fmt: skip
    places = [place * factor for place in MaxNLocator(9, steps=[1, 2, 2.5, 5, 10]).tick_values(0, scale.right / factor)]
    on.ax.set_xticks([place for place in places if 0 <= place <= scale.right])
    on.ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(value / factor, 6):,g}"))
    on.ax.set_xlabel(f"{unit} since the start", fontsize=SMALL)
    on.ax.grid(axis="x", color=on.ink, alpha=0.12, linewidth=0.6)


def _draw_handoffs(on: Canvas, drawing: _Drawing, handoffs: Sequence[SpanRow], scale: Scale) -> bool:
    """Draw an arrow from agent to agent for each handoff, and return whether there is one."""
    places = list(_arrows(drawing, handoffs, scale))
    if len(places) > _MOST_ARROWS:
        on.ax.scatter(
            [x for x, _, _ in places], [start for _, start, _ in places], marker="v", s=8, color=on.ink, zorder=6,
            label="handoff",
        )  # fmt: skip
        return True
    for x, start, end in places:
        style = {"arrowstyle": "-|>", "color": on.ink, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0, "alpha": 0.75}
        on.ax.annotate("", xy=(x, end), xytext=(x, start), arrowprops=style, zorder=2)
    return bool(places)


def _arrows(drawing: _Drawing, handoffs: Sequence[SpanRow], scale: Scale) -> Iterator[tuple[float, float, float]]:
    for row in handoffs:
        start, end = drawing.place_of.get(row.agent or ""), drawing.place_of.get(row.name or "")
        if start is not None and end is not None and start != end:
            yield (row.started_ns - scale.zero_ns) / 1e9, start, end


def _told(of: Any, rows: Sequence[SpanRow], scale: Scale) -> tuple[str, str]:
    """Return what was done, and what it came to."""
    calls, tools = sum(row.is_call for row in rows), sum(row.kind == "function" for row in rows)
    errors = sum(row.failed for row in rows)
    traces = len({row.trace_id for row in rows})
    parts = [getattr(of, "status", None) if traces == 1 else count_of(traces, "trace")]
    parts += [seconds(scale.total_s), count_of(calls, "model call"), count_of(tools, "tool call") if tools else None]
    parts.append(count_of(errors, "error") if errors else None)
    name = getattr(of, "workflow", None)
    return name if isinstance(name, str) else "", " · ".join(part for part in parts if isinstance(part, str))
