"""Opening a trace: the tree of its spans, as it was when it was opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit.exceptions import UserError
from agentkit.records.call import RecordedCall
from agentkit.records.costs import priced, trace_cost
from agentkit.records.span import RecordedSpan, as_error, error_text, moment, parsed, seconds_between
from agentkit.tracing import reader
from agentkit.tracing.columns import flush_store
from agentkit.tracing.filters import MODEL_KINDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from agentkit.records.diff import TraceDiff

__all__ = ["RecordedNote", "RecordedTrace", "open_trace"]

JSON = Any  # whatever went in and came out

_UNREAD: Any = object()


@called_as("agentkit.open_trace")
def open_trace(of: Any) -> RecordedTrace:  # an id, or anything that has one: a result, a trace, a span, a row
    """Return a trace as it is recorded now, with the tree of its spans.

    Args:
        of: The trace's id, the beginning of one, or what has one: a run's result, a trace, a span, a row of
            `agentkit.traces()`.

    Raises:
        UserError: There is no such trace, or the file can't be read.
    """
    trace_id = _trace_id(of)
    flush_store()
    row = reader.read_trace(trace_id)
    rows = reader.read_spans(row["trace_id"], kind=None, limit=None)
    return RecordedTrace(row, [dict(zip(reader.SPANS_READ, values, strict=True)) for values in rows])


def _trace_id(of: Any) -> str:
    if isinstance(of, str):
        return of
    try:
        found = of["trace_id"] if isinstance(of, Mapping) or _is_row(of) else getattr(of, "trace_id", None)
    except (KeyError, TypeError):
        found = None
    if isinstance(found, str):
        return found
    if found is None and hasattr(of, "trace_id"):
        raise UserError("That run left no trace: tracing was switched off when it began.")
    if hasattr(of, "columns"):
        raise UserError(
            "A dataframe is no single trace.", hint="Open one of its rows: agentkit.open_trace(df.iloc[0])."
        )
    raise UserError(
        f"A trace is told by its trace_id, the beginning of one, a result or a row of traces(), not by {of!r:.80}.",
        hint="agentkit.traces() lists them.",
    )


def _is_row(of: Any) -> bool:
    """Return whether this is a row of a dataframe (a Series), without importing pandas."""
    return type(of).__name__ == "Series" and hasattr(of, "index")


@dataclass(frozen=True, slots=True)
class RecordedNote:
    """A reader's mark or comment."""

    span_id: str
    """The span that it is on; "" for the trace itself."""
    mark: str
    """A short word, such as "good" or "bug"; "" for none."""
    comment: str
    """What the reader wrote."""
    created_at: datetime
    """When, in UTC."""


