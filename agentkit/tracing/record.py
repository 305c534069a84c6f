"""Traces and spans: what is recorded of a run while it goes on."""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar, cast

from agentkit.tracing.context import enter, leave
from agentkit.tracing.processors import data_wanted, processor_failed, registered
from agentkit.tracing.span_data import SpanData

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from agentkit.tracing.context import Scope

__all__ = ["NoOpSpan", "NoOpTrace", "Recorded", "Span", "SpanError", "Trace"]

TSpanData = TypeVar("TSpanData", bound=SpanData)


class SpanError(TypedDict):
    """What went wrong."""

    message: str
    """One line for a person."""
    data: dict[str, Any] | None
    """What helps to find the cause."""


class Recorded:
    """What traces and spans have in common: when they were at work, and how it went.

    Attributes:
        error: What went wrong: a `SpanError`, or None. May be set.
        started_ns: When it started, in nanoseconds since 1970; 0 before.
        ended_ns: When it ended, likewise.
        outer: What was current before it.
    """

    __slots__ = ("_status", "ended_ns", "error", "outer", "started_ns")

    # set by the classes themselves: a call of this class's __init__ would be a tenth of a span's cost
    _status: str | None
    error: SpanError | None
    started_ns: int
    ended_ns: int
    outer: Scope | None

    def _says_kinds_alone(self) -> bool:
        """Return whether texts of errors, which may quote what was said, stay out."""
        raise NotImplementedError

    @property
    def status(self) -> str:
        """How it went: what was set, else "error" where `error` is set, else "running" or "ok"."""
        if self._status is not None:
            return self._status
        if self.error is not None:
            return "error"
        return "ok" if self.ended_ns else "running"

    @status.setter
    def status(self, value: str) -> None:
        self._status = value

    @property
    def started_at(self) -> str | None:
        """When it started, as ISO 8601 in UTC, or None before."""
        return _iso(self.started_ns)

    @property
    def ended_at(self) -> str | None:
        """When it ended, as ISO 8601 in UTC, or None before."""
        return _iso(self.ended_ns)

    def start(self, mark_as_current: bool = False) -> None:
        """Start it.

        Args:
            mark_as_current: What starts from here on, in this task or thread, is part of it.
        """
        raise NotImplementedError

    def finish(self, reset_current: bool = False) -> None:
        """End it; once more does nothing.

        Args:
            reset_current: What was current before becomes so again.
        """
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start(mark_as_current=True)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if exc is not None:
            self._note_exception(exc)
        self.finish(reset_current=True)

    def _note_exception(self, exc: BaseException) -> None:
        """Note that `exc` ended it, unless something was noted already; its kind alone where data is left out."""
        if self.error is not None or self._status is not None:
            return
        # By name: both asyncio and concurrent.futures have one, and neither is to be imported for this.
        if isinstance(exc, KeyboardInterrupt) or type(exc).__name__ == "CancelledError":
            self.status = "cancelled"
        elif isinstance(exc, Exception):  # SystemExit and GeneratorExit are ways to end well
            kind = type(exc).__name__
            self.error = {"message": kind if self._says_kinds_alone() else f"{kind}: {exc}", "data": None}


