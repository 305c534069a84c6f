"""A drawing of agents, whom they hand off to and what they may call: SVG, made without any other program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agentkit.exceptions import UserError
from agentkit.runtime.agent import Agent
from agentkit.runtime.graph import AgentGraph

__all__ = ["AgentGraph", "draw_graph"]


def draw_graph(agent: Agent[Any], filename: str | Path | None = None) -> AgentGraph:
    """Return a drawing of an agent, of all agents that a conversation may come to from it, and of their tools.

    The same as `agent.graph()`, under the name that it has in the SDK.

    Args:
        agent: The agent to start from.
        filename: File to save the drawing in, too; `.svg` is added where it has no ending.

    Raises:
        UserError: `agent` is no agent, or the file's ending is another than `.svg`.
    """
    if not isinstance(agent, Agent):
        raise UserError(f"draw_graph draws an Agent, not {type(agent).__name__} {agent!r:.60}.")
    graph = agent.graph()
    if filename is not None:
        graph.save(filename)
    return graph
