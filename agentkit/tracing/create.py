"""`trace()` and the functions that make spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from agentkit._called_as import called_as
from agentkit.tracing.context import current
from agentkit.tracing.ids import check_trace_id, gen_span_id, gen_trace_id
from agentkit.tracing.processors import registered, tracing_disabled
from agentkit.tracing.record import NoOpSpan, NoOpTrace, Span, Trace
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
    from collections.abc import Mapping, Sequence

    from agentkit.tracing.config import TracingConfig

__all__ = [
    "agent_span",
    "custom_span",
    "function_span",
    "generation_span",
    "guardrail_span",
    "handoff_span",
    "make_own_span",
    "make_span",
    "make_trace",
    "mcp_tools_span",
    "response_span",
    "trace",
]

Parent: TypeAlias = "Trace | Span[Any] | None"
TSpanData = TypeVar("TSpanData", bound=SpanData)


@called_as("trace")
def trace(
    workflow_name: str,
    trace_id: str | None = None,
    group_id: str | None = None,
    metadata: dict[str, Any] | None = None,
    tracing: TracingConfig | None = None,
    disabled: bool = False,
) -> Trace:
    """Begin a workflow: several runs in one `with` block of it are recorded as one trace. It is not yet started.

    Args:
        workflow_name: What is being done, such as "Customer service".
        trace_id: "trace_" and 32 letters or digits; made up where it's left out.
        group_id: Links several traces, such as those of one conversation.
        metadata: Anything to note on the trace.
        tracing: `{"api_key": …}` for a key to upload the trace with, where it is uploaded at all.
        disabled: Record neither the trace nor what happens inside it.

    Raises:
        UserError: `trace_id` has another form.
    """
    if trace_id is not None:
        check_trace_id(trace_id)
    if registered.provider is not None:
        made: Trace = registered.provider.create_trace(workflow_name, trace_id, group_id, metadata, disabled, tracing)
        return made
    return make_trace(workflow_name, trace_id, group_id, metadata, disabled, tracing)


def make_trace(
    name: str,
    trace_id: str | None,
    group_id: str | None,
    metadata: dict[str, Any] | None,
    disabled: bool,
    tracing: TracingConfig | None,
) -> Trace:
    """Return a trace as `trace` does, whichever provider was set."""
    if disabled or tracing_disabled():
        return NoOpTrace(name)
    return Trace(name, trace_id or gen_trace_id(), group_id, metadata, (tracing or {}).get("api_key"))


def agent_span(
    name: str,
    handoffs: Sequence[str] | None = None,
    tools: Sequence[str] | None = None,
    output_type: str | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[AgentSpanData]:
    """Return a span, not yet started, for an agent at work.

    Args:
        name: The agent's name.
        handoffs: Names of the agents it may hand over to.
        tools: Names of its tools.
        output_type: Name of the type it is to answer with.
        span_id: The span's id; made up where it's left out.
        parent: The trace or span it is part of; the current one where it's left out. Without any, nothing is recorded.
        disabled: Record neither the span nor what happens inside it.
    """
    return make_span(AgentSpanData(name, handoffs, tools, output_type), span_id, parent, disabled)


def function_span(
    name: str,
    input: str | None = None,  # noqa: A002 (the documented name)
    output: Any = None,  # whatever the tool returned
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[FunctionSpanData]:
    """Return a span, not yet started, for a call of a function tool. See `agent_span` for the last three arguments.

    Args:
        name: The tool's name.
        input: Its arguments as JSON text.
        output: What it returned.
        span_id: The span's id.
        parent: The trace or span it is part of.
        disabled: Record nothing.
    """
    return make_span(FunctionSpanData(name, input, output), span_id, parent, disabled)


def generation_span(
    input: Sequence[Mapping[str, Any]] | None = None,  # noqa: A002 (the documented name)
    output: Sequence[Mapping[str, Any]] | None = None,
    model: str | None = None,
    model_config: Mapping[str, Any] | None = None,
    usage: dict[str, Any] | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[GenerationSpanData]:
    """Return a span, not yet started, for a model call. See `agent_span` for the last three arguments.

    Args:
        input: The messages sent, as JSON dictionaries.
        output: The messages received.
        model: The model's name.
        model_config: Its settings.
        usage: Token counts: "input_tokens", "output_tokens", …
        span_id: The span's id.
        parent: The trace or span it is part of.
        disabled: Record nothing.
    """
    return make_span(GenerationSpanData(input, output, model, model_config, usage), span_id, parent, disabled)


def response_span(
    response: Any = None,  # an object of the `openai` client, which this layer doesn't import
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[ResponseSpanData]:
    """Return a span, not yet started, for a model call by the Responses API.

    Args:
        response: The client's answer, if there is one already.
        span_id: The span's id.
        parent: The trace or span it is part of.
        disabled: Record nothing.
    """
    return make_span(ResponseSpanData(response), span_id, parent, disabled)


def handoff_span(
    from_agent: str | None = None,
    to_agent: str | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[HandoffSpanData]:
    """Return a span, not yet started, for a handoff. See `agent_span` for the last three arguments.

    Args:
        from_agent: Name of the agent that hands over.
        to_agent: Name of the agent that takes over.
        span_id: The span's id.
        parent: The trace or span it is part of.
        disabled: Record nothing.
    """
    return make_span(HandoffSpanData(from_agent, to_agent), span_id, parent, disabled)


def guardrail_span(
    name: str,
    triggered: bool = False,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[GuardrailSpanData]:
    """Return a span, not yet started, for a guardrail's check. See `agent_span` for the last three arguments.

    Args:
        name: The guardrail's name.
        triggered: Whether it said stop.
        span_id: The span's id.
        parent: The trace or span it is part of.
        disabled: Record nothing.
    """
    return make_span(GuardrailSpanData(name, triggered), span_id, parent, disabled)


def mcp_tools_span(
    server: str | None = None,
    result: Sequence[str] | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[MCPListToolsSpanData]:
    """Return a span, not yet started, for asking an MCP server for its tools. See `agent_span` for the last three.

    Args:
        server: The server's name.
        result: Names of the tools it offers.
        span_id: The span's id.
        parent: The trace or span it is part of.
        disabled: Record nothing.
    """
    return make_span(MCPListToolsSpanData(server, result), span_id, parent, disabled)


def custom_span(
    name: str,
    data: dict[str, Any] | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[CustomSpanData]:
    """Return a span, not yet started, for something of your own. See `agent_span` for the last three arguments.

    Args:
        name: What is being done.
        data: Anything to note on it.
        span_id: The span's id.
        parent: The trace or span it is part of.
        disabled: Record nothing.
    """
    return make_span(CustomSpanData(name, data), span_id, parent, disabled)


def make_span(data: TSpanData, span_id: str | None, parent: Parent, disabled: bool) -> Span[TSpanData]:
    """Return a span, not yet started, of the provider that was set, or else of agentkit."""
    if registered.provider is not None:
        made: Span[TSpanData] = registered.provider.create_span(data, span_id, parent, disabled)
        return made
    return make_own_span(data, span_id, parent, disabled)


def make_own_span(data: TSpanData, span_id: str | None, parent: Parent, disabled: bool) -> Span[TSpanData]:
    """Return a span, not yet started, whichever provider was set."""
    if parent is None:
        parent = current.get()
        if parent is None:
            return NoOpSpan(None, data) if disabled else _outside_any_trace(data)
    trace_ = parent.trace
    if disabled or registered.disabled or isinstance(parent, (NoOpTrace, NoOpSpan)):
        return NoOpSpan(trace_, data)
    above = parent.as_span()
    if above is None:
        return Span(trace_, span_id or gen_span_id(), None, 0, data)
    around = above.span_data
    agent = around.name if around.type == "agent" else above.agent
    return Span(trace_, span_id or gen_span_id(), above.span_id, above.depth + 1, data, agent)


def _outside_any_trace(data: TSpanData) -> NoOpSpan[TSpanData]:
    from logging import getLogger

    getLogger("agentkit.tracing").debug(
        "No trace is current, so this %s span isn't recorded. Start one by `with trace(...)`, or give its parent.",
        data.type,
    )
    return NoOpSpan(None, data)