class Trace(Recorded):
    """One workflow from its beginning to its end: usually a run, or several that belong together.

    Made by `trace()`. Use it as a context manager, or call `start` and `finish`.

    Attributes:
        trace_id: "trace_" and 32 letters or digits.
        name: The workflow's name.
        group_id: What traces of one conversation have in common, or None.
        session_id: The session that its runs belong to, or None. May be set.
        data_left_out: Whether a run in it leaves out what was said; then `@traced` and errors that leave a `with` block
            do too. May be set.
        data_unwanted: Whether spans of model calls, tools and speech are recorded without input and output, whoever
            made them: `OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA` was 0 when it started, and no run in it was told to
            keep them. May be set.
        metadata: What the caller wanted noted, or None.
        input: What was asked: text or anything that has a JSON form. May be set.
        output: What came out, likewise.
        tracing_api_key: Key to upload it with, where `BackendSpanExporter` does; never stored.
        error: What went wrong: a `SpanError`, or None. May be set.
        started_ns: When it started, in nanoseconds since 1970; 0 before.
        ended_ns: When it ended, likewise.
    """

    __slots__ = (
        "data_left_out",
        "data_unwanted",
        "group_id",
        "input",
        "metadata",
        "name",
        "output",
        "session_id",
        "trace_id",
        "tracing_api_key",
    )

    def __init__(
        self,
        name: str,
        trace_id: str,
        group_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        tracing_api_key: str | None = None,
    ) -> None:
        self.name = name
        self.trace_id = trace_id
        self.group_id = group_id
        self.session_id: str | None = None
        self.data_left_out = False
        self.data_unwanted = False
        self.metadata = metadata
        self.tracing_api_key = tracing_api_key
        self.input: Any = None  # anything the caller has
        self.output: Any = None
        self.error: SpanError | None = None
        self.started_ns = 0
        self.ended_ns = 0
        self.outer: Scope | None = None
        self._status: str | None = None

    @property
    def trace(self) -> Trace:
        """This trace; a span's is the one it belongs to."""
        return self

    def as_span(self) -> None:
        """Return None: a trace is no span."""
        return

    def _says_kinds_alone(self) -> bool:
        return self.data_left_out or self.data_unwanted

    def start(self, mark_as_current: bool = False) -> None:
        """Start the trace.

        Args:
            mark_as_current: Spans and runs that start from here on, in this task or thread, belong to it.
        """
        if self.started_ns:
            return
        self.started_ns = time_ns()
        if not data_wanted():
            self.data_unwanted = True
        if mark_as_current:
            enter(self)
        if registered.default_wanted:
            registered.add_default()
        for processor in registered.processors:
            try:
                processor.on_trace_start(self)
            except Exception as error:
                processor_failed(processor, "on_trace_start", error)

    def finish(self, reset_current: bool = False) -> None:
        """End the trace; once more does nothing.

        Args:
            reset_current: What was current before the trace becomes so again.
        """
        if self.started_ns and not self.ended_ns:
            self.ended_ns = max(time_ns(), self.started_ns)
            for processor in registered.processors:
                try:
                    processor.on_trace_end(self)
                except Exception as error:
                    processor_failed(processor, "on_trace_end", error)
        if reset_current:
            leave(self)

    def export(self) -> dict[str, Any] | None:
        """Return the trace as a dictionary, as the SDK documents it."""
        return {
            "object": "trace",
            "id": self.trace_id,
            "workflow_name": self.name,
            "group_id": self.group_id,
            "metadata": self.metadata,
        }

    def to_json(self, *, include_tracing_api_key: bool = False) -> dict[str, Any] | None:
        """Return what `export` does.

        Args:
            include_tracing_api_key: Whether the key to upload it with is in it too.
        """
        exported = self.export()
        if exported is not None and include_tracing_api_key and self.tracing_api_key:
            exported["tracing_api_key"] = self.tracing_api_key
        return exported

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.trace_id!r}, {self.status})"


