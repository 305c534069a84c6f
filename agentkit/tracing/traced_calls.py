"""Calls of traced functions: when each is recorded, and what of it."""

from __future__ import annotations

import inspect
from typing import Any

from agentkit.exceptions import UserError
from agentkit.tracing.context import current, enter, leave
from agentkit.tracing.create import make_span, trace
from agentkit.tracing.processors import data_wanted, registered, tracing_disabled
from agentkit.tracing.record import NoOpSpan, NoOpTrace, Span, Trace
from agentkit.tracing.snapshot import snapshot
from agentkit.tracing.span_data import Fields, SpanData

__all__ = ["Given", "TracedCall", "TracedSpanData", "Tracer"]

_MAX_YIELDED = 1_000
"""Items that are kept of what a generator gave."""


class TracedSpanData(SpanData):
    """A call of a function of the user's own.

    Attributes:
        name: The function's name, or the one that was given.
        input: Its arguments by their names; None where they are left out.
        output: What it returned; of a generator, a list of what it gave.
    """

    __slots__ = ("_kind", "input", "name", "output")

    def __init__(self, name: str, kind: str = "custom") -> None:
        self.name = name
        self._kind = kind
        self.input: Any = None
        self.output: Any = None

    @property
    def type(self) -> str:
        """The kind of span."""
        return self._kind

    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary: to other tools it is a custom span, or that of a tool."""
        given = {"input": self.input, "output": self.output}
        if self.type == "function":
            return {"type": "function", "name": self.name, **given}
        if self.type != "custom":
            given["kind"] = self.type
        return {"type": "custom", "name": self.name, "data": given}

    def fields(self) -> Fields:
        """Return what the store keeps, by column."""
        return self.name, None, None, None, self.input, self.output, None


class Tracer:
    """Starts the span of each call of one function."""

    def __init__(
        self, function: Any, name: str | None, kind: str, record_input: bool | None, record_output: bool | None
    ) -> None:
        wrapped = function.__func__ if isinstance(function, (classmethod, staticmethod)) else function
        if isinstance(wrapped, (type, property)) or not callable(wrapped):
            raise UserError(
                f"@traced takes a function, not {wrapped!r:.80}.",
                hint="Decorate a class's methods, and a property's function beneath @property.",
            )
        self.name = name or _name_of(wrapped)
        self.kind = kind
        self.record_input = record_input
        self.record_output = record_output
        self._names, self._rest_name, self._skipped = _parameters(wrapped)

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TracedCall | None:
        """Start the span of a call; None where nothing is to be recorded."""
        here = current.get()
        if here is not None and isinstance(here, (NoOpTrace, NoOpSpan)):
            return None
        if tracing_disabled() if here is None else registered.disabled:
            return None
        if not registered.processors and not registered.default_wanted:  # there is nobody to tell
            return None
        while here is not None and here.trace.ended_ns:
            here = here.outer
        own: Trace | None = None
        if here is None:
            own = trace(self.name)
            if isinstance(own, NoOpTrace):
                return None
            own.start()
        span = make_span(TracedSpanData(self.name, self.kind), None, own or here, False)
        call = TracedCall(own, span, self)
        if call.records_input():
            span.span_data.input = snapshot(self._named(args, kwargs))
        span.start()
        return call

    def _named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments by the names of the parameters."""
        given: dict[str, Any] = dict(zip(self._names, args, strict=False))
        if len(args) > len(self._names):
            given[self._rest_name] = list(args[len(self._names) :])
        given.update(kwargs)
        if self._skipped is not None:
            given.pop(self._skipped, None)
        return given


class TracedCall:
    """A call under way: its span, and its trace where it has one of its own."""

    __slots__ = ("_own", "_span", "_tracer", "_wanted")

    def __init__(self, own: Trace | None, span: Span[TracedSpanData], tracer: Tracer) -> None:
        self._own = own
        self._span = span
        self._tracer = tracer
        self._wanted = data_wanted()

    def records_input(self) -> bool:
        """Return whether the arguments are to be recorded."""
        return self._records(self._tracer.record_input)

    def records_output(self) -> bool:
        """Return whether the result is to be recorded."""
        return self._records(self._tracer.record_output)

    def _records(self, wanted: bool | None) -> bool:
        return wanted if wanted is not None else self._wanted and not self._span.trace.data_left_out

    def resume(self) -> None:
        """Make the span current."""
        if self._own is not None:
            enter(self._own)
        enter(self._span)

    def pause(self) -> None:
        """Make current what was so before."""
        leave(self._own if self._own is not None else self._span)

    def end(self, result: Any) -> None:
        """Note what came out, and finish."""
        if self.records_output():
            self._span.span_data.output = snapshot(result)
        self._finish()

    def fail(self, error: BaseException) -> None:
        """Note what was raised, its kind alone where the texts are left out, and finish."""
        tell = self.records_output()
        for scope in (self._span, self._own):
            if scope is None or isinstance(error, GeneratorExit):
                continue
            if isinstance(error, Exception) and type(error).__name__ != "CancelledError":
                kind = type(error).__name__
                scope.error = {"message": f"{kind}: {error}" if tell else kind, "data": {"type": kind}}
            elif not isinstance(error, SystemExit):
                scope.status = "cancelled"
        self._finish()

    def _finish(self) -> None:
        """End span and trace, without the arguments where a run in it turned out to leave such data out.

        A trace of the call's own has them only now: what the store once has of a trace can't be taken away by its end.
        """
        data = self._span.span_data
        if not self.records_input():
            data.input = None
        self._span.finish()
        if self._own is not None:
            self._own.input, self._own.output = data.input, data.output
            self._own.finish()


class Given:
    """What a generator gave so far, where that is to be recorded."""

    __slots__ = ("_count", "_items", "_wanted")

    def __init__(self, call: TracedCall | None) -> None:
        self._items: list[Any] = []
        self._count = 0
        self._wanted = call is not None and call.records_output()

    def note(self, item: Any) -> None:
        """Keep `item` if it is one of the first."""
        self._count += 1
        if self._wanted and self._count <= _MAX_YIELDED:
            self._items.append(snapshot(item))

    def shown(self) -> list[Any]:
        """Return the items, and how many there were more."""
        more = self._count - len(self._items)
        return [*self._items, f"… ({more:,} more)"] if more else self._items


def _name_of(function: Any) -> str:
    name = getattr(function, "__qualname__", None) or getattr(getattr(function, "func", None), "__qualname__", None)
    return str(name or type(function).__name__).rpartition("<locals>.")[2]


def _parameters(function: Any) -> tuple[list[str], str, str | None]:
    """Return the names of the parameters that may be given by their place, of that for all others, and of `self`."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some functions written in C have none
        return [], "args", None
    by_place = [each.name for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    rest = next((each.name for each in parameters if each.kind is each.VAR_POSITIONAL), "args")
    return by_place, rest, by_place[0] if by_place and by_place[0] in ("self", "cls") else None
