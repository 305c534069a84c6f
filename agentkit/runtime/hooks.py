"""Hooks: a user's own code at the events of a run. `RunHooks` sees all agents, `AgentHooks` one."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

from agentkit._repr import bare_repr, fields_repr
from agentkit.models import ModelResponse, TResponseInputItem
from agentkit.tooling import RunContextWrapper, TContext, Tool

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent

__all__ = ["AgentHookContext", "AgentHooks", "RunHooks", "call_hooks"]


@dataclass
class AgentHookContext(RunContextWrapper[TContext]):
    """What hooks get where an agent starts or ends: the run's context; `turn_input` is what the agent was given."""

    __repr__ = fields_repr


class RunHooks(Generic[TContext]):
    """Called at the events of a run, whichever agent it is at. Subclass it and override what is of interest.

    The run waits for each method. An exception in one stops the run.
    """

    __repr__ = bare_repr

    async def on_agent_start(self, context: RunContextWrapper[TContext], agent: Agent[TContext]) -> None:
        """Do something before an agent begins: at the run's start, and after each handoff."""

    async def on_agent_end(self, context: RunContextWrapper[TContext], agent: Agent[TContext], output: Any) -> None:
        """Do something when an agent has given the final output."""

    async def on_handoff(
        self, context: RunContextWrapper[TContext], from_agent: Agent[TContext], to_agent: Agent[TContext]
    ) -> None:
        """Do something when one agent has handed over to another."""

    async def on_tool_start(self, context: RunContextWrapper[TContext], agent: Agent[TContext], tool: Tool) -> None:
        """Do something before a tool runs. `context` is the call's `ToolContext`."""

    async def on_tool_end(
        self, context: RunContextWrapper[TContext], agent: Agent[TContext], tool: Tool, result: Any
    ) -> None:
        """Do something after a tool has run, with what it returned."""

    async def on_llm_start(
        self,
        context: RunContextWrapper[TContext],
        agent: Agent[TContext],
        system_prompt: str | None,
        input_items: list[TResponseInputItem],
    ) -> None:
        """Do something before a model is called, with what it will get."""

    async def on_llm_end(
        self, context: RunContextWrapper[TContext], agent: Agent[TContext], response: ModelResponse
    ) -> None:
        """Do something when a model has answered."""


class AgentHooks(Generic[TContext]):
    """Called at the events of one agent: `Agent(hooks=…)`. Subclass it and override what is of interest.

    The run waits for each method. An exception in one stops the run.
    """

    __repr__ = bare_repr

    async def on_start(self, context: RunContextWrapper[TContext], agent: Agent[TContext]) -> None:
        """Do something before the agent begins: at the run's start, and each time it is handed the conversation."""

    async def on_end(self, context: RunContextWrapper[TContext], agent: Agent[TContext], output: Any) -> None:
        """Do something when the agent has given the final output."""

    async def on_handoff(
        self, context: RunContextWrapper[TContext], agent: Agent[TContext], source: Agent[TContext]
    ) -> None:
        """Do something when `source`, the agent whose hooks these are, has handed the conversation to `agent`."""

    async def on_tool_start(self, context: RunContextWrapper[TContext], agent: Agent[TContext], tool: Tool) -> None:
        """Do something before a tool of the agent runs. `context` is the call's `ToolContext`."""

    async def on_tool_end(
        self, context: RunContextWrapper[TContext], agent: Agent[TContext], tool: Tool, result: Any
    ) -> None:
        """Do something after a tool of the agent has run, with what it returned."""

    async def on_llm_start(
        self,
        context: RunContextWrapper[TContext],
        agent: Agent[TContext],
        system_prompt: str | None,
        input_items: list[TResponseInputItem],
    ) -> None:
        """Do something before the agent's model is called, with what it will get."""

    async def on_llm_end(
        self, context: RunContextWrapper[TContext], agent: Agent[TContext], response: ModelResponse
    ) -> None:
        """Do something when the agent's model has answered."""


async def call_hooks(calls: Sequence[tuple[Any, str]], *arguments: Any) -> None:
    """Call a method of each hooks object that there is, one after another: those of the run before the agent's.

    Args:
        calls: Hooks objects, or None, each with the name of the method.
        arguments: What the methods get.
    """
    for hooks, name in calls:
        if hooks is not None:
            called = getattr(hooks, name)(*arguments)
            if inspect.isawaitable(called):  # a plain method is taken too
                await called
