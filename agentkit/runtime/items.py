"""What happened in a run, item by item: views of the ledger in the classes that users know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from agentkit.models import ModelResponse, TResponseInputItem
from agentkit.models.typed import to_json, typed_item
from agentkit.tooling import approval_key, output_for_model
from agentkit.tooling.context import ApprovalKey

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent
    from agentkit.runtime.ledger import Outcome

__all__ = [
    "CompactionItem",
    "HandoffCallItem",
    "HandoffOutputItem",
    "ItemHelpers",
    "MCPApprovalRequestItem",
    "MCPApprovalResponseItem",
    "MCPListToolsItem",
    "MessageOutputItem",
    "ModelResponse",
    "ReasoningItem",
    "RunItem",
    "RunItemBase",
    "TResponseInputItem",
    "ToolApprovalItem",
    "ToolCallItem",
    "ToolCallOutputItem",
]


class RunItemBase:
    """An item of a run.

    Args:
        agent: The agent that it belongs to.
        raw_item: The item in the shape of the Responses API, as `openai` object or as JSON.
    """

    __slots__ = ("_typed", "agent", "raw")

    type: ClassVar[str]

    def __init__(self, agent: Agent[Any], raw_item: Any) -> None:
        self.agent = agent
        self.raw: dict[str, Any] = to_json(raw_item)
        """The item as JSON."""
        self._typed: Any = None

    @property
    def raw_item(self) -> Any:  # one of many `openai` classes
        """The item as an `openai` object; outputs of tools and handoffs as JSON."""
        if self._typed is None:
            self._typed = typed_item(self.raw)
        return self._typed

    def to_input_item(self) -> TResponseInputItem:
        """Return the item in the shape in which it goes back to a model."""
        return self.raw

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._summary()})"

    def _summary(self) -> str:
        return str(self.raw.get("type", ""))


class MessageOutputItem(RunItemBase):
    """A message from the model."""

    __slots__ = ()
    type: ClassVar[Literal["message_output_item"]] = "message_output_item"

    def _summary(self) -> str:
        return repr(_shortened(ItemHelpers.text_message_output(self)))


class ReasoningItem(RunItemBase):
    """What the model lets be seen of its thoughts."""

    __slots__ = ()
    type: ClassVar[Literal["reasoning_item"]] = "reasoning_item"

    def _summary(self) -> str:
        parts = [*(self.raw.get("summary") or ()), *(self.raw.get("content") or ())]
        text = "\n".join(str(part.get("text", "")) for part in parts)
        return repr(_shortened(text)) if text else "hidden"


class ToolCallItem(RunItemBase):
    """A call of a tool by the model; hosted tools' calls included."""

    __slots__ = ()
    type: ClassVar[Literal["tool_call_item"]] = "tool_call_item"

    def _summary(self) -> str:
        return f"{self.raw.get('name') or self.raw.get('type')}({_shortened(str(self.raw.get('arguments', '')))})"


class HandoffCallItem(RunItemBase):
    """The model asking for a handoff."""

    __slots__ = ()
    type: ClassVar[Literal["handoff_call_item"]] = "handoff_call_item"

    def _summary(self) -> str:
        return str(self.raw.get("name"))


class ToolCallOutputItem(RunItemBase):
    """What a tool returned.

    Args:
        agent: The agent whose tool it is.
        raw_item: What goes back to the model.
        output: What the tool returned, as the Python object it is.
        outcome: "ok", or "failed" or "stopped" where the output only says that there is none.
    """

    __slots__ = ("outcome", "output")
    type: ClassVar[Literal["tool_call_output_item"]] = "tool_call_output_item"

    def __init__(self, agent: Agent[Any], raw_item: Any, output: Any, outcome: Outcome = "ok") -> None:
        super().__init__(agent, raw_item)
        self.output = output
        self.outcome = outcome

    @property
    def raw_item(self) -> Any:
        """The item as JSON."""
        return self.raw

    def _summary(self) -> str:
        return _shortened(repr(self.output))


class HandoffOutputItem(RunItemBase):
    """A handoff that happened.

    Args:
        agent: The agent that handed over.
        raw_item: What the model is told of it.
        source_agent: The agent that handed over.
        target_agent: The agent that took over.
    """

    __slots__ = ("source_agent", "target_agent")
    type: ClassVar[Literal["handoff_output_item"]] = "handoff_output_item"

    def __init__(self, agent: Agent[Any], raw_item: Any, source_agent: Agent[Any], target_agent: Agent[Any]) -> None:
        super().__init__(agent, raw_item)
        self.source_agent = source_agent
        self.target_agent = target_agent

    @property
    def raw_item(self) -> Any:
        """The item as JSON."""
        return self.raw

    def _summary(self) -> str:
        return f"{self.source_agent.name} → {self.target_agent.name}"


class MCPApprovalRequestItem(RunItemBase):
    """A hosted MCP server's tool that the platform will call once it is approved."""

    __slots__ = ()
    type: ClassVar[Literal["mcp_approval_request_item"]] = "mcp_approval_request_item"

    def _summary(self) -> str:
        return f"{self.raw.get('server_label')}: {self.raw.get('name')}"


