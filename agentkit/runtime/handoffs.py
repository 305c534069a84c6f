"""Handoffs: one agent passing the conversation to another. The model sees each as a tool."""

from __future__ import annotations

import inspect
import json
import re
import unicodedata
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic

from pydantic import TypeAdapter, ValidationError

from agentkit._called_as import called_as
from agentkit._repr import brief, fields_repr
from agentkit.exceptions import ModelBehaviorError, UserError
from agentkit.models import TResponseInputItem
from agentkit.runtime.items import RunItem
from agentkit.tooling import Enabled, RunContextWrapper, TContext, ensure_strict_json_schema

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent

__all__ = ["Handoff", "HandoffInputData", "HandoffInputFilter", "handoff"]

_LONGEST_NAME = 64 - len("transfer_to_")
"""A tool's name has at most 64 characters."""


@dataclass(frozen=True)
class HandoffInputData:
    """The conversation at a handoff: what an input filter is given, and gives back for the next agent to see."""

    __repr__ = fields_repr

    input_history: str | tuple[TResponseInputItem, ...]
    """What the run was given, before any item of its own."""
    pre_handoff_items: tuple[RunItem, ...]
    """What the run added before the turn of the handoff."""
    new_items: tuple[RunItem, ...]
    """What the turn of the handoff added, the handoff's own call and output included."""
    run_context: RunContextWrapper[Any] | None = None
    """The run's context."""
    input_items: tuple[RunItem, ...] | None = None
    """What the next agent sees in place of `new_items`, where a filter wants these to be kept in the results."""

    def clone(self, **changes: Any) -> HandoffInputData:
        """Return a copy with `changes`, such as `data.clone(pre_handoff_items=())`."""
        return replace(self, **changes)


HandoffInputFilter = Callable[[HandoffInputData], HandoffInputData | Awaitable[HandoffInputData]]
"""Makes what the next agent sees of the conversation; sync or async."""


@dataclass
class Handoff(Generic[TContext]):
    """A way from one agent to another. `handoff` makes one; an agent among `Agent(handoffs=…)` stands for its own."""

    tool_name: str
    """Name of the tool that stands for it."""
    tool_description: str
    """When to use it, for the model."""
    input_json_schema: dict[str, Any]
    """Schema of what the model has to say with it."""
    on_invoke_handoff: Callable[[RunContextWrapper[Any], str], Awaitable[Agent[TContext]]]
    """Takes the context and the model's input as JSON text, and returns the agent to go on with."""
    agent_name: str
    """Name of that agent."""
    input_filter: HandoffInputFilter | None = None
    """Makes what the next agent sees of the conversation; all of it when None."""
    nest_handoff_history: bool | None = None
    """Whether the next agent sees the conversation as one message that tells it; None leaves it to the run."""
    strict_json_schema: bool = True
    """Whether the model must keep to the schema."""
    is_enabled: Enabled = True
    """Whether the model is offered it, asked anew before each model call."""
    agent: Agent[Any] | None = None
    """The agent that it leads to, where that is known beforehand."""

    def get_transfer_message(self, agent: Agent[Any]) -> str:
        """Return what the model is told when the conversation has passed to `agent`."""
        return json.dumps({"assistant": agent.name}, ensure_ascii=False)

    def __repr__(self) -> str:
        told: dict[str, Any] = {"tool_name": self.tool_name, "input_filter": self.input_filter}
        if self.is_enabled is not True:
            told["is_enabled"] = self.is_enabled
        shown = ", ".join(f"{name}={brief(value)}" for name, value in told.items() if value is not None)
        return f"{type(self).__name__}({self.agent_name!r}, {shown})"

    @classmethod
    def default_tool_name(cls, agent: Agent[Any]) -> str:
        """Return `transfer_to_<name>`, the name in plain letters, digits and underscores, at most 64 in all.

        A name that has none of those, or too many, is told apart by a number made from it.
        """
        plain = unicodedata.normalize("NFKD", agent.name.lower())
        plain = "".join(c for c in plain if not unicodedata.combining(c))
        name = re.sub(r"[^a-z0-9_]+", "_", plain).strip("_")
        lost = sum(c.isalnum() and not c.isascii() for c in plain)
        if not lost and len(name) <= _LONGEST_NAME:
            return f"transfer_to_{name}"
        number = zlib.crc32(agent.name.encode(errors="replace"))
        return f"transfer_to_{name[: _LONGEST_NAME - 9] or 'agent'}_{number:08x}"

    @classmethod
    def default_tool_description(cls, agent: Agent[Any]) -> str:
        """Return what the model is told of a handoff to `agent`."""
        return f"Handoff to the {agent.name} agent to handle the request. {agent.handoff_description or ''}".strip()


