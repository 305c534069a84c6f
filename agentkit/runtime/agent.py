"""Agents: a model with instructions, tools, handoffs and a type of answer."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic

from agentkit.exceptions import UserError
from agentkit.models import AgentOutputSchemaBase, Model, ModelSettings
from agentkit.runtime.handoffs import Handoff
from agentkit.tools import FunctionTool, RunContextWrapper, TContext, Tool

__all__ = ["Agent", "Instructions"]

Instructions = str | Callable[[RunContextWrapper[Any], "Agent[Any]"], str | Awaitable[str]]
"""Text, or a function of context and agent that returns it."""


@dataclass(eq=False)  # agents hand over to each other in circles: they are told apart, not compared
class Agent(Generic[TContext]):
    """A model with instructions, tools, handoffs and a type of answer.

    It holds no state of a run: one agent may take part in any number of runs at once.

    Raises:
        UserError: A field has a value of the wrong kind; the message names it.
    """

    name: str
    """What it is called, in traces and in handoffs."""
    instructions: Instructions | None = None
    """What it is to do: text, or a function of context and agent that returns it, sync or async."""
    handoff_description: str | None = None
    """When to hand a conversation over to it, for the agents that may."""
    handoffs: list[Agent[Any] | Handoff[TContext]] = field(default_factory=list)
    """Agents that it may hand the conversation over to."""
    model: str | Model | None = None
    """The model or its name; the platform's default when None."""
    model_settings: ModelSettings = field(default_factory=ModelSettings)
    """Settings of its model calls."""
    tools: list[Tool] = field(default_factory=list)
    """What it may call."""
    output_type: type[Any] | AgentOutputSchemaBase | None = None
    """Type of its answer; text when None."""
    reset_tool_choice: bool = True
    """Whether a forced `tool_choice` is lifted once a tool has been called, as else the model could never answer."""

    def __post_init__(self) -> None:
        """Refuse values that would only fail later, in the middle of a run."""
        if not isinstance(self.name, str) or not self.name.strip():
            raise UserError(f"An agent's name has to be text, not {self.name!r}.")
        who = f"Agent {self.name!r}"
        if self.instructions is not None and not (isinstance(self.instructions, str) or callable(self.instructions)):
            raise UserError(f"{who}: instructions have to be text or a function, not {_kind(self.instructions)}.")
        if callable(self.instructions) and not _takes_two(self.instructions):
            raise UserError(f"{who}: its instruction function has to take two arguments, the context and the agent.")
        if self.model is not None and not isinstance(self.model, (str, Model)):
            raise UserError(f"{who}: model has to be a name or a Model, not {_kind(self.model)}.")
        if not isinstance(self.model_settings, ModelSettings):
            raise UserError(f"{who}: model_settings has to be ModelSettings, not {_kind(self.model_settings)}.")
        for tool in _listed(self.tools, "tools", who):
            if not isinstance(tool, FunctionTool):
                hint = "Decorate it with @function_tool." if callable(tool) else "Make it with function_tool."
                raise UserError(f"{who}: {_kind(tool)} {tool!r:.60} is no tool.", hint=hint)
        for target in _listed(self.handoffs, "handoffs", who):
            if not isinstance(target, (Agent, Handoff)):
                raise UserError(f"{who}: a handoff has to be an Agent, not {_kind(target)} {target!r:.60}.")

    def clone(self, **changes: Any) -> Agent[TContext]:
        """Return a copy with `changes`, such as `agent.clone(name="Robot")`. Lists are shared unless changed."""
        return dataclasses.replace(self, **changes)

    async def get_system_prompt(self, run_context: RunContextWrapper[TContext]) -> str | None:
        """Return the instructions for a run.

        Raises:
            UserError: The instruction function returned something else than text.
        """
        if self.instructions is None or isinstance(self.instructions, str):
            return self.instructions
        text = self.instructions(run_context, self)
        if inspect.isawaitable(text):
            text = await text
        if not isinstance(text, str):
            raise UserError(f"Agent {self.name!r}: its instruction function returned {_kind(text)}, not text.")
        return text


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        return False
    except ValueError:  # a built-in that doesn't say what it takes
        return True
    return True


def _kind(value: Any) -> str:
    return type(value).__name__


def _listed(value: Any, name: str, who: str) -> list[Any]:
    if not isinstance(value, list):
        raise UserError(f"{who}: {name} has to be a list, not {_kind(value)}.")
    return value
