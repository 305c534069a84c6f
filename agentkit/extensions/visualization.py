"""A drawing of agents, whom they hand off to and what they may call: SVG, made without any other program."""

from __future__ import annotations

import unicodedata
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from agentkit.exceptions import UserError
from agentkit.runtime.agent import Agent
from agentkit.runtime.handoffs import Handoff

__all__ = ["AgentGraph", "draw_graph"]

_CHARACTER = 7.4
"""Width of a character of the font in pixels, about; of a wide one, such as those of Chinese, double."""
_LONGEST = 32
"""Characters of a name that are drawn; the whole name is shown under the mouse."""
_BOX, _CHIP, _STEP = 34.0, 22.0, 28.0
"""Height of an agent's box, of a tool's chip, and from one chip to the next, in pixels."""
_GAP_X, _GAP_Y, _MARGIN = 36.0, 64.0, 20.0
"""Room beside the agents, between their rows, and around the drawing, in pixels."""

_STYLE = """
text { font: 13px ui-monospace, Menlo, Consolas, monospace; fill: #1f2328; text-anchor: middle; }
.agent { fill: #fff3c4; stroke: #b08800; } .start { stroke-width: 2.5; } .other { stroke-dasharray: 4 3; }
.tool { fill: #d8f3dc; stroke: #2d6a4f; } .server { fill: #e3e6ea; stroke: #57606a; }
.way { fill: none; stroke: #57606a; stroke-width: 1.5; } .tip { fill: #57606a; }
.chip { font-size: 11px; }
"""


@dataclass
class _Node:
    """An agent in the drawing."""

    name: str
    tools: list[str] = field(default_factory=list)
    servers: list[str] = field(default_factory=list)
    ways: list[int] = field(default_factory=list)
    known: bool = True
    row: int = 0
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        chips = [*self.tools, *self.servers]
        return max(_width(self.name) + 28, *(_width(chip) * 0.86 + 22 for chip in chips), 90.0)

    @property
    def height(self) -> float:
        return _BOX + _STEP * (len(self.tools) + len(self.servers))


@dataclass(frozen=True)
class AgentGraph:
    """A drawing of agents. It shows itself in a notebook."""

    svg: str
    """The drawing: an SVG document."""
    names: tuple[str, ...]
    """Names of the agents in it, the one that it starts from first."""

    def save(self, path: str | Path) -> Path:
        """Write the drawing to a file, and return its path.

        Args:
            path: Where to; the ending `.svg` is added where it has none.

        Raises:
            UserError: Another kind of picture is asked for.
        """
        target = Path(path)
        if not target.suffix:
            target = target.with_name(f"{target.name}.svg")
        if target.suffix.lower() != ".svg":
            raise UserError(f"The drawing can't be saved as {target.name!r}.", hint="It is SVG: name it *.svg.")
        target.write_text(self.svg, encoding="utf-8")
        return target

    def view(self) -> Path:
        """Open the drawing in the system's browser, and return the file that it was written to."""
        import tempfile
        import webbrowser

        target = self.save(Path(tempfile.mkdtemp(prefix="agentkit-")) / "agents.svg")
        webbrowser.open(target.as_uri())
        return target

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"AgentGraph({' '.join(self.names)!r})" if len(self.names) == 1 else f"AgentGraph({list(self.names)})"


def draw_graph(agent: Agent[Any], filename: str | Path | None = None) -> AgentGraph:
    """Return a drawing of an agent, of all agents that a conversation may pass to from it, and of their tools.

    Yellow boxes are agents, a thick edge the one that it starts from, a dashed edge one that a handoff leads to without
    saying which it is; green are tools, grey MCP servers. Circles of handoffs are drawn as such.

    Args:
        agent: The agent to start from.
        filename: File to save the drawing in, too; `.svg` is added where it has no ending.

    Raises:
        UserError: `agent` is no agent, or the file's ending is another than `.svg`.
    """
    if not isinstance(agent, Agent):
        raise UserError(f"draw_graph draws an Agent, not {type(agent).__name__} {agent!r:.60}.")
    nodes = _nodes(agent)
    width, height = _place(nodes)
    graph = AgentGraph(_svg(nodes, width, height), tuple(node.name for node in nodes))
    if filename is not None:
        graph.save(filename)
    return graph


def _nodes(start: Agent[Any]) -> list[_Node]:
    """Return the agents in the order of their distance from `start`, each one once."""
    nodes = [_node(start)]
    numbers: dict[Any, int] = {id(start): 0}
    waiting = deque([start])
    while waiting:
        agent = waiting.popleft()
        here = nodes[numbers[id(agent)]]
        for way in agent.handoffs:
            target = way.agent if isinstance(way, Handoff) else way
            key = ("name", way.agent_name) if isinstance(way, Handoff) and target is None else id(target)
            if key not in numbers:
                numbers[key] = len(nodes)
                nodes.append(_node(target) if target is not None else _Node(str(key[1]), known=False))  # type: ignore[index]
                nodes[-1].row = here.row + 1
                if target is not None:
                    waiting.append(target)
            if numbers[key] not in here.ways:
                here.ways.append(numbers[key])
    return nodes