@called_as("handoff")
def handoff(
    agent: Agent[TContext],
    tool_name_override: str | None = None,
    tool_description_override: str | None = None,
    on_handoff: Callable[..., Any] | None = None,
    input_type: type[Any] | None = None,
    input_filter: HandoffInputFilter | None = None,
    nest_handoff_history: bool | None = None,
    is_enabled: Enabled = True,
) -> Handoff[TContext]:
    """Return a handoff to `agent`.

    Args:
        agent: The agent that takes over.
        tool_name_override: Name of the tool instead of `transfer_to_<name>`.
        tool_description_override: Its description instead of the one made from the agent.
        on_handoff: Called when the handoff happens, with the context, and with the input where there is an
            `input_type`; sync or async.
        input_type: Type of what the model has to say with it, such as a reason.
        input_filter: Makes what the next agent sees of the conversation; all of it when None. See
            `agentkit.extensions.handoff_filters`.
        nest_handoff_history: Whether the next agent sees the conversation as one message that tells it.
        is_enabled: Whether the model is offered it; a function of context and agent is asked before each model call.

    Raises:
        UserError: `on_handoff` can't be called with what it will get, `input_type` has nobody to take it, or a filter
            is no function.
    """
    if input_filter is not None and not callable(input_filter):
        raise UserError(f"The input_filter of the handoff to {agent.name!r} is no function: {input_filter!r:.60}.")
    adapter = _input_adapter(agent, on_handoff, input_type)

    async def invoke(context: RunContextWrapper[Any], arguments: str) -> Agent[TContext]:
        if on_handoff is not None:
            given = (context,) if adapter is None else (context, _validated(adapter, arguments, agent.name))
            called = on_handoff(*given)
            if inspect.isawaitable(called):
                await called
        return agent

    return Handoff(
        tool_name=tool_name_override or Handoff.default_tool_name(agent),
        tool_description=tool_description_override or Handoff.default_tool_description(agent),
        input_json_schema=ensure_strict_json_schema(adapter.json_schema() if adapter else {}),
        on_invoke_handoff=invoke,
        agent_name=agent.name,
        input_filter=input_filter,
        nest_handoff_history=nest_handoff_history,
        is_enabled=is_enabled,
        agent=agent,
    )


def _input_adapter(
    agent: Agent[Any], on_handoff: Callable[..., Any] | None, input_type: type[Any] | None
) -> TypeAdapter[Any] | None:
    if on_handoff is None:
        if input_type is not None:
            raise UserError(f"The handoff to {agent.name!r} has an input_type, but no on_handoff to take it.")
        return None
    wanted = 1 if input_type is None else 2
    try:
        inspect.signature(on_handoff).bind(*range(wanted))
    except TypeError as error:
        raise UserError(
            f"on_handoff of the handoff to {agent.name!r} can't be called with {wanted} argument(s): {error}.",
            hint="It gets the context, and the input where there is an input_type.",
        ) from error
    return None if input_type is None else TypeAdapter(input_type)


def _validated(adapter: TypeAdapter[Any], arguments: str, name: str) -> Any:
    try:
        return adapter.validate_json(arguments or "{}")
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"]) or "the input"
        raise ModelBehaviorError(
            f"The model's input for the handoff to {name!r}: {place}: {problem['msg']}."
        ) from error
