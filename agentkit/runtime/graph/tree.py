"""A graph of agents as a tree of lines, for terminals, for screen readers, and where no drawing is shown."""

from __future__ import annotations

from collections.abc import Iterator

from agentkit.runtime.graph.agents import Entry, Graph, Node, Way
from agentkit.runtime.graph.labels import cut, visible

__all__ = ["sentences", "tree"]

_LONGEST = 80
_KINDS = {"tool": "tool", "hosted": "hosted tool", "server": "MCP server", "agent": "tool"}


def tree(graph: Graph) -> str:
    """Return the agents below each other. Each is told of once, where it is nearest to the start; ↺ marks a circle."""
    return "\n".join(_Tree(graph).lines())


def sentences(graph: Graph) -> str:
    """Return the ways between the agents in sentences."""
    told = []
    for number, node in enumerate(graph.nodes):
        ways = graph.ways_from(number)
        for kind, verb in (("handoff", "hands off to"), ("tool", "calls as a tool")):
            names = [_name(graph.nodes[way.target]) for way in ways if way.kind == kind]
            if names:
                told.append(f"{_name(node)} {verb} {', '.join(names)}")
    return "; ".join(told) or "No handoffs"


class _Tree:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.home: dict[int, Way | None] = {n: None for n, node in enumerate(graph.nodes) if node.start}
        reached = list(self.home)
        for number in reached:  # it grows meanwhile
            for way in graph.ways_from(number):
                if way.target not in self.home:
                    self.home[way.target] = way
                    reached.append(way.target)

    def lines(self) -> Iterator[str]:
        for number, node in enumerate(self.graph.nodes):
            if node.start:
                yield _headline(node)
                yield from self._below(number, "", (number,))

    def _below(self, number: int, indent: str, above: tuple[int, ...]) -> Iterator[str]:
        node, ways = self.graph.nodes[number], self.graph.ways_from(number)
        leaves = [_entry(entry) for entry in node.entries if entry.kind != "agent"]
        count = len(leaves) + len(ways)
        for place, leaf in enumerate(leaves, 1):
            yield f"{indent}{'└─' if place == count else '├─'} {leaf}"
        for place, way in enumerate(ways, len(leaves) + 1):
            last = place == count
            yield f"{indent}{'└─' if last else '├─'} {self._way(node, way, above)}"
            if self.home[way.target] is way:
                yield from self._below(way.target, indent + ("   " if last else "│  "), (*above, way.target))

    def _way(self, node: Node, way: Way, above: tuple[int, ...]) -> str:
        target = self.graph.nodes[way.target]
        entry = next((e for e in node.entries if e.kind == "agent" and e.target == way.target), None)
        notes = list(entry.notes if way.kind == "tool" and entry is not None else way.notes)
        if way.kind == "tool":
            line = f"calls {_name(target)} as tool {', '.join(map(visible, way.names))}"
        else:
            line = f"hands off to {_name(target)}"
        if self.home[way.target] is way:
            notes = [*notes, *_checks(target)]
        if not target.known:
            notes.append("not known before the handoff")
        line += f" ({', '.join(map(visible, notes))})" if notes else ""
        if way.target in above:
            return f"{line} ↺"
        return line if self.home[way.target] is way else f"{line} (told of elsewhere)"


def _headline(node: Node) -> str:
    notes = _checks(node)
    return f"{_name(node)} ({', '.join(notes)})" if notes else _name(node)


def _checks(node: Node) -> list[str]:
    pairs = (("input", node.input_guardrails), ("answer", node.output_guardrails))
    return [f"{what} checked by {', '.join(map(visible, names))}" for what, names in pairs if names]


def _entry(entry: Entry) -> str:
    line = f"{_KINDS[entry.kind]} {cut(visible(entry.name), _LONGEST)}"
    return f"{line} ({', '.join(map(visible, entry.notes))})" if entry.notes else line


def _name(node: Node) -> str:
    return cut(visible(node.name), _LONGEST)
