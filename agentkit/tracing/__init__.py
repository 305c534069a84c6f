"""Traces: what happened in each run, kept in a local file and read back as dataframes.

Nothing is uploaded. Each run is a trace of spans (agents at work, model calls, tool calls, handoffs), written to one
SQLite file under `AGENTKIT_HOME` by a background thread. `agentkit.records` reads it, also those of earlier or other
processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.tracing.context import get_current_span, get_current_trace
from agentkit.tracing.create import (
    agent_span,
    custom_span,
    function_span,
    generation_span,
    guardrail_span,
    handoff_span,
    mcp_tools_span,
    response_span,
    trace,
)
from agentkit.tracing.ids import gen_group_id, gen_span_id, gen_trace_id
from agentkit.tracing.processors import (
    TracingExporter,
    TracingProcessor,
    add_trace_processor,
    flush_traces,
    set_trace_processors,
    set_tracing_disabled,
)
from agentkit.tracing.record import NoOpSpan, NoOpTrace, Span, SpanError, Trace
from agentkit.tracing.span_data import (
    AgentSpanData,
    CustomSpanData,
    FunctionSpanData,
    GenerationSpanData,
    GuardrailSpanData,
    HandoffSpanData,
    MCPListToolsSpanData,
    ResponseSpanData,
    SpanData,
)

if TYPE_CHECKING:
    from agentkit.tracing.batching import BatchTraceProcessor
    from agentkit.tracing.config import TracingConfig
    from agentkit.tracing.decorator import traced
    from agentkit.tracing.exporters import (
        BackendSpanExporter,
        ConsoleSpanExporter,
        default_exporter,
        default_processor,
        set_tracing_export_api_key,
    )
    from agentkit.tracing.jsonl import JSONLExporter
    from agentkit.tracing.otlp import OTLPSpanExporter
    from agentkit.tracing.provider import TraceProvider, get_trace_provider, set_trace_provider
    from agentkit.tracing.speech_spans import (
        SpeechGroupSpanData,
        SpeechSpanData,
        TranscriptionSpanData,
        speech_group_span,
        speech_span,
        transcription_span,
    )
    from agentkit.tracing.step_spans import TaskSpanData, TurnSpanData, task_span, turn_span
    from agentkit.tracing.store import TraceStore, store_path

__all__ = [
    "AgentSpanData",
    "BackendSpanExporter",
    "BatchTraceProcessor",
    "ConsoleSpanExporter",
    "CustomSpanData",
    "FunctionSpanData",
    "GenerationSpanData",
    "GuardrailSpanData",
    "HandoffSpanData",
    "JSONLExporter",
    "MCPListToolsSpanData",
    "NoOpSpan",
    "NoOpTrace",
    "OTLPSpanExporter",
    "ResponseSpanData",
    "Span",
    "SpanData",
    "SpanError",
    "SpeechGroupSpanData",
    "SpeechSpanData",
    "TaskSpanData",
    "Trace",
    "TraceProvider",
    "TraceStore",
    "TracingConfig",
    "TracingExporter",
    "TracingProcessor",
    "TranscriptionSpanData",
    "TurnSpanData",
    "add_trace_processor",
    "agent_span",
    "custom_span",
    "default_exporter",
    "default_processor",
    "flush_traces",
    "function_span",
    "gen_group_id",
    "gen_span_id",
    "gen_trace_id",
    "generation_span",
    "get_current_span",
    "get_current_trace",
    "get_trace_provider",
    "guardrail_span",
    "handoff_span",
    "mcp_tools_span",
    "response_span",
    "set_trace_processors",
    "set_trace_provider",
    "set_tracing_disabled",
    "set_tracing_export_api_key",
    "speech_group_span",
    "speech_span",
    "store_path",
    "task_span",
    "trace",
    "traced",
    "transcription_span",
    "turn_span",
]

_LAZY = {
    "BackendSpanExporter": "exporters",
    "BatchTraceProcessor": "batching",
    "ConsoleSpanExporter": "exporters",
    "JSONLExporter": "jsonl",
    "OTLPSpanExporter": "otlp",
    "SpeechGroupSpanData": "speech_spans",
    "SpeechSpanData": "speech_spans",
    "TaskSpanData": "step_spans",
    "TraceProvider": "provider",
    "TraceStore": "store",
    "TracingConfig": "config",
    "TranscriptionSpanData": "speech_spans",
    "TurnSpanData": "step_spans",
    "default_exporter": "exporters",
    "default_processor": "exporters",
    "get_trace_provider": "provider",
    "set_trace_provider": "provider",
    "set_tracing_export_api_key": "exporters",
    "speech_group_span": "speech_spans",
    "speech_span": "speech_spans",
    "store_path": "store",
    "task_span": "step_spans",
    "traced": "decorator",
    "transcription_span": "speech_spans",
    "turn_span": "step_spans",
}


def __getattr__(name: str) -> Any:  # a name of any of the modules in _LAZY
    if name == "GLOBAL_TRACE_PROVIDER":
        from agentkit.tracing.provider import get_trace_provider

        return get_trace_provider()
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"agentkit.tracing.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
