"""The drawing of a graph of agents: SVG without scripts, ids or anything from elsewhere.

Agents are boxes with what they may call listed in them; a handoff is an arrow, a call of an agent as a tool a line with
a ring where it is answered. Colours are those of the notebook's theme, or shine through on light and dark alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from agentkit.runtime.graph.agents import Entry, Graph, Node, Way
from agentkit.runtime.graph.labels import cut, visible, width
from agentkit.runtime.graph.layout import Box, Curve, Layout, Link, lay_out

__all__ = ["Drawing", "draw", "style"]

_HEAD, _ROW, _PAD = 34.0, 19.0, 12.0
"""Height of an agent's name and of a row below it, and room beside them, in pixels."""
_NAME_SIZE, _ROW_SIZE = 13.0, 11.0
_LONGEST_NAME, _LONGEST_ENTRY = 30, 32
_MOST_ENTRIES = 10
"""Rows of a box; what doesn't fit is counted."""
_TALLEST = 200.0
"""Most that an agent's name is given where many ways lead from it."""
_GAP, _GAP_DOWN = 76.0, 48.0
"""Room between ranks, from left to right and from top to bottom."""
_LEAST_WIDTH, _MARK = 96.0, 15.0
_MARGIN, _START, _LOOP = 14.0, 30.0, 24.0
"""Room around the drawing, ahead of the start, and over an agent that hands off to itself."""
_WIDE = 1_150.0
"""Width from which on a drawing from left to right may be drawn from top to bottom instead."""

_RULES = {
    "": "display:block;font-family:var(--jp-ui-font-family,system-ui,-apple-system,'Segoe UI',sans-serif);"
    "font-size:13px;--e:var(--jp-ui-font-color2,var(--vscode-descriptionForeground,#70757d));"
    "--b:var(--jp-brand-color1,#1e88e5);--t:var(--jp-success-color1,#2e9e44);--g:var(--jp-warn-color1,#d98b00)",
    "text": "fill:currentColor;stroke:none",
    ".ar": "font:11px var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace)",
    ".af": "font:italic 12px Georgia,'Times New Roman',serif;fill:var(--e)",
    ".aq,.al": "font-size:11px;opacity:.7",
    ".ab": "fill:var(--b);fill-opacity:.09;stroke:var(--b);stroke-width:1.2",
    ".as": "font-weight:600",
    ".as>.ab": "stroke-width:2.4;fill-opacity:.15",
    ".ax": "stroke:var(--l,rgba(128,128,128,.35));stroke-width:1",
    ".ad,.au>.ab": "stroke-dasharray:5 4",
    ".av": "stroke:var(--e);stroke-width:1;stroke-dasharray:4 3",
    ".aw": "fill:none;stroke:var(--e);stroke-width:1.5",
    ".ah": "fill:var(--e);stroke:none",
    ".at": "stroke:var(--t)",
    ".ao": "fill:var(--o,none);stroke:var(--t);stroke-width:1.5",
    ".ai": "fill:none;stroke:var(--e);stroke-width:1.2;stroke-linejoin:round;stroke-linecap:round",
    ".ag": "stroke:var(--g);fill:var(--g);fill-opacity:.2",
}
_ICONS = {
    "hosted": "M3.4 9h5.3a2.1 2.1 0 0 0 .2-4.2A3.1 3.1 0 0 0 3 4.4 2.3 2.3 0 0 0 3.4 9z",  # a cloud
    "server": "M1.5 1.5h8v3.4h-8zM1.5 6.1h8v3.4h-8zM3.4 3.2h.1M3.4 7.8h.1",  # two drawers
    "agent": "M1.5 3h6v5h-6zM7.5 5.5h3M9 4l1.5 1.5L9 7",  # a box with a way out
}
_SHIELD = "M5 .8L9 2.2V5.2C9 7.6 7.2 9.2 5 10 2.8 9.2 1 7.6 1 5.2V2.2z"


