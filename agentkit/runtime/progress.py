"""Where a run stands: what the loop works on and results look at."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from agentkit.models import Model, ModelResponse, RawResponsesStreamEvent
from agentkit.runtime.agent import Agent
from agentkit.runtime.agent_check import check_agent
from agentkit.runtime.guardrails import InputGuardrailResult, OutputGuardrailResult
from agentkit.runtime.hooks import RunHooks
from agentkit.runtime.items import (
    CompactionItem,
    HandoffCallItem,
    HandoffOutputItem,
    ItemHelpers,
    MCPApprovalRequestItem,
    MCPApprovalResponseItem,
    MCPListToolsItem,
    MessageOutputItem,
    ReasoningItem,
    RunItem,
    ToolApprovalItem,
    ToolCallItem,
    ToolCallOutputItem,
)
from agentkit.runtime.ledger import Entry, EntryKind, Ledger, call_id_of
from agentkit.runtime.run_config import RunConfig, RunErrorHandlers
from agentkit.runtime.turn import Equipment, Turn, classify, enabled_parts, equip
from agentkit.tooling import RunContextWrapper, ToolInputGuardrailResult, ToolOutputGuardrailResult
from agentkit.usage import Usage

if TYPE_CHECKING:
    from agentkit.models.retrying import RetryNotice
    from agentkit.runtime.run_state import RunState
    from agentkit.tracing import Span, Trace

__all__ = ["Meter", "RunOptions", "RunProgress", "RunStatus"]

RunStatus = Literal["running", "completed", "waiting", "max_turns", "budget", "guardrail", "cancelled", "error"]
"""How a run ended, or that it hasn't. "waiting": calls wait for approval."""

_BLANK = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
"""One pixel: the API takes an answer to a computer's call only as a picture."""

_ITEM_CLASSES: dict[EntryKind, Callable[[Agent[Any], dict[str, Any]], RunItem]] = {
    "message": MessageOutputItem,
    "reasoning": ReasoningItem,
    "tool_call": ToolCallItem,
    "handoff_call": HandoffCallItem,
    "mcp_approval_request": MCPApprovalRequestItem,
    "mcp_approval_response": MCPApprovalResponseItem,
    "mcp_list_tools": MCPListToolsItem,
    "compaction": CompactionItem,
}


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run is to go, besides its `RunConfig`: the arguments of `Runner.run`."""

    max_turns: int | None = None
    """Model calls that it may make."""
    hooks: RunHooks[Any] | None = None
    """Called at its events."""
    error_handlers: RunErrorHandlers | None = None
    """What to do in place of raising an error."""
    previous_response_id: str | None = None
    """Response that it goes on from."""
    auto_previous_response_id: bool = False
    """Whether each model call goes on from the last one's response."""
    conversation_id: str | None = None
    """Conversation that the platform keeps."""
    session: Any = None  # a Session, or anything with its methods
    """Where earlier messages come from and new ones go."""


@dataclass(frozen=True, slots=True)
class Meter:
    """A run's usage, and what it may spend. Runs inside it count too."""

    usage: Usage
    """What it has used, its inner runs included."""
    budget_usd: float | None
    """Dollars that it may cost."""
    budget_tokens: int | None
    """Tokens that it may use."""


@dataclass(slots=True)
class InnerRuns:
    """Runs of agents used as tools, as the run that calls them knows them."""

    path: tuple[str, ...] = ()
    """Ids of the calls that lead to the run that calls them."""
    meters: tuple[Meter, ...] = ()
    """What counts their tokens: of the run that calls them, and of those around it."""
    emit: Callable[[Any], None] | None = None
    """Takes their events; None where nobody watches."""
    states: dict[str, RunState] = field(default_factory=dict)
    """Those that wait for approval, by the id of the call."""
    results: dict[str, Any] = field(default_factory=dict)
    """Results of those that are over, by the id of the call."""


