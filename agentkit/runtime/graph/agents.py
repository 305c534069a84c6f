"""What there is to draw of agents: the agents, what each may call, and the ways between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from agentkit.runtime.agent_tool import agent_behind
from agentkit.runtime.handoffs import Handoff
from agentkit.tooling import FunctionTool
from agentkit.tooling.callables import own_name

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent

__all__ = ["Entry", "Graph", "Node", "Way", "graph_of"]

EntryKind = Literal["tool", "hosted", "server", "agent"]
"""A function tool, a tool of the platform's, an MCP server, or an agent that is called as a tool."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that an agent may call."""

    kind: EntryKind
    """What it is."""
    name: str
    """Its name, for the model."""
    dynamic: bool = False
    """Whether a function decides if it is offered, or it is switched off."""
    notes: tuple[str, ...] = ()
    """What else is to be known, such as "needs approval"."""
    target: int | None = None
    """Number of the agent that it calls, of kind "agent"."""


@dataclass(slots=True)
class Node:
    """An agent."""

    name: str
    """Its name."""
    start: bool = False
    """Whether it is one that was asked for."""
    known: bool = True
    """Whether more than its name is known; not so for a handoff that doesn't say which agent it leads to."""
    notes: tuple[str, ...] = ()
    """What else is to be known of it, such as its model."""
    entries: list[Entry] = field(default_factory=list)
    """What it may call."""
    input_guardrails: tuple[str, ...] = ()
    """Names of the checks of its input."""
    output_guardrails: tuple[str, ...] = ()
    """Names of the checks of its answer."""


@dataclass(slots=True)
class Way:
    """A way from one agent to another."""

    source: int
    """Number of the agent that it leads from."""
    target: int
    """Number of the agent that it leads to."""
    kind: Literal["handoff", "tool"]
    """Whether the conversation is handed over, or the other is called and answers."""
    names: list[str]
    """Names of the tools that stand for it."""
    dynamic: bool
    """Whether a function decides if it is open, or it is switched off."""
    notes: tuple[str, ...] = ()
    """What else is to be known of it."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Agents and the ways between them. The agents are numbered in the order of their distance from the start."""

    nodes: list[Node]
    """The agents."""
    ways: list[Way]
    """The ways, in the order of the agents that they lead from."""

    def ways_from(self, number: int) -> list[Way]:
        """Return the ways from an agent."""
        return [way for way in self.ways if way.source == number]


def graph_of(agents: Sequence[Agent[Any]]) -> Graph:
    """Return the agents, and all others that a conversation may come to from them, each one once."""
    return _Walk(agents).graph


class _Walk:
    """Goes from agent to agent, those nearest to the start first."""

    def __init__(self, agents: Sequence[Agent[Any]]) -> None:
        self.graph = Graph([], [])
        self._numbers: dict[Any, int] = {}
        self._waiting: deque[Agent[Any]] = deque()
        self._ways: dict[tuple[int, int, str], Way] = {}
        for agent in agents:
            self.graph.nodes[self._number(agent)].start = True
        while self._waiting:
            agent = self._waiting.popleft()
            self._enter(self._numbers[id(agent)], agent)

    def _number(self, agent: Agent[Any]) -> int:
        """Return the number of an agent, a new one where it hasn't been met."""
        if id(agent) not in self._numbers:
            self._numbers[id(agent)] = len(self.graph.nodes)
            self.graph.nodes.append(_node(agent))
            self._waiting.append(agent)
        return self._numbers[id(agent)]

    def _unknown(self, name: str) -> int:
        if ("name", name) not in self._numbers:
            self._numbers["name", name] = len(self.graph.nodes)
            self.graph.nodes.append(Node(name, known=False))
        return self._numbers["name", name]

    def _enter(self, here: int, agent: Agent[Any]) -> None:
        for given in agent.handoffs:
            if isinstance(given, Handoff):
                there = self._unknown(given.agent_name) if given.agent is None else self._number(given.agent)
                notes = (*_switch(given), *(["changes what the next agent sees"] if given.input_filter else []))
                self._way(here, there, "handoff", given.tool_name, notes)
            else:
                self._way(here, self._number(given), "handoff", Handoff.default_tool_name(given), ())
        entries = self.graph.nodes[here].entries
        for tool in agent.tools:
            entries.append(self._entry(here, tool))
        for server in agent.mcp_servers:
            entries.append(Entry("server", _name(server)))

    def _entry(self, here: int, tool: Any) -> Entry:  # any tool
        notes = tuple(_notes(tool))
        dynamic = bool(_switch(tool))
        inner = agent_behind(tool)
        if inner is not None:
            there = self._number(inner)
            self._way(here, there, "tool", tool.name, _switch(tool))
            return Entry("agent", tool.name, dynamic, notes, there)
        return Entry("tool" if isinstance(tool, FunctionTool) else "hosted", _tool_name(tool), dynamic, notes)

    def _way(self, here: int, there: int, kind: Literal["handoff", "tool"], name: str, notes: tuple[str, ...]) -> None:
        """Add a way; another of its kind between the same agents is the same way."""
        known = self._ways.get((here, there, kind))
        dynamic = bool(notes) and notes[0] in _SWITCHES
        if known is None:
            known = self._ways[here, there, kind] = Way(here, there, kind, [name], dynamic, notes)
            self.graph.ways.append(known)
            return
        known.names.append(name)
        known.dynamic = known.dynamic and dynamic
        known.notes = tuple(dict.fromkeys((*known.notes, *notes)))


def _node(agent: Agent[Any]) -> Node:
    model = agent.model if isinstance(agent.model, str) else getattr(agent.model, "model", None)
    notes = [agent.handoff_description or "", f"model {model}" if isinstance(model, str) else ""]
    return Node(
        agent.name,
        notes=tuple(filter(None, notes)),
        input_guardrails=tuple(guardrail.get_name() for guardrail in agent.input_guardrails),
        output_guardrails=tuple(guardrail.get_name() for guardrail in agent.output_guardrails),
    )


_MAYBE, _OFF = "may be switched off", "switched off"
_SWITCHES = (_MAYBE, _OFF)


def _switch(what: Any) -> tuple[str, ...]:  # a tool or a handoff
    enabled = getattr(what, "is_enabled", True)
    return (_MAYBE,) if callable(enabled) else () if enabled else (_OFF,)


def _notes(tool: Any) -> Iterator[str]:
    yield from _switch(tool)
    approval = getattr(tool, "needs_approval", False)
    if approval:
        yield "may need approval" if callable(approval) else "needs approval"
    for name in ("tool_input_guardrails", "tool_output_guardrails"):
        if guards := [guardrail.get_name() for guardrail in getattr(tool, name, ())]:
            yield f"{'call' if 'input' in name else 'output'} checked by {', '.join(guards)}"


def _tool_name(tool: Any) -> str:
    label = getattr(tool, "server_label", None)  # hosted MCP servers share one name
    return f"{_name(tool)}: {label}" if label else _name(tool)


def _name(what: Any) -> str:  # a tool, or an MCP server of any make
    name = getattr(what, "name", None)
    return name if isinstance(name, str) else own_name(type(what))
