"""Models: the interface, the adapters for OpenAI's two APIs, and what travels between them and the loop."""

from agentkit.models.chat_completions import OpenAIChatCompletionsModel
from agentkit.models.history import History
from agentkit.models.interface import (
    HandoffTool,
    Model,
    ModelProvider,
    ModelResponse,
    ModelTracing,
    TResponseInputItem,
)
from agentkit.models.output_schema import AgentOutputSchema, AgentOutputSchemaBase
from agentkit.models.provider import OpenAIProvider
from agentkit.models.responses import OpenAIResponsesModel
from agentkit.models.settings import ModelSettings, ToolChoice
from agentkit.models.stream import RawResponsesStreamEvent

__all__ = [
    "AgentOutputSchema",
    "AgentOutputSchemaBase",
    "HandoffTool",
    "History",
    "Model",
    "ModelProvider",
    "ModelResponse",
    "ModelSettings",
    "ModelTracing",
    "OpenAIChatCompletionsModel",
    "OpenAIProvider",
    "OpenAIResponsesModel",
    "RawResponsesStreamEvent",
    "TResponseInputItem",
    "ToolChoice",
]
