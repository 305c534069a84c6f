"""Turns traces and spans into rows of the store, on its writer thread."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic_core import to_json

from agentkit._json import dumps
from agentkit._process import this_process
from agentkit.pricing import Price, price_of
from agentkit.tracing.database import SPAN_COLUMNS, TRACE_COLUMNS, USAGE_COLUMNS, Batch
from agentkit.tracing.filters import MODEL_KINDS
from agentkit.tracing.limits import Cutter
from agentkit.tracing.redaction import Redactor
from agentkit.tracing.span_data import SpanData

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentkit.tracing.record import Span, Trace

__all__ = ["Entry", "RowMaker", "cleaned", "loosely"]

Entry: TypeAlias = "Trace | Span[Any] | tuple[Trace | Span[Any]]"
"""A trace or span that ended, or in a tuple of one, that started."""

_Counts: TypeAlias = tuple[int | None, ...]

_REPR_CHARS = 2_000
_MAX_TALLIES = 10_000
_NO_USAGE = (None,) * len(USAGE_COLUMNS)
_MAX_INT = 2**63 - 1
_CUT = TRACE_COLUMNS.index("cut")
_SPAN_TEXTS = SPAN_COLUMNS.index("error")
"""Where the long texts of a span's row begin."""


class _Tally:
    """What a trace's spans of one batch add to it, and which names were noted for it already."""

    __slots__ = ("agents", "cost_usd", "counts", "last_agent", "last_place", "models", "seen", "trace")

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
        # turns, tool calls, handoffs, those of `USAGE_COLUMNS`, and the calls that have no price
        self.counts = [0] * (3 + len(USAGE_COLUMNS) + 1)
        self.cost_usd: float | None = None

    def add_agent(self, name: str, depth: int, started_ns: int) -> None:
        """Note that an agent started. The last one of those nearest the trace counts, not one used as a tool."""
        name = name.replace("\n", " ")
        if ("agent", name) not in self.seen:
            self.seen.add(("agent", name))
            self.agents.append(name)
        if self.last_place is None or (-depth, started_ns) >= self.last_place:
            self.last_place = (-depth, started_ns)
            self.last_agent = name

    def add_cost(self, cost_usd: float | None) -> None:
        """Note what a model call cost; None where that isn't known."""
        if cost_usd is None:
            self.counts[-1] += 1
        else:
            self.cost_usd = (self.cost_usd or 0) + cost_usd

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
        self._look_anew()
        self._gone = 0
        self._lost: dict[str, int] = {}
        self._prices: dict[str | None, Price | None] = {}

    def rows(self, entries: Sequence[Entry]) -> Batch:
        """Return the rows for `entries`, in order of start. What starts and ends in one batch takes one row."""
        self._look_anew()
        self._prices = {}
        self._requests: dict[str, str] = {}
        self._request_keys: dict[bytes, str] = {}
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
        rows = []
        for trace_id, tally in self._touched.items():
            try:
                rows.append(self._trace_row(tally, traces.get(trace_id)))
            except Exception as error:  # a trace of the user's own making
                self.failure = error
        self._forget([trace_id for trace_id, (_, running) in traces.items() if not running])
        return Batch(rows, spans, self._requests)

    def lose(self, batch: Batch) -> None:
        """Note that a batch wasn't written: what its traces lack counts as cut, in their next rows."""
        for row in batch.spans:
            size = sum(len(text.encode("utf-8", "replace")) for text in row[_SPAN_TEXTS:] if text)
            self._lost[row[0]] = self._lost.get(row[0], 0) + max(size, 1)
        for row in batch.traces:  # what they were to tell of an earlier loss
            self._lost[row[0]] = self._lost.get(row[0], 0) + (row[_CUT] or 0)
        while len(self._lost) > _MAX_TALLIES:
            self._lost.pop(next(iter(self._lost)))

    def _look_anew(self) -> None:
        """Find out which keys there are, and how much is kept: both may have been set since."""
        redactor = Redactor()
        self._clean, self._harmless = redactor.clean, redactor.is_harmless
        cutter = Cutter()
        self._cut, self._short = cutter.cut, cutter.max_bytes // 4  # no character takes more than four bytes

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
        if running and span.trace.data_unwanted and type(data).leave_out is not SpanData.leave_out:
            sent = received = None  # a span that ended has left them out itself
        is_call = kind in MODEL_KINDS
        used = _NO_USAGE if usage is None else _usage(usage)
        # A failed call without usage used nothing, as far as is known; one that ended well used what isn't known.
        has_cost = is_call and (usage is not None or (not running and span.status == "ok"))
        cost_usd = self._cost(model, used) if has_cost else None
        named = "" if name is None else _spelt(name)
        of_agent = "" if span.agent is None else _spelt(span.agent)
        named, of_agent, *texts = self._cleaned(named, of_agent, span.error, sent, received, rest)
        name = None if name is None else named
        agent = name if kind == "agent" else of_agent or None
        self._count(span, name, model, used, running)
        if has_cost and not running:
            self._tally(span.trace).add_cost(cost_usd)
        request = getattr(data, "request", None) if is_call else None
        return (
            span.trace.trace_id,
            span.span_id,
            span.parent_id,
            span.depth,
            kind,
            name,
            agent,
            "running" if running else span.status,
            span.started_ns,
            None if running else span.ended_ns,
            first_token_s,
            model,
            *used,
            cost_usd,
            None if request is None else self._keep_request(request),
            self._gone or None,
            *texts,
        )

    def _cost(self, model: str | None, used: _Counts) -> float | None:
        """Return what a model call cost at the prices of now, as `agentkit.pricing.cost_usd` does."""
        if model not in self._prices:
            self._prices[model] = price_of(model)
        price = self._prices[model]
        _, sent, received, total, cached, written, _ = used
        if price is None or (not total and (price.input or price.output)):
            return None
        return price.cost_usd(sent or 0, received or 0, cached or 0, written or 0)

    def _keep_request(self, request: Any) -> str | None:  # of a layer above; see span_data
        """Keep what a call sent beside its messages, and return the key to find it by."""
        try:
            given = request.encode()
            if (known := self._request_keys.get(given)) is not None:  # as of most calls, which send what others did
                return known
            body = self._clean(given.decode())
        except Exception as error:  # settings of the user's own that have no JSON form
            self.failure = error
            return None
        key = blake2b(body.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        self._request_keys[given] = key
        self._requests[key] = body
        return key

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
        elif kind in MODEL_KINDS:
            counts[0] += 1
            if model is not None:
                tally.add_model(model)
            for place, value in enumerate(used, 3):
                if value:
                    counts[place] += value

    def _trace_row(self, tally: _Tally, change: tuple[Trace, bool] | None) -> tuple[Any, ...]:
        trace, running = change or (tally.trace, True)
        status = None if change is None else "running" if running else trace.status
        told = (trace.error, trace.input, trace.output, trace.metadata) if change is not None else (None,) * 4
        session_id = "" if trace.session_id is None else _spelt(trace.session_id)
        name, session_id, *texts = self._cleaned(_spelt(trace.name), session_id, *told)
        gone = self._lost.pop(trace.trace_id, 0) + (0 if running else self._gone)
        return (
            trace.trace_id,
            name,
            None if trace.group_id is None else _spelt(trace.group_id),
            session_id or None,
            status,
            this_process() if running else None,
            min(trace.started_ns, tally.trace.started_ns),
            None if running else trace.ended_ns,
            "\n".join(tally.agents) or None,
            tally.last_agent,
            "\n".join(tally.models) or None,
            *tally.counts,
            tally.cost_usd,
            gone or None,
            *texts,
        )

    def _cleaned(self, first: str, second: str, *values: Any) -> list[Any]:
        """Return two names, and values as JSON text that isn't too long (None for None), all without keys."""
        texts = [None if value is None else _text(value) for value in values]
        if not self._harmless("\n".join([first, second, *filter(None, texts)])):
            clean = self._clean
            first, second = clean(first), clean(second)
            texts = [text and clean(text) for text in texts]
        self._gone = 0
        for place, text in enumerate(texts):
            if text is not None and len(text) > self._short:
                texts[place], gone = self._cut(text)
                self._gone += gone
        return [first, second, *texts]


def _text(value: Any) -> str:  # whatever was asked and answered
    """Return `value` as JSON text. Never raises: what has no JSON form is written as its repr."""
    try:
        return to_json(value, inf_nan_mode="null").decode()
    except Exception:  # half an emoji, or foreign objects: their serialisers and reprs may raise anything
        pass
    try:
        data = dumps(value)
    except Exception:
        data = loosely(value)
    return data.decode()


def loosely(value: Any) -> bytes:
    """Return anything as JSON; what has none as its repr."""
    try:
        return to_json(value, fallback=_repr, inf_nan_mode="null", bytes_mode="base64")
    except Exception:  # a circular reference, a dictionary that changes meanwhile
        return dumps(_repr(value))


def _spelt(value: Any) -> str:  # a name of whatever type the caller gave
    """Return `str(value)`. Never raises."""
    try:
        return str(value)
    except Exception as error:
        return f"<{type(value).__name__} whose str raises {type(error).__name__}>"


def _repr(value: Any) -> str:
    try:
        shown = repr(value)
    except Exception as error:
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    if len(shown) > _REPR_CHARS:
        shown = f"{shown[:_REPR_CHARS]}… ({len(shown):,} characters)"
    return shown.encode("utf-8", "backslashreplace").decode()


def _usage(usage: Mapping[str, Any]) -> _Counts:
    """Return the counts in the order of `USAGE_COLUMNS`. A platform's own usage object is one request."""
    get = usage.get
    sent, received = get("input_tokens"), get("output_tokens")
    total = get("total_tokens")
    if total is None and isinstance(sent, int) and isinstance(received, int):
        total = sent + received
    cached, written, reasoning = get("cached_tokens"), get("cache_write_tokens"), get("reasoning_tokens")
    if cached is None and isinstance(details := get("input_tokens_details"), dict):
        cached, written = details.get("cached_tokens"), details.get("cache_write_tokens")
    if reasoning is None and isinstance(details := get("output_tokens_details"), dict):
        reasoning = details.get("reasoning_tokens")
    counts = (get("requests", 1), sent, received, total, cached, written, reasoning)
    return tuple([value if type(value) is int else None for value in counts])


def cleaned(batch: Batch) -> Batch:
    """Return `batch` with every value in a form that SQLite takes, for a batch that it refused."""
    return Batch(
        [tuple(map(_storable, row)) for row in batch.traces],
        [tuple(map(_storable, row)) for row in batch.spans],
        {key: str(_storable(body)) for key, body in batch.requests.items()},
    )


def _storable(value: Any) -> str | int | float | None:
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return max(-_MAX_INT, min(_MAX_INT, int(value)))
    text = value if isinstance(value, str) else _repr(value)
    return text.encode("utf-8", "backslashreplace").decode()
