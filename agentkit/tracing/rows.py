"""Turns traces and spans into rows of the store, on its writer thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic_core import to_json

from agentkit._json import dumps
from agentkit.tracing.database import Batch
from agentkit.tracing.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentkit.tracing.record import Span, Trace

__all__ = ["Entry", "RowMaker", "cleaned", "loosely"]

Entry: TypeAlias = "Trace | Span[Any] | tuple[Trace | Span[Any]]"
"""A trace or span that ended, or in a tuple of one, that started."""

_Counts: TypeAlias = tuple[int | None, ...]

_MODEL_KINDS = ("generation", "response")
_REPR_CHARS = 2_000
_MAX_TALLIES = 10_000
_USAGE = ("requests", "input_tokens", "output_tokens", "total_tokens", "cached_tokens", "reasoning_tokens")
_NO_USAGE = (None,) * len(_USAGE)
_MAX_INT = 2**63 - 1


class _Tally:
    """What a trace's spans of one batch add to it, and which names were noted for it already."""

    __slots__ = ("agents", "counts", "last_agent", "last_place", "models", "seen", "trace")

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.seen: set[tuple[str, str]] = set()
        self.last_place: tuple[int, int] | None = None
        self.begin()

    def begin(self) -> None:
        """Start counting for another batch."""
        self.agents: list[str] = []
        self.models: list[str] = []
        self.last_agent: str | None = None
        # turns, tool calls, handoffs, and the six of `_USAGE`
        self.counts = [0] * (3 + len(_USAGE))

    def add_agent(self, name: str, depth: int, started_ns: int) -> None:
        """Note that an agent started. The last one of those nearest the trace counts, not one used as a tool."""
        name = name.replace("\n", " ")
        if ("agent", name) not in self.seen:
            self.seen.add(("agent", name))
            self.agents.append(name)
        if self.last_place is None or (-depth, started_ns) >= self.last_place:
            self.last_place = (-depth, started_ns)
            self.last_agent = name

    def add_model(self, name: str) -> None:
        """Note that a model was called."""
        if ("model", name) not in self.seen:
            self.seen.add(("model", name))
            self.models.append(name)


