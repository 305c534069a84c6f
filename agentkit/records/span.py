"""One span of an opened trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agentkit import _json

if TYPE_CHECKING:
    from agentkit.records.opened import RecordedNote, RecordedTrace

__all__ = ["RecordedSpan", "as_error", "error_line", "error_text", "moment", "parsed", "seconds_between"]

JSON = Any  # what a model, a tool or a user put there

_UNREAD: Any = object()


class RecordedSpan:
    """One operation within an opened trace: an agent at work, a model call, a tool call, a handoff. It doesn't change.

    `input`, `output` and `data` are parsed when they are first asked for.
    """

    __slots__ = (
        "_data", "_input", "_output", "_row", "agent", "cache_write_tokens", "cached_tokens", "children", "cost_usd",
        "cut", "depth", "duration_s", "ended_at", "ended_ns", "error", "first_token_s", "input_tokens", "kind",
        "model", "name", "output_tokens", "parent", "parent_id", "reasoning_tokens", "request_key", "requests",
        "span_id", "started_at", "started_ns", "status", "total_tokens", "trace", "trace_id",
    )  # fmt: skip

    def __init__(self, row: Mapping[str, Any], trace: RecordedTrace) -> None:
        get = row.get
        self._row = row
        self._input = self._output = self._data = _UNREAD
        self.trace: RecordedTrace = trace
        """The trace that it belongs to."""
        self.parent: RecordedSpan | None = None
        """The span that it is part of; None directly below the trace."""
        self.children: list[RecordedSpan] = []
        """The spans that are part of it, in order of their start."""
        self.trace_id: str = row["trace_id"]
        """The trace's id."""
        self.span_id: str = row["span_id"]
        """Its own id: "span_" and 24 digits."""
        self.parent_id: str | None = get("parent_id")
        """The id of the span that it is part of."""
        self.depth: int = get("depth") or 0
        """Spans above it."""
        self.kind: str = row["kind"]
        """"agent", "response", "generation", "function", "handoff", "guardrail", "mcp_tools", "custom", ..."""
        self.name: str | None = get("name")
        """Name of the agent, tool, guardrail, or the agent handed to; None for model calls."""
        self.agent: str | None = get("agent")
        """Name of the agent at work; an agent span's own."""
        self.status: str = get("status") or "running"
        """"ok", "error", "cancelled", "running", or "unfinished" where its process has gone."""
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
        self.first_token_s: float | None = get("first_token_s")
        """Of a streamed model call: seconds until the first of its text came."""
        self.model: str | None = get("model")
        """Of a model call: the model that answered, or was asked where none has."""
        self.requests: int | None = get("requests")
        """Of a model call: the requests made; likewise the numbers of tokens that follow."""
        self.input_tokens: int | None = get("input_tokens")
        """Tokens sent."""
        self.output_tokens: int | None = get("output_tokens")
        """Tokens received, reasoning included."""
        self.total_tokens: int | None = get("total_tokens")
        """Both."""
        self.cached_tokens: int | None = get("cached_tokens")
        """Of the tokens sent, those that the platform had in its cache."""
        self.cache_write_tokens: int | None = get("cache_write_tokens")
        """Of the tokens sent, those that were put into it."""
        self.reasoning_tokens: int | None = get("reasoning_tokens")
        """Of the tokens received, those spent on reasoning."""
        self.cost_usd: float | None = get("cost_usd")
        """What it cost in US dollars, at the price of its day or that of `set_price`; None where it isn't known."""
        self.request_key: str | None = get("request_key")
        """Under which the store keeps what was sent beside the messages; None where that wasn't kept."""
        self.cut: int | None = get("cut")
        """Bytes of its texts that the size limit cut off; None for none."""
        self.error: dict[str, Any] | None = as_error(get("error"))
        """What went wrong: `{"message": …, "data": {…}}`; None where nothing did."""

    @property
    def input(self) -> JSON:
        """What it was given; of a model call, the items that are new since the run's previous call."""
        if self._input is _UNREAD:
            self._input = parsed(self._row.get("input"))
        return self._input

    @property
    def output(self) -> JSON:
        """What came of it; of a model call, the items of the answer."""
        if self._output is _UNREAD:
            self._output = parsed(self._row.get("output"))
        return self._output

    @property
    def data(self) -> JSON:
        """Everything else that is known of it."""
        if self._data is _UNREAD:
            self._data = parsed(self._row.get("data"))
        return self._data

    @property
    def raw_input(self) -> str | None:
        """`input` as the store has it: JSON text."""
        return self._row.get("input")

    @property
    def raw_output(self) -> str | None:
        """`output` likewise."""
        return self._row.get("output")

    @property
    def error_text(self) -> str | None:
        """What went wrong, in a line; None where nothing did."""
        return error_text(self.error)

    @property
    def failed(self) -> bool:
        """Whether something went wrong."""
        return self.error is not None or self.status == "error"

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.ended_ns is not None

    @property
    def offset_s(self) -> float:
        """Seconds from the trace's start to its own."""
        return (self.started_ns - self.trace.started_ns) / 1e9

    @property
    def title(self) -> str:
        """What to call it: its name, a model call's model, else its kind."""
        return self.name or self.model or self.kind

    @property
    def notes(self) -> list[RecordedNote]:
        """Marks and comments of readers on it."""
        return [note for note in self.trace.notes if note.span_id == self.span_id]

    def below(self) -> Iterator[RecordedSpan]:
        """Yield the spans that are part of it, and those that are part of them, in tree order."""
        todo = self.children[::-1]
        while todo:
            span = todo.pop()
            yield span
            todo.extend(span.children[::-1])

    def above(self) -> Iterator[RecordedSpan]:
        """Yield the span that it is part of, the one that that is part of, and so on."""
        span = self.parent
        while span is not None:
            yield span
            span = span.parent

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.kind} {self.title!r}, {self.status})"


def moment(ns: int) -> datetime:
    """Return a time given in nanoseconds since 1970, in UTC, to the microsecond."""
    whole = datetime.fromtimestamp(ns // 1_000_000_000, tz=UTC)
    return whole.replace(microsecond=ns // 1000 % 1_000_000)


def seconds_between(started_ns: int, ended_ns: int | None) -> float | None:
    """Return the seconds between two times in nanoseconds; None where there is no end."""
    return None if ended_ns is None else (ended_ns - started_ns) / 1e9


def parsed(text: str | None) -> JSON:
    """Return the value that stored JSON holds; the text itself where it is none, as after a cut."""
    if text is None:
        return None
    try:
        return _json.loads(text)
    except ValueError:
        return text


def as_error(text: str | None) -> dict[str, Any] | None:
    """Return a stored error as a dictionary with "message" and "data"."""
    error = parsed(text)
    if error is None or (isinstance(error, dict) and "message" in error):
        return error
    return {"message": str(error), "data": None}


def error_line(text: str | None) -> str | None:
    """Return a stored error as `error_text` does; None for None."""
    return error_text(as_error(text))


def error_text(error: Mapping[str, Any] | None) -> str | None:
    """Return an error's message, with its details in brackets; None for None."""
    if error is None:
        return None
    message, details = str(error["message"]), error.get("data")
    if not details:
        return message
    if not isinstance(details, Mapping):
        return f"{message} ({details})"
    return f"{message} ({', '.join(f'{name}: {value}' for name, value in details.items())})"