class Span(Recorded, Generic[TSpanData]):
    """One operation within a trace: an agent at work, a model call, a tool call, a handoff.

    Made by `agent_span()` and its like. Use it as a context manager, or call `start` and `finish`.

    Attributes:
        span_id: "span_" and 24 hexadecimal digits.
        parent_id: The id of the span it is part of; None directly below the trace.
        span_data: What it is about. Its fields may be set until the span is finished.
        error: What went wrong, or None; see `set_error`.
        depth: Spans above it: 0 directly below the trace.
        agent: Name of the agent that it is part of the work of, or None.
        started_ns: When it started, in nanoseconds since 1970; 0 before.
        ended_ns: When it ended, likewise.
    """

    __slots__ = (
        "agent",
        "depth",
        "parent_id",
        "span_data",
        "span_id",
        "trace",
    )

    def __init__(
        self,
        trace: Trace,
        span_id: str,
        parent_id: str | None,
        depth: int,
        span_data: TSpanData,
        agent: str | None = None,
    ) -> None:
        self.trace = trace
        self.span_id = span_id
        self.parent_id = parent_id
        self.depth = depth
        self.agent = agent
        self.span_data = span_data
        self.error: SpanError | None = None
        self.started_ns = 0
        self.ended_ns = 0
        self.outer: Scope | None = None
        self._status: str | None = None

    @property
    def trace_id(self) -> str:
        """The id of the trace it belongs to."""
        return self.trace.trace_id

    @property
    def tracing_api_key(self) -> str | None:
        """Key to upload it with, where `BackendSpanExporter` does."""
        return self.trace.tracing_api_key

    @property
    def trace_metadata(self) -> dict[str, Any] | None:
        """What the caller wanted noted on the trace it belongs to."""
        return self.trace.metadata

    def as_span(self) -> Span[TSpanData]:
        """Return the span itself; a trace returns None."""
        return self

    def _says_kinds_alone(self) -> bool:
        return self.trace.data_left_out or self.trace.data_unwanted

    def set_error(self, error: SpanError) -> None:
        """Note what went wrong."""
        self.error = error

    def start(self, mark_as_current: bool = False) -> None:
        """Start the span.

        Args:
            mark_as_current: Spans that start from here on, in this task or thread, are part of it.
        """
        if self.started_ns:
            return
        self.started_ns = time_ns()
        if mark_as_current:
            enter(self)
        for processor in registered.processors:
            try:
                processor.on_span_start(self)
            except Exception as error:
                processor_failed(processor, "on_span_start", error)

    def finish(self, reset_current: bool = False) -> None:
        """End the span; once more does nothing.

        Args:
            reset_current: What was current before the span becomes so again.
        """
        if self.started_ns and not self.ended_ns:
            now = time_ns()
            self.ended_ns = now if now > self.started_ns else self.started_ns  # the clock may be set back
            if self.trace.data_unwanted:
                self.span_data.leave_out()
            for processor in registered.processors:
                try:
                    processor.on_span_end(self)
                except Exception as error:
                    processor_failed(processor, "on_span_end", error)
        if reset_current:
            leave(self)

    def export(self) -> dict[str, Any] | None:
        """Return the span as a dictionary, as the SDK documents it."""
        return {
            "object": "trace.span",
            "id": self.span_id,
            "trace_id": self.trace_id,
            "parent_id": self.parent_id,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "span_data": self.span_data.export(),
            "error": self.error,
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.span_data!r}, {self.span_id!r}, {self.status})"


class _Unrecorded(Recorded):
    """What isn't recorded, nor is what starts inside it."""

    __slots__ = ()

    def start(self, mark_as_current: bool = False) -> None:
        """Make it current if `mark_as_current`.

        A span that belongs to no trace is never current: a run started inside it still gets a trace of its own.
        """
        if not self.started_ns:
            self.started_ns = time_ns()
            scope = cast("Scope", self)
            if mark_as_current and scope.trace is not _NO_TRACE:
                enter(scope)

    def finish(self, reset_current: bool = False) -> None:
        """End it, and make current what was so before if `reset_current`."""
        self.ended_ns = self.ended_ns or time_ns()
        if reset_current:
            leave(cast("Scope", self))

    def export(self) -> None:
        """Return None: there is nothing to pass on."""
        return


class NoOpTrace(_Unrecorded, Trace):
    """A trace that isn't recorded. What starts inside it isn't either."""

    __slots__ = ()

    def __init__(self, name: str = "no-op") -> None:
        super().__init__(name, "no-op")


class NoOpSpan(_Unrecorded, Span[TSpanData]):
    """A span that isn't recorded. What starts inside it isn't either."""

    __slots__ = ()

    def __init__(self, trace: Trace | None, span_data: TSpanData) -> None:
        super().__init__(trace or _NO_TRACE, "no-op", None, 0, span_data)

    @property
    def trace_id(self) -> str:
        """Always "no-op"."""
        return "no-op"


_NO_TRACE = NoOpTrace()


def _iso(ns: int) -> str | None:
    if not ns:
        return None
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(ns // 1_000_000_000, tz=UTC)
    return moment.replace(microsecond=ns // 1000 % 1_000_000).isoformat(timespec="microseconds")