class RecordedTrace:
    """A trace as it was recorded when it was opened; `refresh()` looks again."""

    def __init__(self, row: Mapping[str, Any], spans: Sequence[Mapping[str, Any]]) -> None:
        get = row.get
        spans = priced(spans)
        self._row = row
        self._input = self._output = self._notes = _UNREAD
        self.trace_id: str = row["trace_id"]
        """Its id: "trace_" and 32 letters or digits."""
        self.workflow: str | None = get("workflow")
        """The name of what was done, such as "Agent workflow"."""
        self.group_id: str | None = get("group_id")
        """What traces of one conversation share."""
        self.session_id: str | None = get("session_id")
        """The session of the run."""
        self.status: str = get("status") or "running"
        """"ok", "error", "cancelled", "running", "unfinished" where its process has gone, or what a run ended with,
        such as "max_turns"."""
        self.started_ns: int = row["started_ns"]
        """When it started, in nanoseconds since 1970."""
        self.ended_ns: int | None = get("ended_ns")
        """When it ended, likewise; None where it hasn't."""
        self.started_at: datetime = moment(self.started_ns)
        """When it started, in UTC."""
        self.ended_at: datetime | None = None if self.ended_ns is None else moment(self.ended_ns)
        """When it ended, in UTC; None where it hasn't."""
        self.duration_s: float | None = seconds_between(self.started_ns, self.ended_ns)
        """Seconds that it took; None where it hasn't ended."""
        self.agents: list[str] = _names(get("agents"))
        """Names of the agents that took part, in order of their first turn."""
        self.last_agent: str | None = get("last_agent")
        """The one that was last at work."""
        self.models: list[str] = _names(get("models"))
        """The models called, in order of their first call."""
        self.turns: int = get("turns") or 0
        """Model calls."""
        self.tool_calls: int = get("tool_calls") or 0
        """Calls of function tools."""
        self.handoffs: int = get("handoffs") or 0
        """Handoffs."""
        self.requests: int = get("requests") or 0
        """Requests to models; the sums of their tokens follow."""
        self.input_tokens: int = get("input_tokens") or 0
        """Tokens sent."""
        self.output_tokens: int = get("output_tokens") or 0
        """Tokens received, reasoning included."""
        self.total_tokens: int = get("total_tokens") or 0
        """Both."""
        self.cached_tokens: int = get("cached_tokens") or 0
        """Of the tokens sent, those that the platform had in its cache."""
        self.cache_write_tokens: int = get("cache_write_tokens") or 0
        """Of the tokens sent, those that were put into it."""
        self.reasoning_tokens: int = get("reasoning_tokens") or 0
        """Of the tokens received, those spent on reasoning."""
        self.cost_usd: float | None
        """What the calls cost in US dollars, as they were priced then, or by `set_price`; None where one isn't."""
        self.unpriced: int
        """Model calls without a known price."""
        self.cost_usd, self.unpriced = trace_cost(spans)
        self.rating: str | None = get("rating")
        """What a reader thought of the answer: "up" or "down"; None where nobody said."""
        self.remark: str = get("remark") or ""
        """The reader's words for it."""
        self.error: dict[str, Any] | None = as_error(get("error"))
        """What went wrong: `{"message": …, "data": {…}}`; None where nothing did."""
        self.cut: int | None = get("cut")
        """Bytes of its own texts that the size limit cut off; None for none."""
        self.metadata: dict[str, Any] = parsed(get("metadata")) or {}
        """What the caller wanted noted."""
        self.all_spans: list[RecordedSpan] = []
        """All spans in tree order: each followed by those that are part of it."""
        self.roots: list[RecordedSpan] = []
        """The spans directly below the trace, in order of their start."""
        self._grow([(RecordedCall if one["kind"] in MODEL_KINDS else RecordedSpan)(one, self) for one in spans])

    def _grow(self, spans: list[RecordedSpan]) -> None:
        """Make the tree of spans that are in order of their start. One whose parent isn't there is a root."""
        by_id = {span.span_id: span for span in spans}
        for span in spans:
            parent = None if span.parent_id is None else by_id.get(span.parent_id)
            if parent is None or _is_below(parent, span):  # the latter only by ids that were given
                self.roots.append(span)
            else:
                span.parent = parent
                parent.children.append(span)
        for root in self.roots:
            self.all_spans.append(root)
            self.all_spans.extend(root.below())
        for span in self.all_spans:
            if span.agent is None:  # recorded by an earlier agentkit
                span.agent = span.name if span.kind == "agent" else span.parent.agent if span.parent else None

    @property
    def input(self) -> JSON:
        """What was asked: text or items."""
        if self._input is _UNREAD:
            self._input = parsed(self._row.get("input"))
        return self._input

    @property
    def output(self) -> JSON:
        """What came out."""
        if self._output is _UNREAD:
            self._output = parsed(self._row.get("output"))
        return self._output

    @property
    def error_text(self) -> str | None:
        """What went wrong, in a line; None where nothing did."""
        return error_text(self.error)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.ended_ns is not None

    @property
    def calls(self) -> list[RecordedCall]:
        """The model calls, in order of their start."""
        return sorted((one for one in self.all_spans if isinstance(one, RecordedCall)), key=_start)

    @property
    def tools(self) -> list[RecordedSpan]:
        """The calls of function tools, in order of their start."""
        return sorted((span for span in self.all_spans if span.kind == "function"), key=_start)

    @property
    def errors(self) -> list[RecordedSpan]:
        """The spans in which something went wrong, in order of their start."""
        return sorted((span for span in self.all_spans if span.failed), key=_start)

    @property
    def notes(self) -> list[RecordedNote]:
        """Marks and comments of readers, on the trace and on its spans, oldest first."""
        if self._notes is _UNREAD:
            self._notes = _notes(self.trace_id)
        return list(self._notes)

    def span(self, span_id: str) -> RecordedSpan:
        """Return the span with that id, or whose id begins so.

        Raises:
            UserError: There is none, or there are several.
        """
        given = str(span_id).removeprefix("span_")
        found = [one for one in self.all_spans if one.span_id.removeprefix("span_").startswith(given)]
        exact = [one for one in found if one.span_id in (span_id, f"span_{span_id}")] or found
        if len(exact) == 1 and given:
            return exact[0]
        what = f"{len(found)} of its {len(self.all_spans)} spans begin" if found else "No span of this trace begins"
        raise UserError(
            f"{what} with {span_id!r}.", hint="Their ids are in [span.span_id for span in trace.all_spans]."
        )

    @called_as("trace.timeline")
    def timeline(self, ax: Axes | None = None) -> Axes:
        """Draw when what happened; see `agentkit.records.pictures.timeline.plot_timeline`.

        Args:
            ax: Where to draw; a new figure when None, which a notebook shows.
        """
        from agentkit.records.pictures.timeline import plot_timeline

        return plot_timeline(self, ax=ax)

    @called_as("trace.plot_tokens")
    def plot_tokens(self, ax: Axes | None = None) -> Axes:
        """Draw the tokens of each model call; see `agentkit.records.pictures.tokens.plot_tokens`."""
        from agentkit.records.pictures.tokens import plot_tokens

        return plot_tokens(self, ax=ax)

    @called_as("trace.plot_cost")
    def plot_cost(self, by: str = "agent", ax: Axes | None = None) -> Axes:
        """Draw what the model calls cost; see `agentkit.records.pictures.cost.plot_cost`.

        Args:
            by: "agent", "model", "trace" or "tool".
            ax: Where to draw; a new figure when None, which a notebook shows.

        Raises:
            UserError: `by` is something else.
        """
        from agentkit.records.pictures.cost import plot_cost

        return plot_cost(self, by=by, ax=ax)

    @called_as("trace.plot_latency")
    def plot_latency(self, ax: Axes | None = None) -> Axes:
        """Draw how long model calls and tools took; see `agentkit.records.pictures.latency.plot_latency`."""
        from agentkit.records.pictures.latency import plot_latency

        return plot_latency(self, ax=ax)

    @called_as("trace.diff")
    def diff(self, other: Any) -> TraceDiff:  # whatever `open_trace` takes
        """Return in what another trace differs from this one: answers, steps, arguments, tokens, cost, time.

        Args:
            other: The other trace, or what `open_trace` takes.

        Raises:
            UserError: There is no such trace.
        """
        from agentkit.records.diff import compare

        return compare(self, other if isinstance(other, RecordedTrace) else open_trace(other))

    def refresh(self) -> RecordedTrace:
        """Return the trace as it is recorded now. This one stays as it is."""
        return open_trace(self.trace_id)

    def __iter__(self) -> Iterator[RecordedSpan]:
        return iter(self.all_spans)

    def __len__(self) -> int:
        return len(self.all_spans)

    def __repr__(self) -> str:
        counts = ((len(self.calls), "model call"), (len(self.tools), "tool call"), (len(self.errors), "error"))
        told = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts if count)
        return f"{type(self).__name__}({self.workflow!r}, {self.status}{told and ': '}{told})"


def _is_below(span: RecordedSpan, other: RecordedSpan) -> bool:
    return span is other or any(above is other for above in span.above())


def _start(span: RecordedSpan) -> int:
    return span.started_ns


def _names(lines: str | None) -> list[str]:
    return [] if not lines else list(dict.fromkeys(lines.split("\n")))


def _notes(trace_id: str) -> list[RecordedNote]:
    rows = reader.read_notes(trace_id)  # the newest first
    return [RecordedNote(row[1], row[2], row[3], moment(row[4])) for row in reversed(rows)]