def style(scope: str) -> str:
    """Return the rules of a drawing, for those within `scope`, a selector of the `svg` element."""
    return "".join(
        ",".join(f"{scope} {selector}".rstrip() for selector in selectors.split(",")) + f"{{{declarations}}}"
        for selectors, declarations in _RULES.items()
    )


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing without the element around it."""

    width: float
    """In pixels."""
    height: float
    """In pixels."""
    content: str
    """The elements within."""


@dataclass(slots=True)
class _Card:
    """An agent's box, measured."""

    node: Node
    name: str
    entries: list[Entry]
    left_out: int
    looped: bool
    head: float = _HEAD

    @property
    def width(self) -> float:
        marks = _MARK * (bool(self.node.input_guardrails) + bool(self.node.output_guardrails))
        rows = [width(cut(visible(each.name), _LONGEST_ENTRY), _ROW_SIZE, mono=True) + 18 for each in self.entries]
        named = width(self.name, _NAME_SIZE) * (1.1 if self.node.start else 1.0) + marks
        return round(max(_LEAST_WIDTH, named + 2 * _PAD, *(row + 2 * _PAD for row in rows)))

    @property
    def height(self) -> float:
        rows = len(self.entries) + (self.left_out > 0)
        return self.head + (rows * _ROW + 7 if rows else 0.0)

    def row_middle(self, number: int) -> float:
        """Return where the middle of a row is, from the top."""
        return self.head + 3 + (number + 0.5) * _ROW


def draw(graph: Graph) -> Drawing:
    """Return the drawing of a graph: from left to right, or from top to bottom where that is much narrower."""
    drawer = _Drawer(graph)
    across = drawer.laid_out(sideways=True)
    if across.along > _WIDE:
        down = drawer.laid_out(sideways=False)
        if down.across < across.along * 0.75:
            return drawer.drawn(down, sideways=False)
    return drawer.drawn(across, sideways=True)


class _Drawer:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        looped = {way.source for way in graph.ways if way.source == way.target}
        self.cards = [
            _Card(
                node,
                cut(visible(node.name), _LONGEST_NAME),
                _shown(node.entries),
                max(0, len(node.entries) - len(_shown(node.entries))),
                number in looped,
            )
            for number, node in enumerate(graph.nodes)
        ]
        self.pairs = _paired(graph.ways)

    def laid_out(self, *, sideways: bool) -> Layout:
        meeting = Counter(end for way, _ in self.pairs for end in {(way.source, "out"), (way.target, "in")})
        for number, card in enumerate(self.cards):  # who has many ways is given room for them
            most = max(meeting[number, "out"], meeting[number, "in"]) if sideways else 0
            card.head = max(_HEAD, min(_TALLEST, 8.0 * most + 8))
        boxes = [
            Box(card.width, card.height, card.head / 2, card.head / 2 - 7, _LOOP if card.looped else 0.0)
            if sideways
            else Box(card.height, card.width, card.width / 2, card.width / 3)
            for card in self.cards
        ]
        links = [Link(way.source, way.target, self._port(way) if sideways else None) for way, _ in self.pairs]
        starts = [number for number, node in enumerate(self.graph.nodes) if node.start]
        return lay_out(boxes, links, starts, gap=_GAP if sideways else _GAP_DOWN, stretch=sideways)

    def _port(self, way: Way) -> float | None:
        """Return where a way leaves its box: that of an agent called as a tool from the tool's row."""
        if way.kind == "handoff":
            return None
        card = self.cards[way.source]
        for number, entry in enumerate(card.entries):
            if entry.target == way.target:
                return card.row_middle(number)
        return card.row_middle(len(card.entries))

    def drawn(self, layout: Layout, *, sideways: bool) -> Drawing:
        ahead, aside = _MARGIN + _START, _MARGIN + (0.0 if sideways else _LOOP * any(c.looped for c in self.cards))

        def at(along: float, across: float) -> tuple[float, float]:
            return (along + ahead, across + aside) if sideways else (across + aside, along + ahead)

        parts = []
        for (way, both), curve in zip(self.pairs, layout.curves, strict=True):
            parts.append(_way_drawn(self.graph, way, both, [at(*point) for point in curve]))
        for number, card in enumerate(self.cards):
            x, y = at(*layout.places[number])
            wide = layout.sizes[number] if sideways else card.width
            loops = [way for way in self.graph.ways if way.source == way.target == number]
            parts += [_loop_drawn(way, card.name, x + wide - 44 * slot, y) for slot, way in enumerate(loops)]
            parts.append("".join(_card_drawn(card, x, y, wide)))
            if card.node.start:
                parts.append(
                    _start_drawn(x, y + card.head / 2) if sideways else _start_drawn(x + wide / 2, y, down=True)
                )
        extent = (layout.along + ahead + _MARGIN, layout.across + aside + _MARGIN)
        total, height = extent if sideways else extent[::-1]
        for sign, words in _legend(self.graph):
            height += 18
            total = max(total, 2 * _MARGIN + 36 + width(words, _ROW_SIZE))
            text = f'<text x="36" y="0">{words}</text>'
            parts.append(f'<g class="al" transform="translate({_MARGIN:.0f} {height - _MARGIN:.0f})">{sign}{text}</g>')
        return Drawing(round(total), round(height), "".join(parts))


