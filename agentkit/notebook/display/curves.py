"""Curves of a training as small drawings: SVG in the colours of the notebook's theme, and as a line of text.

All that is drawn are numbers and the words given here; nothing of it comes from outside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from agentkit.notebook.display.text import escape

__all__ = ["COLOURS", "Curve", "Plot", "number_text", "plot_svg", "spark"]

COLOURS = 6
"""Colours that curves may have, from 1; with more curves they begin anew, dashed."""

_WIDTH, _HEIGHT = 376, 208
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 20, 32
_MOST_POINTS = 240
"""Points that a curve is drawn with; of more, the lowest and highest of each part are taken."""
_SMOOTHED_FROM = 40
"""Points from which on a noisy curve is drawn smoothed, too."""
_BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a plot."""

    label: str
    """What it is, for the key."""
    steps: Sequence[float]
    """Where along the training each value is."""
    values: Sequence[float]
    """As many as `steps`. What is no number (a loss that ran away) is left out."""
    colour: int = 1
    """From 1 to `COLOURS`; beyond that the same again, dashed."""
    marked: bool = False
    """Whether its points have marks: where they are few, as those of a validation."""

    def points(self) -> list[tuple[float, float]]:
        """Return its points that can be drawn."""
        pairs = zip(self.steps, self.values, strict=True)
        return [(float(step), float(value)) for step, value in pairs if math.isfinite(value) and math.isfinite(step)]

    @property
    def classes(self) -> str:
        """The classes of its elements, which give its colour."""
        dashed = " agk-pd" if self.colour > COLOURS else ""
        return f"agk-p{(self.colour - 1) % COLOURS + 1}{dashed}"


@dataclass(frozen=True, slots=True)
class Plot:
    """Curves on one pair of axes."""

    title: str
    """What goes up and down, such as "loss"."""
    curves: Sequence[Curve]
    unit: Literal["", "%"] = ""
    """`%` for shares, from 0 to 1."""
    steps: int | None = None
    """Where the training ends, where that is known: so much room there is along it."""
    marks: Sequence[float] = field(default=())
    """Steps that are marked: the checkpoints."""
    along: str = "step"
    """What goes from left to right."""


def plot_svg(plot: Plot) -> str:
    """Return the plot as an SVG element; its colours come from the style sheet around it. "" where nothing is drawn."""
    drawn = [(curve, points) for curve in plot.curves if (points := curve.points())]
    if not drawn:
        return ""
    first, last = _along(plot, drawn)
    ticks = _value_ticks(plot, [value for _, points in drawn for _, value in points])
    axes = _Axes(first, last, ticks[0], ticks[-1])
    parts = [_title(plot), *_grid(plot, axes, ticks), *_marks(plot, axes)]
    parts += [_curve(curve, points, axes) for curve, points in drawn]
    return (
        f'<svg class="agk-plot" role="img" aria-label="{escape(_spoken(plot, drawn))}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" style="max-width:100%;height:auto;min-width:240px">'
        f"{''.join(parts)}</svg>"
    )


def spark(values: Sequence[float], width: int = 24) -> str:
    """Return how values went as a few characters: "▇▅▃▂▁▁"."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    if len(finite) > width:
        parts = [finite[len(finite) * part // width : len(finite) * (part + 1) // width] for part in range(width)]
        finite = [sum(part) / len(part) for part in parts]
    low, high = min(finite), max(finite)
    if high - low <= 1e-9 * max(1.0, abs(high)):
        return _BLOCKS[3] * len(finite)
    return "".join(_BLOCKS[min(7, int(8 * (value - low) / (high - low)))] for value in finite)


def number_text(value: float | None, unit: Literal["", "%"] = "") -> str:
    """Return a value as a person reads it: "0.0431", "1.93", "96.2 %"; "" where there is none."""
    if value is None or math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if unit == "%":
        return f"{100 * value:.1f} %"
    size = abs(value)
    if size >= 1e5 or 0 < size < 1e-4:
        return f"{value:.2e}"
    return f"{value:.0f}" if size >= 1000 else f"{value:.2f}" if size >= 1 else f"{value:.4f}"


# -- axes -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Axes:
    """Where steps and values lie in the drawing."""

    first: float
    last: float
    low: float
    high: float

    def x(self, step: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (step - self.first) / (self.last - self.first)

    def y(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (self.high - inside) / (self.high - self.low)


_Drawn = Sequence[tuple[Curve, Sequence[tuple[float, float]]]]


def _along(plot: Plot, drawn: _Drawn) -> tuple[float, float]:
    last = max(step for _, points in drawn for step, _ in points)
    return 0.0, max(last, float(plot.steps or 0), 1.0)


def _value_ticks(plot: Plot, values: Sequence[float]) -> list[float]:
    """Return round numbers from below the lowest value to above the highest."""
    low, high = min(values), _without_outliers(values)
    if plot.unit == "%":
        low, high = max(0.0, low), 1.0
    elif low >= 0 and low < 0.6 * high:
        low = 0.0
    return _round_ticks(low, high, 4)


def _without_outliers(values: Sequence[float]) -> float:
    """Return the highest value that has room: one step that went wrong mustn't make all others a flat line."""
    ordered = sorted(values)
    usual = ordered[min(len(ordered) - 1, math.ceil(0.97 * len(ordered)))]
    return usual if len(ordered) >= 50 and ordered[-1] > 4 * usual > 0 else ordered[-1]


