"""Where a run stands: what the loop works on and results look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from agentkit.models import Model, ModelResponse, RawResponsesStreamEvent
from agentkit.runtime.agent import Agent
from agentkit.runtime.items import (
    HandoffCallItem,
    HandoffOutputItem,
    ItemHelpers,
    MessageOutputItem,
    ReasoningItem,
    RunItem,
    ToolCallItem,
    ToolCallOutputItem,
)
from agentkit.runtime.ledger import Entry, Ledger
from agentkit.runtime.run_config import RunConfig
from agentkit.runtime.turn import Equipment, equip
from agentkit.tools import RunContextWrapper

if TYPE_CHECKING:
    from agentkit.tracing import Span, Trace

__all__ = ["RunProgress", "RunStatus"]

RunStatus = Literal["running", "completed", "max_turns", "cancelled", "error"]
"""How a run ended, or that it hasn't."""


class RunProgress:
    """One run, from its input to its end."""

    def __init__(
        self,
        agent: Agent[Any],
        input: str | list[Any],  # noqa: A002 (the documented name)
        context: RunContextWrapper[Any],
        max_turns: int | None,
        config: RunConfig,
        *,
        streamed: bool,
    ) -> None:
        self.input = input
        self.context = context
        self.max_turns = max_turns
        self.config = config
        self.streamed = streamed
        self.agent = agent
        self.agents: dict[str, Agent[Any]] = {}
        self.ledger = Ledger(ItemHelpers.input_to_new_input_list(input))
        self.responses: list[ModelResponse] = []
        self.turn = 0
        self.status: RunStatus = "running"
        self.final_output: Any = None
        self.trace: Trace | None = None
        self.agent_span: Span[Any] | None = None
        self.deltas: list[RawResponsesStreamEvent] = []
        """Text that the model has streamed of an answer that isn't complete yet."""
        self.traced_count = 0
        """How much of the history earlier model spans have recorded."""
        self.traced_instructions: str | None = None
        """The instructions that the last model span recorded."""
        self.used_tools: set[str] = set()
        """Names of the agents that have called a tool."""
        self._equipment: dict[str, tuple[list[Any], Equipment, Model]] = {}
        self._items: list[RunItem] = []
        self.agent_key = self.key_of(agent)

    def hand_over(self, agent: Agent[Any]) -> None:
        """Go on with `agent`."""
        self.agent = agent
        self.agent_key = self.key_of(agent)

    def key_of(self, agent: Agent[Any]) -> str:
        """Return the name under which the run knows the agent: its own, unless another agent has it already."""
        key, number = agent.name, 1
        while (known := self.agents.get(key)) is not None and known is not agent:
            number += 1
            key = f"{agent.name} ({number})"
        self.agents[key] = agent
        return key

    async def equipment(self) -> tuple[Equipment, Model]:
        """Return what the agent brings and its model: worked out once, and anew when its lists have changed."""
        agent = self.agent
        known = self._equipment.get(self.agent_key)
        if known is None or not _same(known[1].tools, agent.tools) or not _same(known[0], agent.handoffs):
            known = self._equipment[self.agent_key] = (list(agent.handoffs), equip(agent), await self._model())
        return known[1], known[2]

    async def _model(self) -> Model:
        model = self.config.model if self.config.model is not None else self.agent.model
        if isinstance(model, Model):
            return model
        if model is None:
            await self.config.model_provider.prepare()
        return self.config.model_provider.get_model(model)

    def items(self) -> list[RunItem]:
        """Return the ledger's entries as run items. Those made before are kept."""
        entries = self.ledger.entries
        while len(self._items) < len(entries):
            self._items.append(self._item(entries[len(self._items)]))
        return self._items

    def _item(self, entry: Entry) -> RunItem:
        agent = self.agents[entry.agent]
        match entry.kind:
            case "message":
                return MessageOutputItem(agent, entry.item)
            case "reasoning":
                return ReasoningItem(agent, entry.item)
            case "tool_call":
                return ToolCallItem(agent, entry.item)
            case "handoff_call":
                return HandoffCallItem(agent, entry.item)
            case "tool_output":
                return ToolCallOutputItem(agent, entry.item, entry.value, entry.outcome)
            case "handoff_output":
                target = agent if entry.target is None else self.agents[entry.target]
                return HandoffOutputItem(agent, entry.item, agent, target)

    def close_open_ends(self, reason: str) -> None:
        """Make the history valid after a stop in the middle: keep the text that came, answer the calls under way."""
        if text := "".join(event.json.get("delta") or "" for event in self.deltas):
            part = {"type": "output_text", "text": text, "annotations": []}
            number = sum(entry.kind == "message" for entry in self.ledger.entries)
            message = {
                "type": "message",
                "id": f"msg_partial_{number}",
                "role": "assistant",
                "status": "incomplete",
                "content": [part],
            }
            self.ledger.add(Entry("message", message, self.agent_key, self.turn))
            self.deltas = []
        for call in self.ledger.open_calls():
            output = {"type": "function_call_output", "call_id": call.item["call_id"], "output": reason}
            kind: Any = "tool_output" if call.kind == "tool_call" else "handoff_output"
            self.ledger.add(Entry(kind, output, call.agent, self.turn, value=reason, outcome="stopped"))


def _same(one: list[Any], other: list[Any]) -> bool:
    """Return whether two lists hold the very same objects."""
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
