"""Graphs of agents: `agent.graph()`. Laid out and drawn in Python, without any other program."""

from agentkit.runtime.graph.view import AgentGraph

__all__ = ["AgentGraph"]
