"""Events of a streamed run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agentkit.models import RawResponsesStreamEvent
from agentkit.runtime.items import RunItem

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent

__all__ = ["AgentUpdatedStreamEvent", "RawResponsesStreamEvent", "RunItemStreamEvent", "StreamEvent"]


@dataclass(slots=True)
class RunItemStreamEvent:
    """An item is complete: a message, a call, an output."""

    name: Literal[
        "message_output_created",
        "handoff_requested",
        "handoff_occured",
        "tool_called",
        "tool_output",
        "reasoning_item_created",
    ]
    """What happened. `tool_called` comes before the tool runs. `handoff_occured` is spelt as documented."""
    item: RunItem
    """The item."""
    type: Literal["run_item_stream_event"] = "run_item_stream_event"


@dataclass(slots=True)
class AgentUpdatedStreamEvent:
    """Another agent has taken over; the first one at the start of the run included."""

    new_agent: Agent[Any]
    """The agent that goes on."""
    type: Literal["agent_updated_stream_event"] = "agent_updated_stream_event"


StreamEvent = RawResponsesStreamEvent | RunItemStreamEvent | AgentUpdatedStreamEvent
"""Any event of a streamed run."""