class RowMaker:
    """Makes the rows of batch after batch, and remembers what of each trace is noted already."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        """Why a trace or span of the last batch is missing from its rows."""
        self._tallies: dict[str, _Tally] = {}
        self._touched: dict[str, _Tally] = {}
        self._clean = Redactor().clean

    def rows(self, entries: Sequence[Entry]) -> Batch:
        """Return the rows for `entries`, in order of start. What starts and ends in one batch takes one row."""
        self._clean = Redactor().clean  # a key may have been set since
        self.failure = None
        ended = {entry for entry in entries if type(entry) is not tuple}
        done: set[Trace | Span[Any]] = set()
        traces: dict[str, tuple[Trace, bool]] = {}
        spans: list[tuple[Any, ...]] = []
        for entry in entries:
            record: Trace | Span[Any] = entry[0] if isinstance(entry, tuple) else entry
            if record in done:
                continue
            done.add(record)
            span = record.as_span()
            if span is None:
                traces[record.trace_id] = (record.trace, record not in ended)
                self._tally(record.trace)
                continue
            try:
                spans.append(self._span_row(span, running=record not in ended))
            except Exception as error:  # a span data class of the user's own
                self.failure = error
        rows = [self._trace_row(tally, traces.get(trace_id)) for trace_id, tally in self._touched.items()]
        self._forget([trace_id for trace_id, (_, running) in traces.items() if not running])
        return Batch(rows, spans)

    def _forget(self, ended: list[str]) -> None:
        for tally in self._touched.values():
            tally.begin()
        self._touched = {}
        for trace_id in ended:
            self._tallies.pop(trace_id, None)
        while len(self._tallies) > _MAX_TALLIES:  # traces that nobody ended
            self._tallies.pop(next(iter(self._tallies)))

    def _tally(self, trace: Trace) -> _Tally:
        trace_id = trace.trace_id
        tally = self._touched.get(trace_id)
        if tally is None:
            tally = self._tallies.get(trace_id)
            if tally is None:
                tally = self._tallies[trace_id] = _Tally(trace)
            self._touched[trace_id] = tally
        return tally

    def _span_row(self, span: Span[Any], running: bool) -> tuple[Any, ...]:
        data = span.span_data
        kind = data.type
        name, model, usage, first_token_s, sent, received, rest = data.fields()
        text = self._text
        used = _NO_USAGE if usage is None else _usage(usage)
        if name is not None:
            name = self._clean(str(name))
        self._count(span, name, model, used, running)
        return (
            span.trace.trace_id,
            span.span_id,
            span.parent_id,
            span.depth,
            kind,
            name,
            "running" if running else span.status,
            span.started_ns,
            None if running else span.ended_ns,
            first_token_s,
            model,
            *used,
            None if span.error is None else text(span.error),
            None if sent is None else text(sent),
            None if received is None else text(received),
            None if rest is None else text(rest),
        )

    def _count(self, span: Span[Any], name: str | None, model: str | None, used: _Counts, running: bool) -> None:
        tally = self._tally(span.trace)
        kind = span.span_data.type
        if kind == "agent" and name is not None:
            tally.add_agent(name, span.depth, span.started_ns)
        if running:
            return
        counts = tally.counts
        if kind == "function":
            counts[1] += 1
        elif kind == "handoff":
            counts[2] += 1
        elif kind in _MODEL_KINDS:
            counts[0] += 1
            if model is not None:
                tally.add_model(model)
            for place, value in enumerate(used, 3):
                counts[place] += value or 0

    def _trace_row(self, tally: _Tally, change: tuple[Trace, bool] | None) -> tuple[Any, ...]:
        trace, running = change or (tally.trace, True)
        status = None if change is None else "running" if running else trace.status
        whole = change is not None
        return (
            trace.trace_id,
            self._clean(str(trace.name)),
            None if trace.group_id is None else str(trace.group_id),
            status,
            min(trace.started_ns, tally.trace.started_ns),
            None if running else trace.ended_ns,
            "\n".join(tally.agents) or None,
            tally.last_agent,
            "\n".join(tally.models) or None,
            *tally.counts,
            self._text(trace.error) if whole and trace.error is not None else None,
            self._text(trace.input) if whole and trace.input is not None else None,
            self._text(trace.output) if whole and trace.output is not None else None,
            self._text(trace.metadata) if whole and trace.metadata is not None else None,
        )

    def _text(self, value: Any) -> str:
        """Return `value` as JSON text without keys. Never raises: what has no JSON form is written as its repr."""
        try:
            data = dumps(value)
        except Exception:  # foreign objects: their serialisers and reprs may raise anything
            data = loosely(value)
        return self._clean(data.decode())


def loosely(value: Any) -> bytes:
    """Return anything as JSON; what has none as its repr."""
    try:
        return to_json(value, fallback=_repr, inf_nan_mode="null", bytes_mode="base64")
    except Exception:  # a circular reference, a dictionary that changes meanwhile
        return dumps(_repr(value))


def _repr(value: Any) -> str:
    try:
        shown = repr(value)
    except Exception as error:
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    if len(shown) > _REPR_CHARS:
        shown = f"{shown[:_REPR_CHARS]}… ({len(shown):,} characters)"
    return shown.encode("utf-8", "backslashreplace").decode()


def _usage(usage: Mapping[str, Any]) -> _Counts:
    """Return the counts in the order of `_USAGE`. A platform's own usage object is one request."""
    get = usage.get
    sent, received = get("input_tokens"), get("output_tokens")
    total = get("total_tokens")
    if total is None and isinstance(sent, int) and isinstance(received, int):
        total = sent + received
    cached, reasoning = get("cached_tokens"), get("reasoning_tokens")
    if cached is None and isinstance(details := get("input_tokens_details"), dict):
        cached = details.get("cached_tokens")
    if reasoning is None and isinstance(details := get("output_tokens_details"), dict):
        reasoning = details.get("reasoning_tokens")
    counts = (get("requests", 1), sent, received, total, cached, reasoning)
    return tuple(value if type(value) is int else None for value in counts)


def cleaned(batch: Batch) -> Batch:
    """Return `batch` with every value in a form that SQLite takes, for a batch that it refused."""
    return Batch(
        [tuple(map(_storable, row)) for row in batch.traces], [tuple(map(_storable, row)) for row in batch.spans]
    )


def _storable(value: Any) -> str | int | float | None:
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return max(-_MAX_INT, min(_MAX_INT, int(value)))
    text = value if isinstance(value, str) else _repr(value)
    return text.encode("utf-8", "backslashreplace").decode()
