"""One turn of a run, decided purely: what the model's answer means, and what comes next. No effects in here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from agentkit.exceptions import ModelRefusalError, UserError
from agentkit.models import AgentOutputSchema, AgentOutputSchemaBase, ModelResponse
from agentkit.runtime.agent import Agent
from agentkit.runtime.handoffs import Handoff, handoff
from agentkit.runtime.ledger import EntryKind
from agentkit.tools import Tool

__all__ = [
    "Call",
    "Equipment",
    "Final",
    "HandOver",
    "NextStep",
    "RunAgain",
    "Turn",
    "classify",
    "decide_next_step",
    "equip",
]


@dataclass(frozen=True, slots=True)
class Equipment:
    """What an agent brings to a model call: worked out once, when its turn comes."""

    tools: list[Tool]
    """Its tools."""
    handoffs: list[Handoff[Any]]
    """Its handoffs; agents among them turned into their plain handoff."""
    tools_by_name: dict[str, Tool]
    """Its tools by the name that the model calls."""
    handoffs_by_name: dict[str, Handoff[Any]]
    """Its handoffs by the name that the model calls."""
    output_schema: AgentOutputSchemaBase | None
    """Schema of its answer, or None for text."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the model asked for, and what it means here."""

    kind: Literal["tool", "handoff", "unknown"]
    """A tool of the agent, one of its handoffs, or a name that it doesn't have."""
    name: str
    """Name that the model called."""
    call_id: str
    """Id that the output has to carry."""
    arguments: str
    """Arguments as the model sent them: JSON text."""


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
class Final:
    """The run is over."""

    output: Any
    """The answer, of the agent's output type."""


NextStep = RunAgain | HandOver | Final


def equip(agent: Agent[Any]) -> Equipment:
    """Return what `agent` brings to a model call.

    Raises:
        UserError: Two of its tools or handoffs have the same name, or its output type has no schema.
    """
    handoffs = [target if isinstance(target, Handoff) else handoff(target) for target in agent.handoffs]
    tools_by_name = {tool.name: tool for tool in agent.tools}
    handoffs_by_name = {target.tool_name: target for target in handoffs}
    names = [tool.name for tool in agent.tools] + [target.tool_name for target in handoffs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"Agent {agent.name!r} has two tools or handoffs named {twice!r}.", hint="Rename one.")
    return Equipment(list(agent.tools), handoffs, tools_by_name, handoffs_by_name, output_schema_of(agent))


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
        elif kind == "function_call":
            call = _call(item, equipment)
            calls.append(call)
            kinds.append("handoff_call" if call.kind == "handoff" else "tool_call")
        else:  # reasoning, hosted tools' calls, and whatever a platform may add: kept and sent back as they are
            kinds.append("reasoning" if kind == "reasoning" else "tool_call")
    return Turn(kinds, calls, text, refusal)


def _call(item: dict[str, Any], equipment: Equipment) -> Call:
    name = item.get("name") or ""
    kind: Literal["tool", "handoff", "unknown"] = "unknown"
    if name in equipment.handoffs_by_name:
        kind = "handoff"
    elif name in equipment.tools_by_name:
        kind = "tool"
    return Call(kind, name, item.get("call_id") or "", item.get("arguments") or "")


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
