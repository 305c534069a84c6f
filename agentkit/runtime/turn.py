"""One turn of a run, decided purely: what the model's answer means, and what comes next. No effects in here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from agentkit.exceptions import ModelRefusalError, UserError
from agentkit.models import AgentOutputSchema, AgentOutputSchemaBase, ModelResponse
from agentkit.runtime.agent import Agent, is_enabled
from agentkit.runtime.agent_check import check_agent
from agentkit.runtime.handoffs import Handoff, handoff
from agentkit.runtime.ledger import EntryKind, call_id_of
from agentkit.tooling import FunctionTool, RunContextWrapper, Tool

__all__ = [
    "Call",
    "Equipment",
    "Final",
    "HandOver",
    "NextStep",
    "RunAgain",
    "Turn",
    "Waiting",
    "classify",
    "decide_next_step",
    "enabled_parts",
    "equip",
    "unknown_tool_message",
]


@dataclass(frozen=True, slots=True)
class Equipment:
    """What an agent brings to a model call: worked out once, when its turn comes."""

    tools: list[Tool]
    """Its tools, as far as they are enabled."""
    targets: list[Agent[Any] | Handoff[Any]]
    """Its handoffs as the user gave them, as far as they are enabled."""
    handoffs: list[Handoff[Any]]
    """The same, agents among them turned into their plain handoff."""
    tools_by_name: dict[str, FunctionTool]
    """Its function tools by the name that the model calls."""
    handoffs_by_name: dict[str, Handoff[Any]]
    """Its handoffs by the name that the model calls."""
    output_schema: AgentOutputSchemaBase | None
    """Schema of its answer, or None for text."""


CallKind = Literal["tool", "handoff", "unknown", "computer", "shell", "mcp_approval"]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the model asked for, and what it means here."""

    kind: CallKind
    """A function tool of the agent, one of its handoffs, a name that it doesn't have, or a hosted tool's request."""
    name: str
    """Name that the model called."""
    call_id: str
    """Id that the output has to carry."""
    arguments: str
    """Arguments as the model sent them: JSON text."""
    item: dict[str, Any] = field(repr=False)
    """The whole call."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A model's answer, understood."""

    kinds: list[EntryKind]
    """What each item of the answer is, in their order."""
    calls: list[Call]
    """The calls in it, in their order."""
    text: str | None
    """Text of the last message, or None without one."""
    refusal: str | None
    """What the model said in place of an answer, or None."""

    @property
    def handoff(self) -> Call | None:
        """The handoff that happens: the first one asked for."""
        return next((call for call in self.calls if call.kind == "handoff"), None)


