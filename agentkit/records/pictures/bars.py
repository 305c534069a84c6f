"""The bars of a timeline: what each looks like, and what is written on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agentkit.records.amounts import count_of, seconds
from agentkit.records.pictures.canvas import COLORS, SMALL, Canvas
from agentkit.records.pictures.rows import SpanRow

__all__ = ["Bar", "Scale", "draw_bars", "draw_labels", "draw_marks", "mark_handles", "scale_of"]

_BAR, _AGENT_BAR = 0.68, 0.52
"""Height of a bar, of a line's."""
_THINNEST = 1 / 900
"""Width of a bar at least, of the whole."""
_MOST_BARS, _MOST_IN_LINE = 250, 20
"""Bars of a picture, and of a line, up to which those without room for a label get one beside them."""

_KINDS = {"agent": "agent at work", "call": "model call", "tool": "tool", "guardrail": "guardrail", "other": "other"}
_LOOKS = {"error": ("////", "error"), "cancelled": ("----", "cancelled"), "open": ("\\\\\\\\", "not finished")}


@dataclass(slots=True)
class Bar:
    """A span as a bar. Times in seconds since the start."""

    row: SpanRow
    start: float
    end: float
    """Where it is drawn to."""
    y: float
    color: str
    """What it is: a key of `_KINDS`."""
    look: str
    """How it went: "", or a key of `_LOOKS`."""

    @property
    def height(self) -> float:
        """Its height, of a line's."""
        return _AGENT_BAR if self.color == "agent" else _BAR


@dataclass(slots=True)
class Scale:
    """From times to places."""

    zero_ns: int
    total_s: float
    """Seconds from the first start to the last known time."""

    @property
    def right(self) -> float:
        """Where the picture ends."""
        return self.total_s * 1.03

    @property
    def thin_s(self) -> float:
        """Seconds that are too short for a hatch or a mark."""
        return self.total_s * _THINNEST * 4

    def bar(self, row: SpanRow, y: float) -> Bar:
        """Return a span as a bar."""
        start = (row.started_ns - self.zero_ns) / 1e9
        end = self.right if row.duration_s is None else start + max(row.duration_s, self.total_s * _THINNEST)
        look = "open" if row.duration_s is None else row.status if row.status in _LOOKS else ""
        return Bar(row, start, end, y, _color(row), "error" if row.failed else look)


def scale_of(rows: Sequence[SpanRow]) -> Scale:
    """Return the scale for spans in order of start."""
    if not rows:
        return Scale(0, 1)
    zero = rows[0].started_ns
    last = max(row.started_ns + int((row.duration_s or 0) * 1e9) for row in rows)
    return Scale(zero, (last - zero) / 1e9 or 1e-3)


def _color(row: SpanRow) -> str:
    if row.is_call:
        return "call"
    return {"function": "tool", "agent": "agent", "guardrail": "guardrail"}.get(row.kind, "other")


def draw_bars(on: Canvas, bars: Sequence[Bar], scale: Scale) -> list[Any]:
    """Draw the bars, those that look the same at once, and return what explains their colours."""
    from matplotlib.patches import Patch

    edge = 0.5 if len(bars) < 400 else 0.0
    seen = {bar.color for bar in bars}
    for color in seen:
        for look in ("", *_LOOKS):
            alike = [bar for bar in bars if bar.color == color and bar.look == look]
            plain = {"facecolor": COLORS[color], "edgecolor": "#ffffff", "linewidth": edge}
            _draw_alike(on, alike, f"{color} {look}".strip(), _style(color, look) if look else plain, scale.thin_s)
    waits = [
        (bar.start, min(bar.start + bar.row.first_token_s, bar.end), bar.y, _BAR)
        for bar in bars
        if bar.row.first_token_s and not bar.look
    ]
    if waits:
        _rectangles(on, waits, "until the first token", {"facecolor": COLORS["waiting"], "linewidth": 0})
        ends = [(end, y - _BAR / 2, y + _BAR / 2) for start, end, y, _ in waits if end - start > scale.thin_s]
        if ends:
            places, tops, bottoms = zip(*ends, strict=True)
            on.ax.vlines(places, tops, bottoms, colors=on.ink, linewidth=0.8, zorder=4, label="first token")
    handles = [Patch(facecolor=COLORS[color], label=_KINDS[color]) for color in _KINDS if color in seen]
    return handles + ([Patch(facecolor=COLORS["waiting"], label="until its first token")] if waits else [])


def _style(color: str, look: str) -> dict[str, Any]:
    ink = COLORS["error"] if look == "error" else "#7d8ea3" if color == "agent" else COLORS[color]
    return {"facecolor": "#ffffff", "edgecolor": ink, "hatch": _LOOKS[look][0], "linewidth": 0.8}


def _draw_alike(on: Canvas, bars: Sequence[Bar], label: str, style: dict[str, Any], thin_s: float) -> None:
    """Draw bars that look the same. Errors too thin for a hatch are drawn half as high, to hide less of the rest."""
    is_error = label.endswith("error")
    for thin in (False, True) if is_error else (False,):
        places = [
            (bar.start, bar.end, bar.y + thin * bar.height / 4, bar.height / (1 + thin))
            for bar in bars
            if not is_error or (bar.end - bar.start < thin_s) is thin
        ]
        filled = {"facecolor": COLORS["error"], "linewidth": 0}
        if places:
            _rectangles(on, places, f"{label}, thin" if thin else label, filled if thin else style)