def _shown(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that have a row: agents first to have one where there are too many, since lines lead there."""
    if len(entries) <= _MOST_ENTRIES:
        return list(entries)
    chosen = [entry for entry in entries if entry.kind == "agent"][: _MOST_ENTRIES - 1]
    others = [entry for entry in entries if entry.kind != "agent"][: _MOST_ENTRIES - 1 - len(chosen)]
    kept = {id(entry) for entry in [*chosen, *others]}
    return [entry for entry in entries if id(entry) in kept]


def _paired(ways: Sequence[Way]) -> list[tuple[Way, Way | None]]:
    """Return the ways between different agents, each with the one back where they can be one line."""
    back = {(way.target, way.source, way.dynamic): way for way in ways if way.kind == "handoff"}
    pairs: list[tuple[Way, Way | None]] = []
    gone: set[int] = set()
    for way in ways:
        if way.source == way.target or id(way) in gone:
            continue
        other = back.get((way.source, way.target, way.dynamic)) if way.kind == "handoff" else None
        if other is not None:
            gone.add(id(other))
        pairs.append((way, other))
    return pairs


# -- agents -----------------------------------------------------------------------------------------------------------


def _card_drawn(card: _Card, x: float, y: float, wide: float) -> Iterator[str]:
    node = card.node
    kind = ' class="as"' if node.start else "" if node.known else ' class="au"'
    yield f"<g{kind}><title>{_text(_told(node))}</title>"
    yield f'<rect class="ab" x="{x:.0f}" y="{y:.0f}" width="{wide:.0f}" height="{card.height:.0f}" rx="7"/>'
    left = x + _PAD + (_MARK if node.input_guardrails else 0.0)
    yield f'<text x="{left:.0f}" y="{y + card.head / 2 + 4.5:.1f}">{_inline(card.name)}</text></g>'
    for names, place, what in (
        (node.input_guardrails, x + _PAD - 2, "input"),
        (node.output_guardrails, x + wide - _PAD - 9, "answer"),
    ):
        if names:
            told = _text(f"{what} checked by {', '.join(visible(name) for name in names)}")
            shield = (
                f'<path class="ai ag" transform="translate({place:.0f} {y + card.head / 2 - 5.5:.1f})" d="{_SHIELD}"/>'
            )
            yield f"<g><title>{told}</title>{shield}</g>"
    if card.entries:
        yield f'<path class="ax" d="M{x + 1:.0f} {y + card.head:.1f}h{wide - 2:.0f}"/>'
    for number, entry in enumerate(card.entries):
        yield _entry_drawn(entry, x + _PAD, y + card.row_middle(number))
    if card.left_out:
        hidden = [entry for entry in node.entries if all(entry is not shown for shown in card.entries)]
        told = _text(", ".join(visible(entry.name) for entry in hidden))
        row = y + card.row_middle(len(card.entries)) + 3.8
        yield f'<g><title>{told}</title><text class="aq" x="{x + _PAD + 16:.0f}" y="{row:.1f}">'
        yield f"and {card.left_out} more</text></g>"


_KINDS = {"tool": "tool", "hosted": "hosted tool", "server": "MCP server", "agent": "agent called as a tool"}


def _entry_drawn(entry: Entry, x: float, middle: float) -> str:
    name = visible(entry.name)
    told = _text(": ".join(filter(None, (f"{_KINDS[entry.kind]} {name}", ", ".join(map(visible, entry.notes))))))
    shown = cut(name, _LONGEST_ENTRY)
    if entry.kind == "tool":
        icon = f'<text class="af" x="{x + 1:.0f}" y="{middle + 3.5:.1f}">ƒ</text>'
    else:
        kind = "ai at" if entry.kind == "agent" else "ai"
        place = f"translate({x - 1:.0f} {middle - 5.5:.1f})"
        icon = f'<path class="{kind}" transform="{place}" d="{_ICONS[entry.kind]}"/>'
    under = ""
    if entry.dynamic:
        length = width(shown, _ROW_SIZE, mono=True)
        under = f'<path class="av" d="M{x + 16:.0f} {middle + 7:.1f}h{length:.0f}"/>'
    text = f'<text class="ar" x="{x + 16:.0f}" y="{middle + 3.8:.1f}">{_inline(shown)}</text>'
    return f"<g><title>{told}</title>{icon}{text}{under}</g>"


def _told(node: Node) -> str:
    """Return what is shown under the mouse."""
    parts = [visible(node.name), *(cut(visible(note), 300) for note in node.notes)]
    return "\n".join(parts if node.known else [*parts, "not known before the handoff"])


def _start_drawn(x: float, y: float, *, down: bool = False) -> str:
    """Return a dot and an arrow that lead into an agent at a place."""
    dot = (x, y - 24) if down else (x - 24, y)
    line = f'<path class="aw" d="M{_at(dot)}L{_at((x, y))}"/>'
    circle = f'<circle class="ah" cx="{dot[0]:.1f}" cy="{dot[1]:.1f}" r="4"/>'
    return f"<g><title>starts here</title>{line}{circle}{_head(dot, (x, y))}</g>"


# -- ways -------------------------------------------------------------------------------------------------------------


def _way_drawn(graph: Graph, way: Way, both: Way | None, curve: Curve) -> str:
    there = graph.nodes[way.target].name
    here = graph.nodes[way.source].name
    arrow = "⇄" if both else "→"
    told = [f"{visible(here)} {arrow} {visible(there)}", *_how(way), *(_how(both) if both else ())]
    return _line(way, curve, "\n".join(told), both=both is not None)


def _how(way: Way) -> Iterator[str]:
    verb = "hands over by" if way.kind == "handoff" else "called as"
    yield f"{verb} {', '.join(visible(name) for name in way.names)}"
    yield from way.notes


def _loop_drawn(way: Way, name: str, right: float, y: float) -> str:
    start, end = (right - 40, y), (right - 16, y)
    curve = [start, (start[0] - 10, y - 30), (end[0] + 10, y - 30), end]
    return _line(way, curve, "\n".join([f"{name} → itself", *_how(way)]), both=False)


def _line(way: Way, curve: Curve, told: str, *, both: bool) -> str:
    dashed = " ad" if way.dynamic else ""
    kind = "aw at" if way.kind == "tool" else "aw"
    path = f"M{_at(curve[0])}"
    for number in range(1, len(curve), 3):
        path += "C" + " ".join(_at(point) for point in curve[number : number + 3])
    ends = _ring(curve[-1]) if way.kind == "tool" else _head(curve[-2], curve[-1])
    if both:
        ends += _head(curve[1], curve[0])
    return f'<g><title>{_text(told)}</title><path class="{kind}{dashed}" d="{path}"/>{ends}</g>'


def _head(before: tuple[float, float], end: tuple[float, float]) -> str:
    """Return an arrow's head, in the direction that a curve has at its end."""
    dx, dy = end[0] - before[0], end[1] - before[1]
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    dx, dy = dx / length, dy / length
    back = (end[0] - 8 * dx, end[1] - 8 * dy)
    one, other = (back[0] - 4 * dy, back[1] + 4 * dx), (back[0] + 4 * dy, back[1] - 4 * dx)
    return f'<path class="ah" d="M{_at(end)}L{_at(one)}L{_at(other)}z"/>'


def _ring(end: tuple[float, float]) -> str:
    return f'<circle class="ao" cx="{end[0]:.1f}" cy="{end[1]:.1f}" r="4"/>'


_TOOL_SIGN = '<path class="aw at" d="M0 -4h22"/><circle class="ao" cx="22" cy="-4" r="4"/>'
_DASHED_SIGN = '<path class="aw ad" d="M0 -4h26"/>'
_SHIELD_SIGN = f'<path class="ai ag" transform="translate(8 -9.5)" d="{_SHIELD}"/>'


def _legend(graph: Graph) -> Iterator[tuple[str, str]]:
    """Yield the signs in the drawing that don't explain themselves, and what they mean."""
    entries = [entry for node in graph.nodes for entry in node.entries]
    if any(way.kind == "tool" for way in graph.ways):
        yield _TOOL_SIGN, "calls as a tool"
    if any(way.dynamic for way in graph.ways) or any(entry.dynamic for entry in entries):
        yield _DASHED_SIGN, "may be switched off"
    if any(node.input_guardrails or node.output_guardrails for node in graph.nodes):
        yield _SHIELD_SIGN, "checked by guardrails"


# -- text -------------------------------------------------------------------------------------------------------------


def _at(point: tuple[float, float]) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _text(text: str) -> str:
    """Return visible text, of several lines maybe, for XML."""
    return escape(text)


def _inline(text: str) -> str:
    """Return visible text for a text element. Dollars apart, or JupyterLab takes what is between two for a formula."""
    return escape(text).replace("$", "<tspan>$</tspan>")
