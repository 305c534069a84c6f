"""Models: the interface, the adapters for OpenAI's two APIs, and what travels between them and the loop."""

from agentkit.models.chat_completions import OpenAIChatCompletionsModel
from agentkit.models.chat_quirks import ChatQuirks
from agentkit.models.defaults import set_default_openai_api, set_default_openai_client, set_default_openai_key
from agentkit.models.history import History
from agentkit.models.interface import (
    HandoffTool,
    Model,
    ModelProvider,
    ModelResponse,
    ModelTracing,
    TResponseInputItem,
)
from agentkit.models.multi_provider import MultiProvider, MultiProviderMap
from agentkit.models.output_schema import AgentOutputSchema, AgentOutputSchemaBase
from agentkit.models.prompts import DynamicPromptFunction, GenerateDynamicPromptData, Prompt, resolve_prompt
from agentkit.models.provider import OpenAIProvider
from agentkit.models.responses import OpenAIResponsesModel
from agentkit.models.settings import MCPToolChoice, ModelSettings, ToolChoice
from agentkit.models.stream import RawResponsesStreamEvent

__all__ = [
    "AgentOutputSchema",
    "AgentOutputSchemaBase",
    "ChatQuirks",
    "DynamicPromptFunction",
    "GenerateDynamicPromptData",
    "HandoffTool",
    "History",
    "MCPToolChoice",
    "Model",
    "ModelProvider",
    "ModelResponse",
    "ModelSettings",
    "ModelTracing",
    "MultiProvider",
    "MultiProviderMap",
    "OpenAIChatCompletionsModel",
    "OpenAIProvider",
    "OpenAIResponsesModel",
    "Prompt",
    "RawResponsesStreamEvent",
    "TResponseInputItem",
    "ToolChoice",
    "resolve_prompt",
    "set_default_openai_api",
    "set_default_openai_client",
    "set_default_openai_key",
]
