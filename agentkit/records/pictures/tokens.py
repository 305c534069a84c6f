"""Tokens of model calls, in the order in which they were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from agentkit.records.amounts import count_of
from agentkit.records.pictures.canvas import COLORS, SMALL, Canvas, canvas
from agentkit.records.pictures.fonts import drawable, shortened
from agentkit.records.pictures.rows import SpanRow, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_tokens"]

_MOST_BARS = 100
"""Bars that are drawn at most: more calls than that share one."""

_WIDTH = 6
"""Calls that there is room for at least: a single one is no wall."""

_HATCHES = {"cached": "....", "input": "", "reasoning": "////", "output": ""}
_NAMES = {"input": "input", "cached": "input from the cache", "output": "output", "reasoning": "reasoning"}


@dataclass(slots=True)
class _Bar:
    """The tokens of a call, or of several after each other."""

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0
    agent: str | None = None
    failed: bool = False


def plot_tokens(of: Any, *, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw the tokens of each model call: what was sent upwards, what came back downwards.

    Of what was sent, the part that the platform had in its cache is dotted; of what came back, reasoning is hatched.
    More than 100 calls are added up in groups of the same size.

    Args:
        of: An opened trace, what `open_trace` takes, a list of these, or a dataframe of `agentkit.calls()` or
            `traces()`.
        ax: Where to draw; a new figure when None.
        title: The title; the sums when None.

    Returns:
        The axes: calls in order of their start from left to right, counted from 1.

    Raises:
        UserError: `of` or `ax` is none of these.
    """
    calls = [row for row in rows_of(of) if row.is_call]
    on = canvas(ax)
    if not calls:
        return on.nothing("No model was called.")
    each = -(-len(calls) // _MOST_BARS)
    bars = [_bar(calls[start : start + each]) for start in range(0, len(calls), each)]
    _draw(on, bars, each)
    if each == 1:
        _tell_agents(on, bars)
        _cross_failures(on, bars)
    unknown = sum(row.input_tokens is None and row.output_tokens is None for row in calls)
    _title(on, bars, len(calls), unknown, title)
    return on.ax


def _bar(calls: Sequence[SpanRow]) -> _Bar:
    bar = _Bar(agent=calls[0].agent, failed=any(row.failed for row in calls))
    for row in calls:
        cached, reasoning = row.cached_tokens or 0, row.reasoning_tokens or 0
        bar.cached += cached
        bar.input += max((row.input_tokens or 0) - cached, 0)
        bar.reasoning += reasoning
        bar.output += max((row.output_tokens or 0) - reasoning, 0)
    return bar


def _draw(on: Canvas, bars: Sequence[_Bar], each: int) -> None:
    from matplotlib.patches import Patch
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    last = len(bars) * each
    places = [number * each + (each + 1) / 2 for number in range(len(bars))]
    handles = []
    for first, second, sign in (("input", "cached", 1), ("output", "reasoning", -1)):
        base = [0] * len(bars)
        for name in (first, second):
            values = [sign * getattr(bar, name) for bar in bars]
            if not any(values):
                continue
            style: dict[str, Any] = {
                "color": COLORS[name],
                "hatch": _HATCHES[name],
                "edgecolor": "white",
                "linewidth": 0,
            }
            on.ax.bar(places, values, bottom=base, width=0.8 * each, label=_NAMES[name], **style)
            handles.append(Patch(facecolor=COLORS[name], edgecolor="white", hatch=_HATCHES[name], label=_NAMES[name]))
            base = [low + value for low, value in zip(base, values, strict=True)]
    on.ax.axhline(0, color=on.ink, linewidth=0.8)
    on.ax.set_xlim(0.4, max(last, _WIDTH) + 0.6)
    ticks = MaxNLocator(12, integer=True, steps=[1, 2, 5, 10]).tick_values(1, last)
    on.ax.set_xticks([tick for tick in ticks if 1 <= tick <= last] if last > 1 else [1])
    on.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(abs(value))))
    on.ax.set_xlabel("model call" if each == 1 else f"model call (each bar: {each:,} calls)", fontsize=SMALL)
    on.ax.set_ylabel("tokens received  |  sent", fontsize=SMALL)
    on.ax.grid(axis="y", color=on.ink, alpha=0.12, linewidth=0.6)
    on.legend(handles)


def _tell_agents(on: Canvas, bars: Sequence[_Bar]) -> None:
    """Write the agents' names beneath the calls that are theirs, where there are several and there is room."""
    agents = [bar.agent for bar in bars]
    if len(set(agents)) < 2:
        return
    changes = [0, *(place for place in range(1, len(agents)) if agents[place] != agents[place - 1]), len(agents)]
    if len(changes) > 13:
        return
    width = on.ax.get_position().width * on.ax.figure.get_figure(root=True).get_size_inches()[0] * 72
    signs = width / (max(len(bars), _WIDTH) + 0.2) / (SMALL * 0.6)  # letters as wide as a call
    for start, end in pairwise(changes):
        if start:
            on.ax.axvline(start + 0.5, color=on.ink, alpha=0.3, linewidth=0.8, linestyle=":")
        name = shortened(agents[start] or "(no agent)", max(int((end - start) * signs) - 1, 2))
        place = (start + end + 1) / 2
        on.text(place, 0.99, name, ha="center", va="top", transform=on.ax.get_xaxis_transform(), alpha=0.85)
    low, high = on.ax.get_ylim()
    on.ax.set_ylim(low, high + (high - low) * 0.07)


def _cross_failures(on: Canvas, bars: Sequence[_Bar]) -> None:
    failed = [number for number, bar in enumerate(bars, 1) if bar.failed]
    if failed:
        on.ax.scatter(failed, [0] * len(failed), marker="X", s=34, color=COLORS["error"], edgecolors="white",
                      linewidths=0.6, zorder=6, label="error")  # fmt: skip


def _title(on: Canvas, bars: Sequence[_Bar], calls: int, unknown: int, title: str | None) -> None:
    sent, cached = sum(bar.input + bar.cached for bar in bars), sum(bar.cached for bar in bars)
    received = sum(bar.output + bar.reasoning for bar in bars)
    told = [count_of(calls, "model call"), f"{sent:,} tokens sent, {cached / sent:.0%} from the cache" if cached else
            f"{sent:,} tokens sent", f"{received:,} received"]  # fmt: skip
    if unknown:
        told.append(f"{count_of(unknown, 'call')} told none")
    on.title("Tokens" if title is None else title, " · ".join(told), pad=20)


def short_number(value: float) -> str:
    """Return a number as on an axis: "950", "1.2k", "3M"."""
    for least, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= least:
            return drawable(f"{value / least:.3g}{unit}")
    return f"{value:g}"
