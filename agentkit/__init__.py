"""agentkit: AI agents in a notebook. Define them in a cell, watch them answer, see what happened.

Names are loaded when they are first used, so that `import agentkit` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentkit.backend import Backend, connect, current_backend, disconnect
    from agentkit.exceptions import (
        AgentsException,
        InputGuardrailTripwireTriggered,
        MaxTurnsExceeded,
        ModelBehaviorError,
        ModelConnectionError,
        ModelRefusalError,
        ModelServerError,
        ModelStatusError,
        NoBackendError,
        OutputGuardrailTripwireTriggered,
        ToolCallError,
        UnknownModelError,
        UserError,
    )
    from agentkit.models import (
        AgentOutputSchema,
        AgentOutputSchemaBase,
        Model,
        ModelProvider,
        ModelResponse,
        ModelSettings,
        ModelTracing,
        OpenAIChatCompletionsModel,
        OpenAIProvider,
        OpenAIResponsesModel,
        TResponseInputItem,
    )
    from agentkit.notebook import last_error, last_run, load_ipython_extension, unload_ipython_extension
    from agentkit.runtime import (
        Agent,
        AgentUpdatedStreamEvent,
        Handoff,
        HandoffCallItem,
        HandoffOutputItem,
        ItemHelpers,
        MessageOutputItem,
        RawResponsesStreamEvent,
        ReasoningItem,
        RunConfig,
        RunItem,
        RunItemStreamEvent,
        Runner,
        RunResult,
        RunResultBase,
        RunResultStreaming,
        StreamEvent,
        ToolCallItem,
        ToolCallOutputItem,
        handoff,
    )
    from agentkit.tools import (
        FunctionTool,
        RunContextWrapper,
        TContext,
        Tool,
        ToolContext,
        default_tool_error_function,
        function_tool,
    )
    from agentkit.tracing import (
        AgentSpanData,
        CustomSpanData,
        FunctionSpanData,
        GenerationSpanData,
        GuardrailSpanData,
        HandoffSpanData,
        ResponseSpanData,
        Span,
        SpanData,
        SpanError,
        Trace,
        TracingProcessor,
        add_trace_processor,
        agent_span,
        custom_span,
        flush_traces,
        function_span,
        gen_span_id,
        gen_trace_id,
        generation_span,
        get_current_span,
        get_current_trace,
        guardrail_span,
        handoff_span,
        response_span,
        set_trace_processors,
        set_tracing_disabled,
        spans,
        trace,
        traces,
    )
    from agentkit.usage import Usage

__version__ = "0.1.0"

_MODULES = {
    "agentkit.backend": "Backend connect current_backend disconnect",
    "agentkit.exceptions": """AgentsException InputGuardrailTripwireTriggered MaxTurnsExceeded ModelBehaviorError
        ModelConnectionError ModelRefusalError ModelServerError ModelStatusError NoBackendError
        OutputGuardrailTripwireTriggered ToolCallError UnknownModelError UserError""",
    "agentkit.models": """AgentOutputSchema AgentOutputSchemaBase Model ModelProvider ModelResponse ModelSettings
        ModelTracing OpenAIChatCompletionsModel OpenAIProvider OpenAIResponsesModel TResponseInputItem""",
    "agentkit.notebook": "last_error last_run load_ipython_extension unload_ipython_extension",
    "agentkit.runtime": """Agent AgentUpdatedStreamEvent Handoff HandoffCallItem HandoffOutputItem ItemHelpers
        MessageOutputItem RawResponsesStreamEvent ReasoningItem RunConfig RunItem RunItemStreamEvent RunResult
        RunResultBase RunResultStreaming Runner StreamEvent ToolCallItem ToolCallOutputItem handoff""",
    "agentkit.tools": """FunctionTool RunContextWrapper TContext Tool ToolContext default_tool_error_function
        function_tool""",
    "agentkit.tracing": """AgentSpanData CustomSpanData FunctionSpanData GenerationSpanData GuardrailSpanData
        HandoffSpanData ResponseSpanData Span SpanData SpanError Trace TracingProcessor add_trace_processor agent_span
        custom_span flush_traces function_span gen_span_id gen_trace_id generation_span get_current_span
        get_current_trace guardrail_span handoff_span response_span set_trace_processors set_tracing_disabled spans
        trace traces""",
    "agentkit.usage": "Usage",
}
_HOME = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = [
    "Agent",
    "AgentOutputSchema",
    "AgentOutputSchemaBase",
    "AgentSpanData",
    "AgentUpdatedStreamEvent",
    "AgentsException",
    "Backend",
    "CustomSpanData",
    "FunctionSpanData",
    "FunctionTool",
    "GenerationSpanData",
    "GuardrailSpanData",
    "Handoff",
    "HandoffCallItem",
    "HandoffOutputItem",
    "HandoffSpanData",
    "InputGuardrailTripwireTriggered",
    "ItemHelpers",
    "MaxTurnsExceeded",
    "MessageOutputItem",
    "Model",
    "ModelBehaviorError",
    "ModelConnectionError",
    "ModelProvider",
    "ModelRefusalError",
    "ModelResponse",
    "ModelServerError",
    "ModelSettings",
    "ModelStatusError",
    "ModelTracing",
    "NoBackendError",
    "OpenAIChatCompletionsModel",
    "OpenAIProvider",
    "OpenAIResponsesModel",
    "OutputGuardrailTripwireTriggered",
    "RawResponsesStreamEvent",
    "ReasoningItem",
    "ResponseSpanData",
    "RunConfig",
    "RunContextWrapper",
    "RunItem",
    "RunItemStreamEvent",
    "RunResult",
    "RunResultBase",
    "RunResultStreaming",
    "Runner",
    "Span",
    "SpanData",
    "SpanError",
    "StreamEvent",
    "TContext",
    "TResponseInputItem",
    "Tool",
    "ToolCallError",
    "ToolCallItem",
    "ToolCallOutputItem",
    "ToolContext",
    "Trace",
    "TracingProcessor",
    "UnknownModelError",
    "Usage",
    "UserError",
    "__version__",
    "add_trace_processor",
    "agent_span",
    "connect",
    "current_backend",
    "custom_span",
    "default_tool_error_function",
    "disconnect",
    "flush_traces",
    "function_span",
    "function_tool",
    "gen_span_id",
    "gen_trace_id",
    "generation_span",
    "get_current_span",
    "get_current_trace",
    "guardrail_span",
    "handoff",
    "handoff_span",
    "last_error",
    "last_run",
    "load_ipython_extension",
    "response_span",
    "set_trace_processors",
    "set_tracing_disabled",
    "spans",
    "trace",
    "traces",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> Any:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module 'agentkit' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(module), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