class MCPApprovalResponseItem(RunItemBase):
    """What was decided of a hosted MCP server's tool."""

    __slots__ = ()
    type: ClassVar[Literal["mcp_approval_response_item"]] = "mcp_approval_response_item"

    @property
    def raw_item(self) -> Any:
        """The item as JSON."""
        return self.raw

    def _summary(self) -> str:
        return "approved" if self.raw.get("approve") else "not approved"


class MCPListToolsItem(RunItemBase):
    """The tools of a hosted MCP server, as the platform has listed them."""

    __slots__ = ()
    type: ClassVar[Literal["mcp_list_tools_item"]] = "mcp_list_tools_item"

    def _summary(self) -> str:
        return f"{self.raw.get('server_label')}: {len(self.raw.get('tools') or ())} tools"


class CompactionItem(RunItemBase):
    """An earlier part of the conversation, which the platform has made smaller."""

    __slots__ = ()
    type: ClassVar[Literal["compaction_item"]] = "compaction_item"


class ToolApprovalItem(RunItemBase):
    """A call that waits for a person's approval: one of a result's `interruptions`.

    Args:
        agent: The agent that wants to call the tool.
        raw_item: The call.
        tool_name: Name of the tool; that in the call when None.
        path: Ids of the outer calls, from the outermost on, where the agent is used as a tool.
    """

    __slots__ = ("path", "tool_name")
    type: ClassVar[Literal["tool_approval_item"]] = "tool_approval_item"

    def __init__(
        self, agent: Agent[Any], raw_item: Any, tool_name: str | None = None, path: tuple[str, ...] = ()
    ) -> None:
        super().__init__(agent, raw_item)
        self.path = path
        self.tool_name: str = tool_name or self.raw.get("name") or str(self.raw.get("type", ""))

    @property
    def name(self) -> str:
        """Name of the tool."""
        return self.tool_name

    @property
    def call_id(self) -> str:
        """Id of the call."""
        return str(self.raw.get("call_id") or self.raw.get("id") or "")

    @property
    def key(self) -> ApprovalKey:
        """What a decision on the call is kept under."""
        return approval_key(self.raw, self.name, self.agent.name, self.path)

    @property
    def arguments(self) -> str:
        """The arguments as the model sent them: JSON text."""
        return str(self.raw.get("arguments") or "")

    def _summary(self) -> str:
        return f"{self.agent.name} wants to call {self.name}({_shortened(self.arguments)})"


RunItem = (
    MessageOutputItem
    | ReasoningItem
    | ToolCallItem
    | HandoffCallItem
    | ToolCallOutputItem
    | HandoffOutputItem
    | MCPApprovalRequestItem
    | MCPApprovalResponseItem
    | MCPListToolsItem
    | CompactionItem
    | ToolApprovalItem
)
"""Any item of a run. Its `type` tells which."""


class ItemHelpers:
    """Ways to get text and input items out of items."""

    @classmethod
    def extract_last_content(cls, message: Any) -> str:
        """Return the text or refusal of a message's last part; "" where it has none."""
        parts = to_json(message).get("content") or [{}]
        return str(parts[-1].get("text") or parts[-1].get("refusal") or "")

    @classmethod
    def extract_last_text(cls, message: Any) -> str | None:
        """Return the text of a message's last part, or None where that is no text."""
        parts = to_json(message).get("content") or [{}]
        return parts[-1].get("text") if parts[-1].get("type") == "output_text" else None

    @classmethod
    def extract_text(cls, message: Any) -> str | None:
        """Return the text of a message, all parts joined, or None where it has none."""
        parts = to_json(message).get("content") or ()
        return "".join(part.get("text") or "" for part in parts if part.get("type") == "output_text") or None

    @classmethod
    def extract_refusal(cls, message: Any) -> str | None:
        """Return what the model said in place of an answer, or None where it answered."""
        parts = to_json(message).get("content") or ()
        return "".join(part.get("refusal") or "" for part in parts if part.get("type") == "refusal") or None

    @classmethod
    def input_to_new_input_list(cls, input: str | list[TResponseInputItem]) -> list[TResponseInputItem]:  # noqa: A002
        """Return input as a new list of items; text becomes one user message."""
        if isinstance(input, str):
            return [{"role": "user", "content": input}]
        return [dict(item) if isinstance(item, dict) else to_json(item) for item in input]

    @classmethod
    def text_message_outputs(cls, items: Sequence[RunItem]) -> str:
        """Return the text of all messages among `items`, joined."""
        return "".join(cls.text_message_output(item) for item in items if isinstance(item, MessageOutputItem))

    @classmethod
    def text_message_output(cls, message: MessageOutputItem) -> str:
        """Return the text of a message, all parts joined."""
        parts = message.raw.get("content") or ()
        return "".join(part.get("text") or "" for part in parts if part.get("type") == "output_text")

    @classmethod
    def tool_call_output_item(cls, tool_call: Any, output: Any) -> dict[str, Any]:
        """Return the item that answers a call with what the tool returned."""
        call_id = to_json(tool_call)["call_id"]
        return {"type": "function_call_output", "call_id": call_id, "output": output_for_model(output)}


def _shortened(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