def _rectangles(
    on: Canvas, places: Sequence[tuple[float, float, float, float]], label: str, style: dict[str, Any]
) -> None:
    """Draw rectangles (from, to, middle, height) in one style as one object, which is named by `label`."""
    from matplotlib.collections import PolyCollection

    corners = [
        ((x0, y - h / 2), (x1, y - h / 2), (x1, y + h / 2), (x0, y + h / 2))
        for x0, x1, y, h in places
    ]  # fmt: skip
    on.ax.add_collection(PolyCollection(corners, label=label, zorder=3, **style), autolim=False)


def draw_marks(on: Canvas, bars: Sequence[Bar]) -> None:
    """Cross errors, and open the end of what hasn't finished."""
    for look, marker, color in (("error", "X", COLORS["error"]), ("open", ">", on.ink)):
        alike = [bar for bar in bars if bar.look == look]
        if not alike:
            continue
        size = 34 if len(alike) <= 40 else 12
        on.ax.scatter(
            [bar.end for bar in alike], [bar.y for bar in alike], s=size, marker=marker, color=color,
            edgecolors="#ffffff", linewidths=0.6, zorder=6, clip_on=False, label=_LOOKS[look][1],
        )  # fmt: skip


def mark_handles(on: Canvas, bars: Sequence[Bar], arrows: bool) -> list[Any]:
    """Return what explains the marks that are there, and the arrows of handoffs."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    looks = {bar.look for bar in bars}
    plain: dict[str, Any] = {"linestyle": "none", "markeredgecolor": "#ffffff", "markersize": 7}
    handles: list[Any] = []
    if "error" in looks:
        handles.append(Line2D([], [], marker="X", color=COLORS["error"], label="error", **plain))
    if "open" in looks:
        handles.append(Line2D([], [], marker=">", color=on.ink, label="not finished", **plain))
    if "cancelled" in looks:
        hatch = _LOOKS["cancelled"][0]
        handles.append(Patch(facecolor="#ffffff", edgecolor=COLORS["call"], hatch=hatch, label="cancelled"))
    if arrows:
        handles.append(Line2D([], [], marker=r"$\downarrow$", color=on.ink, label="handoff", linestyle="none"))
    return handles


def draw_labels(on: Canvas, bars: Sequence[Bar], scale: Scale) -> None:
    """Write how long things took, in bars that have room for it or beside those that are alone there."""
    lines: dict[float, list[Bar]] = {}
    for bar in bars:
        lines.setdefault(bar.y, []).append(bar)
    width = on.ax.get_position().width * on.ax.figure.get_figure(root=True).get_size_inches()[0] * 72
    sign_s = scale.right / width * SMALL * 0.56  # seconds as wide as a letter
    for line in lines.values():
        line.sort(key=lambda bar: bar.start)
        next_starts = [bar.start for bar in line[1:]] + [scale.right]
        few = len(bars) <= _MOST_BARS and len(line) <= _MOST_IN_LINE
        for bar, next_start in zip(line, next_starts, strict=True):
            _label(on, bar, min(bar.end, next_start), next_start if few else bar.end, sign_s)


def _label(on: Canvas, bar: Bar, inside_until: float, beside_until: float, sign_s: float) -> None:
    """Write a bar's label where there is room: in it, else to its right.

    Args:
        on: Where.
        bar: The bar.
        inside_until: Up to where nothing covers it.
        beside_until: Up to where there is nothing to its right.
        sign_s: Seconds as wide as a letter.
    """
    texts = _label_texts(bar.row)
    begins = bar.start + (bar.row.first_token_s or 0)
    for text in [] if bar.look else texts:
        if (len(text) + 1.5) * sign_s <= inside_until - begins:
            color = "#ffffff" if bar.color in ("call", "guardrail", "other") else "#222222"
            middle = (begins + inside_until) / 2
            on.text(middle, bar.y, text, fontsize=6.5, color=color, ha="center", zorder=5, clip_on=True)
            return
    if bar.look != "open" and (len(texts[-1]) + 3) * sign_s <= beside_until - bar.end:
        on.text(bar.end + sign_s * 1.3, bar.y, texts[-1], fontsize=6.5, zorder=5).set_path_effects(_halo(on))


def _halo(on: Canvas) -> list[Any]:
    """Return what keeps a text readable on a line."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2, foreground="#f4f4f4" if on.ink == "#222222" else "#333333")]


def _label_texts(row: SpanRow) -> list[str]:
    """Return what to write of a span, the most telling first, the shortest last."""
    if row.duration_s is None:
        return ["not finished"]
    took = seconds(row.duration_s)
    tokens = (row.input_tokens or 0) + (row.output_tokens or 0)
    return [f"{took} · {count_of(tokens, 'token')}", took] if row.is_call and tokens else [took]