class RunProgress:
    """One run, from its input to its end."""

    def __init__(
        self,
        agent: Agent[Any],
        input: str | list[Any],  # noqa: A002 (the documented name)
        context: RunContextWrapper[Any],
        config: RunConfig,
        options: RunOptions,
        *,
        streamed: bool,
    ) -> None:
        self.path: tuple[str, ...] = ()
        """Ids of the outer calls, where the agent is used as a tool."""
        self.outer: tuple[Meter, ...] = ()
        """What counts the tokens of the runs around it."""
        self.given = input
        """The input of this call of the runner."""
        self.input = input
        """The same, after the session's earlier items."""
        self.context = context
        self.config = config
        self.options = options
        self.streamed = streamed
        self.agent = agent
        self.agents: dict[str, Agent[Any]] = {}
        self.ledger = Ledger(ItemHelpers.input_to_new_input_list(input))
        self.responses: list[ModelResponse] = []
        self.turn = 0
        self.goes_on = False
        """Whether it goes on from a state."""
        self.input_checked = False
        """Whether the input guardrails have let it pass."""
        self.turns_before = 0
        """Turns of earlier calls of the runner, where a run goes on."""
        self.status: RunStatus = "running"
        self.final_output: Any = None
        self.waiting: list[ToolApprovalItem] = []
        """Calls that wait for approval."""
        self.input_guardrail_results: list[InputGuardrailResult] = []
        self.output_guardrail_results: list[OutputGuardrailResult] = []
        self.tool_input_guardrail_results: list[ToolInputGuardrailResult] = []
        self.tool_output_guardrail_results: list[ToolOutputGuardrailResult] = []
        self.stop_after_turn = False
        """Whether the run is to end once the turn under way is complete."""
        self.previous_response_id = options.previous_response_id
        self.sent_count = 0
        """How much of the history the platform has, where it keeps the conversation."""
        self.unsaved_input: list[dict[str, Any]] = list(self.ledger.input_items)
        """Input that the session doesn't have yet."""
        self.saved_count = 0
        """How many of the ledger's entries the session has."""
        self.rebased: list[dict[str, Any]] | None = None
        """What an input filter has put in place of the conversation before entry `rebased_at`."""
        self.rebased_at = 0
        self.trace: Trace | None = None
        self.agent_span: Span[Any] | None = None
        self.deltas: list[RawResponsesStreamEvent] = []
        """Text that the model has streamed of an answer that isn't complete yet."""
        self.traced_count = 0
        """How much of the history earlier model spans have recorded."""
        self.traced_instructions: str | None = None
        """The instructions that the last model span recorded."""
        self.traced_span: str | None = None
        """The id of that span."""
        self.retries: list[RetryNotice] = []
        """Model calls that failed and were made again."""
        self.on_retry: Callable[[RetryNotice], object] | None = None
        """Is told of each, before the wait for it."""
        self.used_tools: set[str] = set()
        """Names of the agents that have called a tool."""
        self.inner = InnerRuns(emit=self._take_inner_event if streamed else None)
        self.inner_events: deque[Any] = deque()
        self.news: asyncio.Event | None = None
        """Set when an inner run has sent an event, while somebody waits for one."""
        self._equipment: dict[str, Equipment] = {}
        self._models: dict[str, Model] = {}
        self._items: list[RunItem] = []
        self.agent_key = self.key_of(agent)

    def put_inside(self, outer: InnerRuns, call_id: str) -> None:
        """Make it a run inside another, for a call of that one's."""
        self.path, self.outer = (*outer.path, call_id), outer.meters

    def meters(self) -> tuple[Meter, ...]:
        """Return what counts its tokens: its own, and those of the runs around it."""
        own = Meter(self.context.usage, self.config.budget_usd, self.config.budget_tokens)
        return (own, *self.outer)

    @property
    def server_keeps_history(self) -> bool:
        """Whether the platform keeps the conversation, so that it is sent only what is new."""
        options = self.options
        return bool(self.previous_response_id or options.auto_previous_response_id or options.conversation_id)

    def hook_calls(self, name: str, agent_name: str | None = None) -> list[tuple[Any, str]]:
        """Return the hooks objects to call for an event, that of the run first.

        Args:
            name: Name of the method of `RunHooks`.
            agent_name: Name of the method of `AgentHooks`, where it is another.
        """
        of_run, of_agent = self.options.hooks, self.agent.hooks
        calls: list[tuple[Any, str]] = [] if of_run is None else [(of_run, name)]
        return calls if of_agent is None else [*calls, (of_agent, agent_name or name)]

    async def begin(self) -> None:
        """Put the session's earlier items before the input."""
        if self.options.session is None or self.goes_on:
            return
        from agentkit.runtime.remember import with_earlier_items

        self.input = await with_earlier_items(self.options.session, self.unsaved_input, self.config)
        self.ledger = Ledger(list(self.input))

    def hand_over(self, agent: Agent[Any]) -> None:
        """Go on with `agent`.

        Raises:
            UserError: It was changed into something that can't run; the message names the field.
        """
        check_agent(agent)
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

    def rebase(self, items: list[dict[str, Any]]) -> None:
        """Let the model see `items` in place of the conversation so far."""
        self.rebased, self.rebased_at = items, len(self.ledger.entries)
        self.ledger.rebase(items)
        self.traced_count = 0

    async def equipment(self) -> tuple[Equipment, Model]:
        """Return what the agent brings and its model: worked out once, and anew when something has changed."""
        agent, key = self.agent, self.agent_key
        tools, handoffs = await enabled_parts(agent, self.context)
        known = self._equipment.get(key)
        if known is None or not _same(known.tools, tools) or not _same(known.targets, handoffs):
            known = self._equipment[key] = equip(agent, tools, handoffs)
        if key not in self._models:
            self._models[key] = await self._model()
        return known, self._models[key]

    async def _model(self) -> Model:
        model = self.config.model if self.config.model is not None else self.agent.model
        if isinstance(model, Model):
            return model
        if model is None:
            await self.config.model_provider.prepare()
        return self.config.model_provider.get_model(model)

    async def open_turn(self) -> Turn | None:
        """Return the turn that a run goes on in the middle of, with calls that have no answer yet; None without."""
        if not any(entry.turn == self.turn for entry in self.ledger.open_calls()):
            return None
        equipment, _ = await self.equipment()
        return classify(self.responses[-1], equipment)

    def answered(self, call_id: str) -> bool:
        """Return whether a call of the turn under way has an answer."""
        for entry in reversed(self.ledger.entries):
            if entry.turn != self.turn:
                return False
            if entry.kind in ("tool_output", "handoff_output", "mcp_approval_response") and (
                call_id_of(entry.item) == call_id
            ):
                return True
        return False

    def items(self) -> list[RunItem]:
        """Return the ledger's entries as run items. Those made before are kept."""
        entries = self.ledger.entries
        while len(self._items) < len(entries):
            self._items.append(self._item(entries[len(self._items)]))
        return self._items

    def _item(self, entry: Entry) -> RunItem:
        agent = self.agents[entry.agent]
        if entry.kind == "tool_output":
            return ToolCallOutputItem(agent, entry.item, entry.value, entry.outcome)
        if entry.kind == "handoff_output":
            target = agent if entry.target is None else self.agents[entry.target]
            return HandoffOutputItem(agent, entry.item, agent, target)
        return _ITEM_CLASSES[entry.kind](agent, entry.item)

    async def save(self) -> None:
        """Append to the session what it doesn't have yet, in one piece."""
        session = self.options.session
        if session is None:
            return
        new = self.ledger.entries[self.saved_count :]
        if not new:  # nothing came of the input: it isn't part of the conversation
            return
        items, count = [*self.unsaved_input, *(entry.item for entry in new)], len(self.ledger.entries)
        from agentkit.sessions.finishing import finish

        try:
            await finish(session.add_items(items))
        except asyncio.CancelledError:  # which has waited for the end of the write
            self.unsaved_input, self.saved_count = [], count
            raise
        self.unsaved_input, self.saved_count = [], count

    def _take_inner_event(self, event: Any) -> None:
        self.inner_events.append(event)
        if self.news is not None:
            self.news.set()

    def close_open_ends(self, reason: str) -> None:
        """Make the history valid after a stop in the middle: keep the text that came, answer the calls under way."""
        if text := "".join(event.json.get("delta") or "" for event in self.deltas):
            part = {"type": "output_text", "text": text, "annotations": []}
            message = {
                "type": "message",
                "id": f"msg_{uuid.uuid4().hex}",
                "role": "assistant",
                "status": "incomplete",
                "content": [part],
            }
            self.ledger.add(Entry("message", message, self.agent_key, self.turn))
            self.deltas = []
        for call in self.ledger.open_calls():
            self.ledger.add(_stopped(call, reason, self.turn))


def _stopped(call: Entry, reason: str, turn: int) -> Entry:
    """Return the answer to a call that the run was stopped before."""
    item = call.item
    kind: EntryKind = "handoff_output" if call.kind == "handoff_call" else "tool_output"
    if item["type"] == "mcp_approval_request":
        kind = "mcp_approval_response"
        output = {
            "type": "mcp_approval_response",
            "approval_request_id": item["id"],
            "approve": False,
            "reason": reason,
        }
    elif item["type"] == "function_call":
        output = {"type": "function_call_output", "call_id": item["call_id"], "output": reason}
    elif item["type"] == "computer_call":
        screen = {"type": "computer_screenshot", "image_url": _BLANK}
        output = {"type": "computer_call_output", "call_id": item["call_id"], "output": screen}
    else:
        output = {"type": "local_shell_call_output", "id": call_id_of(item), "output": reason}
    return Entry(kind, output, call.agent, turn, value=reason, outcome="stopped")


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Return whether two lists hold the very same objects."""
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
