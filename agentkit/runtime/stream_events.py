"""Events of a streamed run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agentkit._repr import fields_repr
from agentkit.models import RawResponsesStreamEvent
from agentkit.runtime.items import RunItem

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent

__all__ = [
    "AgentToolStreamEvent",
    "AgentUpdatedStreamEvent",
    "RawResponsesStreamEvent",
    "RunItemStreamEvent",
    "StreamEvent",
]


@dataclass(slots=True)
class RunItemStreamEvent:
    """An item is complete: a message, a call, an output."""

    __repr__ = fields_repr

    name: Literal[
        "message_output_created",
        "handoff_requested",
        "handoff_occured",
        "tool_called",
        "tool_output",
        "reasoning_item_created",
        "mcp_approval_requested",
        "mcp_approval_response",
        "mcp_list_tools",
        "compaction_item_created",
    ]
    """What happened. `tool_called` comes before the tool runs. `handoff_occured` is spelt as documented."""
    item: RunItem
    """The item."""
    type: Literal["run_item_stream_event"] = "run_item_stream_event"


@dataclass(slots=True)
class AgentUpdatedStreamEvent:
    """Another agent has taken over; the first one at the start of the run included."""

    __repr__ = fields_repr

    new_agent: Agent[Any]
    """The agent that goes on."""
    type: Literal["agent_updated_stream_event"] = "agent_updated_stream_event"


@dataclass(slots=True)
class AgentToolStreamEvent:
    """An event of the run of an agent that is used as a tool. Its fields can be read as keys too."""

    __repr__ = fields_repr

    event: RawResponsesStreamEvent | RunItemStreamEvent | AgentUpdatedStreamEvent
    """What happened in the inner run."""
    agent: Agent[Any]
    """The agent that was called as a tool."""
    tool_call: dict[str, Any] | None
    """The call, in the shape of the Responses API."""
    path: tuple[str, ...] = ()
    """Names of the tools that lead to the inner run, from the outermost on."""
    type: Literal["agent_tool_stream_event"] = "agent_tool_stream_event"

    def __getitem__(self, key: str) -> Any:
        """Return a field by its name, as where the event is a dictionary."""
        try:
            return getattr(self, key)
        except AttributeError:
            raise KeyError(key) from None


StreamEvent = RawResponsesStreamEvent | RunItemStreamEvent | AgentUpdatedStreamEvent | AgentToolStreamEvent
"""Any event of a streamed run."""