def _round_ticks(low: float, high: float, about: int) -> list[float]:
    if high - low <= 1e-9 * max(abs(high), 1e-9):
        room = abs(high) * 0.1 or 0.5
        low, high = low - room if low < 0 or low > room else 0.0, high + room
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    apart = next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough * 0.999)
    begin, end = math.floor(low / apart + 1e-9), math.ceil(high / apart - 1e-9)
    return [number * apart for number in range(begin, max(end, begin + 1) + 1)]


def _step_ticks(last: float) -> list[int]:
    apart = max(1, round(_round_ticks(0, last, 5)[1]))
    return list(range(0, int(last) + 1, apart))


# -- what is drawn ----------------------------------------------------------------------------------------------------


def _title(plot: Plot) -> str:
    return f'<text class="agk-pt" x="2" y="12">{escape(plot.title)}</text>'


def _grid(plot: Plot, axes: _Axes, ticks: Sequence[float]) -> list[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = []
    digits = _digits(ticks)
    for value in ticks:
        y = round(axes.y(value), 1)
        shown = f"{100 * value:.0f} %" if plot.unit == "%" else f"{value:.{digits}f}"
        if abs(value) >= 1e5:
            shown = f"{value:.0e}"
        kind = "agk-pb" if value == ticks[0] else "agk-pg"
        parts.append(f'<line class="{kind}" x1="{_LEFT}" y1="{y}" x2="{right}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{round(y + 3.5, 1)}" text-anchor="end">{shown}</text>')
    for step in _step_ticks(axes.last):
        x = round(axes.x(step), 1)
        anchor = "end" if x > right - 12 else "middle"
        parts.append(f'<text x="{x}" y="{bottom + 14}" text-anchor="{anchor}">{step:,}</text>')
    middle = (_LEFT + right) / 2
    parts.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 4}" text-anchor="middle">{escape(plot.along)}</text>')
    return parts


def _digits(ticks: Sequence[float]) -> int:
    """Return how many decimals tell the ticks apart."""
    apart = abs(ticks[1] - ticks[0])
    if apart <= 0:
        return 2
    digits = max(0, -math.floor(math.log10(apart) + 1e-9))
    return min(8, digits + (1 if abs(round(apart, digits) - apart) > 1e-9 * apart else 0))


def _marks(plot: Plot, axes: _Axes) -> list[str]:
    bottom = _HEIGHT - _BOTTOM
    places = [round(axes.x(step), 1) for step in plot.marks if axes.first <= step <= axes.last]
    return [f'<line class="agk-pm" x1="{x}" y1="{_TOP}" x2="{x}" y2="{bottom}"/>' for x in places]


def _curve(curve: Curve, points: Sequence[tuple[float, float]], axes: _Axes) -> str:
    colour = curve.classes
    if curve.marked:
        dots = "".join(
            f'<circle class="agk-po {colour}" cx="{axes.x(step):.1f}" cy="{axes.y(value):.1f}" r="3"/>'
            for step, value in (points if len(points) <= 60 else points[-1:])
        )
        return _path(points, axes, f"agk-pl {colour}") + dots
    smooth = _smoothed(points) if len(points) >= _SMOOTHED_FROM else None
    if smooth is None:
        alone = points[0] if len(points) == 1 else None
        dot = "" if alone is None else (
            f'<circle class="agk-po {colour}" cx="{axes.x(alone[0]):.1f}" cy="{axes.y(alone[1]):.1f}" r="2.5"/>'
        )  # fmt: skip
        return _path(points, axes, f"agk-pl {colour}") + dot
    return _path(points, axes, f"agk-pr {colour}") + _path(smooth, axes, f"agk-pl {colour}")


def _path(points: Sequence[tuple[float, float]], axes: _Axes, classes: str) -> str:
    if len(points) < 2:
        return ""
    drawn = " ".join(f"{axes.x(step):.1f},{axes.y(value):.1f}" for step, value in _thinned(points))
    return f'<polyline class="{classes}" points="{drawn}"/>'


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return at most about `_MOST_POINTS` points, with every high and low among them."""
    if len(points) <= _MOST_POINTS:
        return list(points)
    parts = _MOST_POINTS // 2
    kept = [points[0]]
    for part in range(parts):
        few = points[len(points) * part // parts : len(points) * (part + 1) // parts]
        ends = {min(few, key=lambda each: each[1]), max(few, key=lambda each: each[1])}
        kept += sorted(ends)
    return [*kept, points[-1]]


def _smoothed(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the mean around each point: of a twenty-fifth of all, and of fewer at the ends."""
    reach = max(2, len(points) // 25)
    sums = [0.0]
    for _, value in points:
        sums.append(sums[-1] + value)
    smooth = []
    for place, (step, _) in enumerate(points):
        near = min(reach, place, len(points) - 1 - place)
        begin, end = place - near, place + near + 1
        smooth.append((step, (sums[end] - sums[begin]) / (end - begin)))
    return smooth


def _spoken(plot: Plot, drawn: _Drawn) -> str:
    """Return the plot in a sentence, for who can't see it."""
    told = []
    for curve, points in drawn:
        (_, begin), (step, end) = points[0], points[-1]
        told.append(
            f"{curve.label} from {number_text(begin, plot.unit)} to {number_text(end, plot.unit)}"
            f" at {plot.along} {step:g}"
        )
    return f"{plot.title}: {'; '.join(told)}"