@dataclass(frozen=True, slots=True)
class RunAgain:
    """Call the model again."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Go on with another agent."""

    agent: Agent[Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run rests until somebody has decided about calls that need approval."""


@dataclass(frozen=True, slots=True)
class Final:
    """The run is over."""

    output: Any
    """The answer, of the agent's output type."""


NextStep = RunAgain | HandOver | Waiting | Final


async def enabled_parts(
    agent: Agent[Any], context: RunContextWrapper[Any]
) -> tuple[list[Tool], list[Agent[Any] | Handoff[Any]]]:
    """Return the tools and handoffs of `agent` that the model is offered now."""
    tools = await agent.get_all_tools(context) if _varies(agent.tools) or agent.mcp_servers else agent.tools
    handoffs = agent.handoffs
    if _varies(handoffs):
        handoffs = [target for target in handoffs if await is_enabled(target, context, agent)]
    return tools, handoffs


def _varies(parts: list[Any]) -> bool:
    return any(getattr(part, "is_enabled", True) is not True for part in parts)


def equip(agent: Agent[Any], tools: list[Tool] | None = None, targets: list[Any] | None = None) -> Equipment:
    """Return what `agent` brings to a model call.

    Args:
        agent: The agent.
        tools: Its tools as far as they are enabled; all when None.
        targets: Its handoffs as far as they are enabled; all when None.

    Raises:
        UserError: Two of its tools or handoffs have the same name, its output type has no schema, or an agent that it
            may hand over to was changed into something that can't run.
    """
    tools = list(agent.tools if tools is None else tools)
    targets = list(agent.handoffs if targets is None else targets)
    for target in targets:
        if isinstance(target, Agent):
            check_agent(target)
    handoffs = [target if isinstance(target, Handoff) else handoff(target) for target in targets]
    tools_by_name = {tool.name: tool for tool in tools if isinstance(tool, FunctionTool)}
    handoffs_by_name = {target.tool_name: target for target in handoffs}
    names = [tool.name for tool in tools if isinstance(tool, FunctionTool)] + [way.tool_name for way in handoffs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"Agent {agent.name!r} has two tools or handoffs named {twice!r}.", hint="Rename one.")
    return Equipment(tools, targets, handoffs, tools_by_name, handoffs_by_name, output_schema_of(agent))


def output_schema_of(agent: Agent[Any]) -> AgentOutputSchemaBase | None:
    """Return the schema of the agent's answer, or None for text."""
    kind = agent.output_type
    if kind is None or kind is str:
        return None
    return kind if isinstance(kind, AgentOutputSchemaBase) else AgentOutputSchema(kind)


def classify(response: ModelResponse, equipment: Equipment) -> Turn:
    """Return what the model's answer means for an agent so equipped."""
    kinds: list[EntryKind] = []
    calls: list[Call] = []
    text: str | None = None
    refusal: str | None = None
    for item in response.raw_output:
        kind = item.get("type")
        if kind == "message":
            kinds.append("message")
            parts = item.get("content") or ()
            if said := [part.get("text") or "" for part in parts if part.get("type") == "output_text"]:
                text = "".join(said)
            refusal = next((part.get("refusal") for part in parts if part.get("type") == "refusal"), refusal)
            continue
        kinds.append(_KINDS.get(kind or "", "tool_call"))  # unknown kinds too: kept and sent back as they are
        call = _call(item, equipment)
        if call is not None:
            calls.append(call)
            if call.kind == "handoff":
                kinds[-1] = "handoff_call"
    return Turn(kinds, calls, text, refusal)


_KINDS: dict[str, EntryKind] = {
    "reasoning": "reasoning",
    "mcp_approval_request": "mcp_approval_request",
    "mcp_list_tools": "mcp_list_tools",
    "compaction": "compaction",
}

_HOSTED_CALLS: dict[str, tuple[CallKind, str]] = {
    "computer_call": ("computer", "computer"),
    "local_shell_call": ("shell", "local_shell"),
}


def _call(item: dict[str, Any], equipment: Equipment) -> Call | None:
    """Return the call that an item is, or None where nothing has to be done here."""
    kind = item.get("type")
    if kind == "function_call":
        name = item.get("name") or ""
        meant: CallKind = "unknown"
        if name in equipment.handoffs_by_name:
            meant = "handoff"
        elif name in equipment.tools_by_name:
            meant = "tool"
        return Call(meant, name, item.get("call_id") or "", item.get("arguments") or "", item)
    if kind == "mcp_approval_request":
        name = item.get("name") or ""
        return Call("mcp_approval", name, call_id_of(item), item.get("arguments") or "", item)
    if kind in _HOSTED_CALLS:
        meant, name = _HOSTED_CALLS[kind]
        return Call(meant, name, call_id_of(item), "", item)
    return None


def decide_next_step(turn: Turn, equipment: Equipment, handed_to: Agent[Any] | None) -> NextStep:
    """Return what comes after a turn whose calls have been carried out.

    Args:
        turn: The turn.
        equipment: What its agent brought.
        handed_to: The agent that a handoff led to, or None.

    Raises:
        ModelBehaviorError: The answer is not of the agent's output type.
        ModelRefusalError: The model refused to give one.
    """
    if handed_to is not None:
        return HandOver(handed_to)
    if turn.calls:
        return RunAgain()
    if equipment.output_schema is None or equipment.output_schema.is_plain_text():
        return Final(turn.text if turn.text is not None else turn.refusal or "")
    if turn.text is not None:
        return Final(equipment.output_schema.validate_json(turn.text))
    if turn.refusal is not None:
        raise ModelRefusalError(f"The model refused to answer with {equipment.output_schema.name()}: {turn.refusal}")
    return RunAgain()


def unknown_tool_message(call: Call, equipment: Equipment) -> str:
    """Return what the model is told when it calls a tool that isn't there."""
    names = ", ".join([*equipment.tools_by_name, *equipment.handoffs_by_name]) or "none"
    return f"There is no tool named {call.name!r}. Tools you can call: {names}."
