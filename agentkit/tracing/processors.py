"""Who is told about traces and spans, and how they are told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from agentkit._repr import bare_repr
from agentkit.exceptions import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentkit.tracing.record import Span, Trace

__all__ = [
    "TracingExporter",
    "TracingProcessor",
    "add_trace_processor",
    "data_wanted",
    "flush_traces",
    "processor_failed",
    "registered",
    "reset_tracing",
    "set_trace_processors",
    "set_tracing_disabled",
    "tracing_disabled",
]


class TracingProcessor(ABC):
    """Is told when traces and spans start and end.

    The methods are called where the work is done, often on the event loop: they should be quick. One that raises is
    logged once, and the run goes on.
    """

    __slots__ = ()

    __repr__ = bare_repr

    @abstractmethod
    def on_trace_start(self, trace: Trace) -> None:
        """Note that `trace` started."""

    @abstractmethod
    def on_trace_end(self, trace: Trace) -> None:
        """Note that `trace` ended."""

    @abstractmethod
    def on_span_start(self, span: Span[Any]) -> None:
        """Note that `span` started."""

    @abstractmethod
    def on_span_end(self, span: Span[Any]) -> None:
        """Note that `span` ended."""

    @abstractmethod
    def shutdown(self) -> None:
        """Finish what is under way and let go of everything held."""

    @abstractmethod
    def force_flush(self) -> None:
        """Pass on at once what is still waiting."""


class TracingExporter(ABC):
    """Sends traces and spans somewhere; see `BatchTraceProcessor`.

    Attributes:
        traces_at: When it is handed a trace: at its "start", at its "end", or at "both".
    """

    __slots__ = ()

    traces_at: ClassVar[Literal["start", "end", "both"]] = "start"

    __repr__ = bare_repr

    @abstractmethod
    def export(self, items: Sequence[Trace | Span[Any]]) -> None:
        """Send `items`: traces that started (see `traces_at`) and spans that ended, oldest first."""


class _Registered:
    """The processors in use. One object, so that each start and end of a span costs one look-up."""

    __slots__ = ("default_wanted", "disabled", "failures", "processors", "provider")

    def __init__(self) -> None:
        self.processors: tuple[TracingProcessor, ...] = ()
        self.default_wanted = True
        """No trace was started yet, and nobody replaced the local store: the first trace adds it."""
        self.disabled: bool | None = None
        """What `set_tracing_disabled` said; None leaves it to the environment."""
        self.failures: set[tuple[int, str]] = set()
        """Processor and method, for what was logged already."""
        self.provider: Any = None  # of a module above
        """What `set_trace_provider` said; None for agentkit's own."""

    def add_default(self) -> None:
        """Put the local store in front of the processors."""
        from agentkit.tracing.store import TraceStore

        self.default_wanted = False
        self.processors = (TraceStore(), *self.processors)


registered = _Registered()

_TOLD = ("on_trace_start", "on_trace_end", "on_span_start", "on_span_end", "shutdown", "force_flush")


def add_trace_processor(processor: TracingProcessor) -> None:
    """Tell `processor` about all traces and spans from now on, beside the local store.

    Raises:
        UserError: It is no processor; an exporter has to be wrapped in `BatchTraceProcessor`.
    """
    _check(processor)
    registered.processors = (*registered.processors, processor)


def set_trace_processors(processors: Iterable[TracingProcessor]) -> None:
    """Tell only `processors` about traces and spans from now on.

    This replaces the local store too: nothing is kept in it unless `processors` has a `TraceStore()`.

    Raises:
        UserError: One of them is no processor, or it is no list of any; the ones in use stay.
    """
    from agentkit.tracing.store import TraceStore

    try:
        wanted = tuple(processors)
    except TypeError:
        _check(processors)
        raise UserError(
            f"set_trace_processors takes a list of processors, not one {type(processors).__name__}.",
            hint="Put it in a list: set_trace_processors([processor]).",
        ) from None
    for processor in wanted:
        _check(processor)
    before, registered.processors = registered.processors, wanted
    registered.default_wanted = False
    for processor in before:
        if isinstance(processor, TraceStore) and processor not in registered.processors:
            processor.shutdown()


def _check(processor: Any) -> None:  # whatever a caller passes
    """Refuse what can't be told of traces. What has the methods will do, without being derived from the class."""
    kind = type(processor).__name__
    if not isinstance(processor, type):
        if all(callable(getattr(processor, name, None)) for name in _TOLD):
            return
        if callable(getattr(processor, "export", None)):
            raise UserError(
                f"{kind} is an exporter, not a processor.", hint=f"Wrap it: BatchTraceProcessor({kind}(…))."
            )
    else:
        kind = f"the class {processor.__name__}"
    raise UserError(
        f"A trace processor was expected, not {kind}.",
        hint="It is an object of a class derived from TracingProcessor, such as BatchTraceProcessor(exporter).",
    )


def reset_tracing() -> None:
    """Go back to how tracing begins: nothing switched off, and a local store from the first trace on."""
    set_trace_processors(())
    registered.default_wanted = True
    registered.disabled = None
    registered.provider = None
    registered.failures.clear()


def set_tracing_disabled(disabled: bool) -> None:
    """Stop recording traces and spans, or record them again; stronger than `OPENAI_AGENTS_DISABLE_TRACING`."""
    registered.disabled = disabled


def tracing_disabled() -> bool:
    """Return whether nothing is to be recorded, as `set_tracing_disabled` or the environment says."""
    if registered.disabled is not None:
        return registered.disabled
    from os import environ

    return environ.get("OPENAI_AGENTS_DISABLE_TRACING", "").strip().lower() in ("1", "true", "yes", "on")


def data_wanted() -> bool:
    """Return whether what was said is to be recorded, as `OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA` says."""
    from os import environ

    said = environ.get("OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA", "")
    return said.strip().lower() not in ("0", "false", "no", "off")


def flush_traces() -> None:
    """Wait until everything recorded so far is written, or was passed on by the processors."""
    for processor in registered.processors:
        try:
            processor.force_flush()
        except Exception as error:
            processor_failed(processor, "force_flush", error)


def processor_failed(processor: TracingProcessor, method: str, error: Exception) -> None:
    """Log that a processor raised, the first time it does so in that method."""
    if (id(processor), method) in registered.failures:
        return
    registered.failures.add((id(processor), method))
    from logging import getLogger

    getLogger("agentkit.tracing").error(
        "The trace processor %s raised in %s (%s: %s). The run goes on; this is said once.",
        type(processor).__name__,
        method,
        type(error).__name__,
        error,
        exc_info=error,
    )


_ELSEWHERE = {
    "BatchTraceProcessor": "batching",
    "BackendSpanExporter": "exporters",
    "ConsoleSpanExporter": "exporters",
    "default_exporter": "exporters",
    "default_processor": "exporters",
}


def __getattr__(name: str) -> Any:  # names that the SDK's documentation imports from here
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"agentkit.tracing.{_ELSEWHERE[name]}"), name)