def _node(agent: Agent[Any]) -> _Node:
    tools = [str(getattr(tool, "name", type(tool).__name__)) for tool in agent.tools]
    return _Node(agent.name, tools, [str(getattr(one, "name", type(one).__name__)) for one in agent.mcp_servers])


def _place(nodes: Sequence[_Node]) -> tuple[float, float]:
    """Give each node its place, a row for each distance from the first, and return the drawing's size."""
    rows: dict[int, list[_Node]] = {}
    for node in nodes:
        rows.setdefault(node.row, []).append(node)
    widths = {row: sum(one.width for one in its) + _GAP_X * (len(its) - 1) for row, its in rows.items()}
    widest, top = max(widths.values()), _MARGIN
    for row, its in rows.items():
        left = _MARGIN + (widest - widths[row]) / 2
        for node in its:
            node.x, node.y = left + node.width / 2, top
            left += node.width + _GAP_X
        top += max(node.height for node in its) + _GAP_Y
    beside = _GAP_X + 24 if any(nodes[to].row <= node.row for node in nodes for to in node.ways) else 0.0
    return widest + 2 * _MARGIN + beside, top - _GAP_Y + _MARGIN


def _svg(nodes: Sequence[_Node], width: float, height: float) -> str:
    told = "; ".join(
        f"{node.name} hands off to {', '.join(nodes[to].name for to in node.ways)}" for node in nodes if node.ways
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" style="max-width:100%;height:auto">',
        f"<title>{_text(f'Agents from {nodes[0].name}')}</title><desc>{_text(told or 'No handoffs')}</desc>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height:.0f}" rx="6" fill="#ffffff"/>',
        *(_way(node, nodes[to]) for node in nodes for to in node.ways),
        *(_drawn(node, first=number == 0) for number, node in enumerate(nodes)),
        "</svg>",
    ]
    return "\n".join(parts)


def _drawn(node: _Node, *, first: bool) -> str:
    kind = "agent" + (" start" if first else "") + ("" if node.known else " other")
    parts = [_box(kind, node.name, node.x, node.y, node.width, _BOX, 6)]
    chips = [("tool", name) for name in node.tools] + [("server", name) for name in node.servers]
    for number, (kind, name) in enumerate(chips):
        parts.append(_box(kind, name, node.x, node.y + _BOX + 6 + number * _STEP, node.width - 12, _CHIP, 11))
    return "\n".join(parts)


def _box(kind: str, name: str, x: float, y: float, width: float, height: float, radius: float) -> str:
    shown = _text(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…")
    of_chip = "" if kind.startswith("agent") else ' class="chip"'
    return (
        f'<g><title>{_text(name)}</title><rect class="{kind}" x="{x - width / 2:.1f}" y="{y:.1f}" '
        f'width="{width:.1f}" height="{height:.1f}" rx="{radius:.0f}"/>'
        f'<text{of_chip} x="{x:.1f}" y="{y + height / 2 + 4:.1f}">{shown}</text></g>'
    )


def _way(source: _Node, target: _Node) -> str:
    """Return an arrow: down to a later row, over the row to the same, up and around to an earlier one."""
    aside = source.width / 4 if target.x >= source.x else -source.width / 4
    x, y = source.x + aside, source.y
    to_x, to_y = target.x + target.width / 2, target.y + _BOX * 0.7
    if target is source:
        x, y = source.x + source.width / 2, source.y + _BOX * 0.3
        curve = f"{x + _GAP_X:.1f} {y:.1f} {x + _GAP_X:.1f} {to_y:.1f}"
    elif target.row > source.row:
        x, y, to_x, to_y = source.x, source.y + source.height, target.x, target.y
        bend = (to_y - y) / 2
        curve = f"{x:.1f} {y + bend:.1f} {to_x:.1f} {to_y - bend:.1f}"
    elif target.row == source.row:
        to_x, to_y = target.x + (-target.width / 4 if aside > 0 else target.width / 4), target.y
        curve = f"{x:.1f} {y - _GAP_Y / 2:.1f} {to_x:.1f} {to_y - _GAP_Y / 2:.1f}"
    else:
        outward = -1 if source.x < target.x else 1
        x, to_x = source.x + outward * source.width / 4, target.x + outward * target.width / 2
        curve = f"{x:.1f} {y - _GAP_Y / 2:.1f} {to_x + outward * _GAP_X:.1f} {to_y:.1f}"
    told = _text(f"{source.name} → {target.name}")
    path = f"M{x:.1f} {y:.1f}C{curve} {to_x:.1f} {to_y:.1f}"
    return f'<path class="way" marker-end="url(#tip)" d="{path}"><title>{told}</title></path>'


def _width(name: str) -> float:
    shown = name[:_LONGEST]
    return _CHARACTER * sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in shown)


def _text(value: str) -> str:
    """Return text for XML: escaped, and without the control characters that XML can't have."""
    return escape("".join(character for character in value if character.isprintable()))
