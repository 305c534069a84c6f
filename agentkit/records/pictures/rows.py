"""Spans as the pictures want them, whatever they come from: a trace, several, or a dataframe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.tracing.filters import MODEL_KINDS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SpanRow", "rows_of"]


@dataclass(slots=True)
class SpanRow:
    """What a picture wants to know of a span. What isn't known is None."""

    kind: str
    """"agent", "response", "function", …"""
    name: str | None
    """Its name."""
    model: str | None
    """The model, of a model call."""
    agent: str | None
    """The agent at work."""
    status: str
    """"ok", "error", "cancelled", "running", "unfinished"."""
    trace_id: str
    """Its trace."""
    span_id: str
    """Its id."""
    parent_id: str | None
    """What it is part of."""
    started_ns: int
    """When it started, in nanoseconds since 1970."""
    duration_s: float | None
    """Seconds; None where it hasn't ended."""
    first_token_s: float | None
    """Seconds until the first token, of a model call."""
    input_tokens: int | None
    """Tokens sent; likewise the other numbers."""
    cached_tokens: int | None
    """Those of them from the cache."""
    output_tokens: int | None
    """Tokens received."""
    reasoning_tokens: int | None
    """Those of them spent on reasoning."""
    cost_usd: float | None
    """US dollars."""

    @property
    def is_call(self) -> bool:
        """Whether it is a model call."""
        return self.kind in MODEL_KINDS

    @property
    def failed(self) -> bool:
        """Whether something went wrong."""
        return self.status == "error"


_FEW = 2_000
"""Traces up to which the spans of each are read by themselves."""
_PLAIN = tuple(name for name in SpanRow.__slots__ if name not in ("kind", "status", "started_ns"))


def rows_of(of: Any) -> list[SpanRow]:  # whatever a user has at hand
    """Return the spans of `of`, in order of their start.

    Args:
        of: An opened trace or a list of them; what `open_trace` takes; or a dataframe of `agentkit.spans()`, `calls()`
            or `tools()`, as it is or filtered; one of `traces()` stands for all that was done in them.

    Raises:
        UserError: It is none of these.
    """
    rows = _of_frame(of) if _is_frame(of) else _of_spans(of)
    return sorted(rows, key=lambda row: row.started_ns)


def _is_frame(of: Any) -> bool:
    if not hasattr(of, "columns"):
        return False
    import pandas as pd

    return isinstance(of, pd.DataFrame)


def _is_row(of: Any) -> bool:
    """Return whether this is a row of a dataframe, rather than a column of ids."""
    return hasattr(of, "index") and "trace_id" in getattr(of.index, "array", ())


def _stored_ids(frame: pd.DataFrame) -> list[str]:
    """Return the ids of a frame of traces.

    Raises:
        UserError: One is in the store no more.
    """
    from agentkit.tracing.columns import flush_store
    from agentkit.tracing.reader import find_trace, reading

    flush_store()
    with reading() as connection:
        given = dict.fromkeys(map(str, frame["trace_id"].dropna()))
        return [find_trace(connection, trace_id) for trace_id in given]


def _of_spans(of: Any) -> list[SpanRow]:
    from agentkit.records.opened import RecordedTrace, open_trace

    if not isinstance(of, RecordedTrace | str | Mapping) and isinstance(of, Iterable) and not _is_row(of):
        return [row for each in of for row in _of_spans(each)]
    trace = of if isinstance(of, RecordedTrace) else open_trace(of)
    return [
        SpanRow(
            kind=span.kind,
            status="error" if span.failed else span.status,
            started_ns=span.started_ns,
            **{name: getattr(span, name) for name in _PLAIN},
        )
        for span in trace.all_spans
    ]


def _of_frame(frame: pd.DataFrame) -> list[SpanRow]:
    if "trace_id" in frame.columns and "span_id" not in frame.columns:  # of traces: all that was done in them
        from agentkit.records.frames import spans, spans_of

        ids = _stored_ids(frame)
        every = spans() if len(ids) > _FEW else None
        return _of_frame(spans_of(ids) if every is None else every[every["trace_id"].isin(ids)])
    if not {"trace_id", "span_id", "started_at"} <= set(frame.columns):
        raise UserError(
            f"The dataframe has no spans: its columns are {', '.join(map(str, frame.columns))[:200]}.",
            hint="Take agentkit.spans(), agentkit.calls() or agentkit.tools(), or an opened trace.",
        )
    kind = "function" if "arguments" in frame.columns else "response"
    started = frame["started_at"].dt.as_unit("ns").astype("int64")
    columns: dict[str, list[Any]] = {"started_ns": started.tolist()}
    for name in (*_PLAIN, "kind", "status"):
        if name in frame.columns:
            values = frame[name].astype(object)
            columns[name] = values.where(values.notna(), None).tolist()
        else:
            default = {"kind": kind, "status": "ok"}.get(name)
            columns[name] = [default] * len(frame)
    return [SpanRow(**dict(zip(columns, values, strict=True))) for values in zip(*columns.values(), strict=True)]
