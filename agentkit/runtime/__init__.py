"""The runtime: agents, the one loop that runs them, and what comes of it."""

from agentkit.runtime.agent import Agent
from agentkit.runtime.handoffs import Handoff, handoff
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
from agentkit.runtime.result import RunResult, RunResultBase, RunResultStreaming
from agentkit.runtime.run import Runner
from agentkit.runtime.run_config import DEFAULT_MAX_TURNS, RunConfig
from agentkit.runtime.stream_events import (
    AgentUpdatedStreamEvent,
    RawResponsesStreamEvent,
    RunItemStreamEvent,
    StreamEvent,
)

__all__ = [
    "DEFAULT_MAX_TURNS",
    "Agent",
    "AgentUpdatedStreamEvent",
    "Handoff",
    "HandoffCallItem",
    "HandoffOutputItem",
    "ItemHelpers",
    "MessageOutputItem",
    "RawResponsesStreamEvent",
    "ReasoningItem",
    "RunConfig",
    "RunItem",
    "RunItemStreamEvent",
    "RunResult",
    "RunResultBase",
    "RunResultStreaming",
    "Runner",
    "StreamEvent",
    "ToolCallItem",
    "ToolCallOutputItem",
    "handoff",
]
