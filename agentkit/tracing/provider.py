"""Who makes traces and spans, as one object, for code that wants to ask it or to put another in its place."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from agentkit._repr import bare_repr
from agentkit.tracing.context import get_current_span, get_current_trace
from agentkit.tracing.create import make_own_span, make_trace
from agentkit.tracing.ids import gen_group_id, gen_span_id, gen_trace_id
from agentkit.tracing.processors import (
    TracingProcessor,
    add_trace_processor,
    flush_traces,
    processor_failed,
    registered,
    set_trace_processors,
    set_tracing_disabled,
)
from agentkit.tracing.span_data import SpanData

if TYPE_CHECKING:
    from agentkit.tracing.config import TracingConfig
    from agentkit.tracing.create import Parent
    from agentkit.tracing.record import Span, Trace

__all__ = ["TraceProvider", "get_trace_provider", "set_trace_provider"]

TSpanData = TypeVar("TSpanData", bound=SpanData)


class TraceProvider:
    """Makes traces and spans, and tells processors of them. Derive from it to make them in another way."""

    __repr__ = bare_repr

    def register_processor(self, processor: TracingProcessor) -> None:
        """Tell `processor` about all traces and spans from now on, beside the others."""
        add_trace_processor(processor)

    def set_processors(self, processors: Iterable[TracingProcessor]) -> None:
        """Tell only `processors` about traces and spans from now on."""
        set_trace_processors(processors)

    def get_current_trace(self) -> Trace | None:
        """Return the trace that the running code is part of, or None."""
        return get_current_trace()

    def get_current_span(self) -> Span[Any] | None:
        """Return the innermost current span, or None."""
        return get_current_span()

    def set_disabled(self, disabled: bool) -> None:
        """Stop recording, or record again."""
        set_tracing_disabled(disabled)

    def time_iso(self) -> str:
        """Return the time as ISO 8601 in UTC."""
        return datetime.now(UTC).isoformat()

    def gen_trace_id(self) -> str:
        """Return a new trace id."""
        return gen_trace_id()

    def gen_span_id(self) -> str:
        """Return a new span id."""
        return gen_span_id()

    def gen_group_id(self) -> str:
        """Return a new id for traces that belong together."""
        return gen_group_id()

    def create_trace(
        self,
        name: str,
        trace_id: str | None = None,
        group_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        disabled: bool = False,
        tracing: TracingConfig | None = None,
    ) -> Trace:
        """Return a trace, not yet started. Arguments as for `trace`."""
        return make_trace(name, trace_id, group_id, metadata, disabled, tracing)

    def create_span(
        self, span_data: TSpanData, span_id: str | None = None, parent: Parent = None, disabled: bool = False
    ) -> Span[TSpanData]:
        """Return a span, not yet started, about `span_data`. The other arguments as for `agent_span`."""
        return make_own_span(span_data, span_id, parent, disabled)

    def force_flush(self) -> None:
        """Wait until everything recorded so far was passed on."""
        flush_traces()

    def shutdown(self) -> None:
        """Let all processors finish. A process that ends does the same by itself."""
        for processor in registered.processors:
            try:
                processor.shutdown()
            except Exception as error:
                processor_failed(processor, "shutdown", error)


_own = TraceProvider()


def get_trace_provider() -> TraceProvider:
    """Return who makes traces and spans."""
    return _own if registered.provider is None else registered.provider


def set_trace_provider(provider: TraceProvider) -> None:
    """Let `provider` make all traces and spans from now on."""
    registered.provider = None if provider is _own else provider
