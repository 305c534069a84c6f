"""What was recorded, as dataframes: one row a trace, a span, a model call, a tool call, a turn or a message."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit._json import loads
from agentkit.records.costs import call_costs
from agentkit.records.shapes import CALLS, SPANS, TOOLS
from agentkit.records.span import error_line
from agentkit.records.trees import TreeOrder
from agentkit.records.wanted import Since, span_filter
from agentkit.tracing.columns import Columns, checked_limit, flush_store, seconds, trace_id_of
from agentkit.tracing.filters import MODEL_KINDS, SpanFilter
from agentkit.tracing.reader import SPANS_READ, read_columns, read_span_chunks, traces_newest_first

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

__all__ = ["calls", "calls_of", "newest_first", "spans", "spans_of", "tools", "tools_of"]

_MADE_OF = frozenset(
    {
        *("trace_id", "span_id", "parent_id", "depth", "status", "started_ns", "ended_ns", "first_token_s", "model"),
        *("requests", "input_tokens", "output_tokens", "total_tokens", "cached_tokens", "cache_write_tokens"),
        *("cost_usd", "error", "input", "output", "data"),
    }
)
"""Columns of the store that others are made of."""

_TOOL_KINDS = ("function",)
_OF_TURNS = ("trace_id", "parent_id", "span_id", "started_ns")


@called_as("agentkit.spans")
def spans(
    trace_id: Any = None,  # an id, or anything that has one: a result, a trace, a span
    *,
    limit: int | None = None,
    kind: str | None = None,
    agent: Any = None,  # a name, or an agent: a class of a layer above
    name: str | None = None,
    model: str | None = None,
    session: Any = None,  # an id, or a session: of a layer above
    status: str | None = None,
    error: bool | None = None,
    text: str | None = None,
    since: Since = None,
    until: Since = None,
) -> pd.DataFrame:
    """Return one row a span: of one trace as a tree read from the top, or of all traces, the newest first.

    Each span is followed by those that are part of it, in order of their start. Where spans are chosen, by `kind` or
    otherwise, those of one trace are in order of start, and those of all traces have the newest first.

    Args:
        trace_id: A trace's id, the beginning of one, or what has one: a result, a trace. None for all traces.
        limit: At most so many rows; of the last trace, those that started first.
        kind: Only spans of this kind: "agent", "response", "generation", "function", "handoff", "guardrail",
            "mcp_tools" or "custom".
        agent: Only spans of this agent's work: its name, or the agent.
        name: Only spans with this name: of a tool, a guardrail.
        model: Only calls of this model.
        session: Only spans of this session's runs: its id, or the session.
        status: Only spans that ended so; see below.
        error: True for those that failed, False for the others.
        text: Only spans in whose input, output or error this occurs, in capitals or not.
        since: Only spans that started then or later: a time (without a zone: local time), a date such as
            "2026-11-21", or how long ago, such as "2h" or a timedelta.
        until: Only spans that started before then, likewise.

    Returns:
        A dataframe with these columns, all nullable; the same when there are no rows.

        | column | dtype | |
        |---|---|---|
        | trace_id | string | joins with `traces()` |
        | span_id, parent_id | string | no parent: it is directly below the trace |
        | depth | Int64 | spans above it |
        | kind | category | |
        | name | string | of the agent, tool, guardrail, or the agent handed to |
        | agent | string | the agent at work |
        | status | category | "running", "ok", "error", "cancelled"; "unfinished": cut off, as by a killed kernel |
        | started_at | datetime64[us, UTC] | |
        | duration_s | Float64 | seconds; missing while it is running |
        | first_token_s | Float64 | seconds to the first token of a streamed model call |
        | model | string | |
        | input_tokens, output_tokens, total_tokens | Int64 | of model calls |
        | cached_tokens, cache_write_tokens, reasoning_tokens | Int64 | of the input, and of the output |
        | cost_usd | Float64 | of model calls; missing where the price isn't known |
        | input, output | string | JSON unless it was text; a model call's input is what is new since the last one |
        | error | string | what went wrong |
        | data | string | JSON: everything else that is known of it |
        | cut | Int64 | bytes that were too many to keep; missing where all is there |

    Raises:
        UserError: There is no such trace, an argument makes no sense, or the file can't be read.
    """
    wanted = span_filter(
        kind=kind, agent=agent, name=name, model=model, session=session, status=status, error=error, text=text,
        since=since, until=until,
    )  # fmt: skip
    chunks = _read(trace_id, wanted, limit, SPANS)
    if wanted != SpanFilter():
        return _frame(SPANS, map(_spoken, chunks))
    tree = TreeOrder(traces_newest_first if trace_id is None and limit is None else None)
    return _frame(SPANS, map(_spoken, tree.watch(chunks)), tree)


@called_as("agentkit.calls")
def calls(
    trace_id: Any = None,  # as for `spans`
    *,
    limit: int | None = None,
    agent: Any = None,
    model: str | None = None,
    session: Any = None,
    status: str | None = None,
    error: bool | None = None,
    text: str | None = None,
    since: Since = None,
    until: Since = None,
) -> pd.DataFrame:
    """Return one row a model call: of one trace in order, or of all, the newest first.

    Args:
        trace_id: A trace's id, the beginning of one, or what has one; None for all traces.
        limit: At most so many rows.
        agent: Only this agent's calls: its name, or the agent.
        model: Only calls that this model answered.
        session: Only calls of this session's runs: its id, or the session.
        status: Only calls that ended so: "running", "ok", "error", "cancelled", "unfinished".
        error: True for those that failed, False for the others.
        text: Only calls in whose input, output or error this occurs, in capitals or not.
        since: Only calls that started then or later; see `spans`.
        until: Only calls that started before then.

    Returns:
        A dataframe with these columns, all nullable; the same when there are no rows.

        | column | dtype | |
        |---|---|---|
        | trace_id, span_id, parent_id | string | join with `traces()` and `spans()` |
        | agent, model | string | who asked, and who answered |
        | status | category | |
        | started_at | datetime64[us, UTC] | |
        | duration_s, first_token_s | Float64 | seconds; to the first token of a streamed answer |
        | tokens_per_s | Float64 | output tokens a second, after the first token where that is known |
        | input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, total_tokens | Int64 | |
        | cost_usd | Float64 | missing where the price isn't known |
        | retries | Int64 | attempts that failed before it came through |
        | input, output | string | JSON; the input is what is new since the run's previous call |
        | error | string | what went wrong |
        | cut | Int64 | bytes that were too many to keep |

    Raises:
        UserError: There is no such trace, an argument makes no sense, or the file can't be read.
    """
    wanted = span_filter(
        kinds=MODEL_KINDS, agent=agent, model=model, session=session, status=status, error=error, text=text,
        since=since, until=until,
    )  # fmt: skip
    return _frame(CALLS, map(_spoken_call, _read(trace_id, wanted, limit, CALLS)))


@called_as("agentkit.tools")
def tools(
    trace_id: Any = None,  # as for `spans`
    *,
    limit: int | None = None,
    name: str | None = None,
    agent: Any = None,
    session: Any = None,
    status: str | None = None,
    error: bool | None = None,
    text: str | None = None,
    since: Since = None,
    until: Since = None,
) -> pd.DataFrame:
    """Return one row a call of a tool that ran here: of one trace in order, or of all, the newest first.

    What a platform's hosted tools did is part of the model call's output.

    Args:
        trace_id: A trace's id, the beginning of one, or what has one; None for all traces.
        limit: At most so many rows.
        name: Only calls of this tool.
        agent: Only this agent's calls: its name, or the agent.
        session: Only calls of this session's runs: its id, or the session.
        status: Only calls that ended so: "running", "ok", "error", "cancelled", "unfinished".
        error: True for those that failed, False for the others.
        text: Only calls in whose arguments, output or error this occurs, in capitals or not.
        since: Only calls that started then or later; see `spans`.
        until: Only calls that started before then.

    Returns:
        A dataframe with these columns, all nullable; the same when there are no rows.

        | column | dtype | |
        |---|---|---|
        | trace_id, span_id, parent_id | string | join with `traces()` and `spans()` |
        | name, agent | string | the tool, and who called it |
        | status | category | |
        | started_at | datetime64[us, UTC] | |
        | duration_s | Float64 | seconds |
        | arguments | string | JSON, as the model wrote them |
        | output | string | what it returned; JSON unless it was text |
        | error | string | what went wrong |
        | mcp_server | string | where it came from an MCP server |
        | call_id | string | joins with the call and its output in `messages()` |
        | turn_id | string | the model call that asked for it: the `span_id` of `turns()` and `calls()` |
        | cut | Int64 | bytes that were too many to keep |

    Raises:
        UserError: There is no such trace, an argument makes no sense, or the file can't be read.
    """
    wanted = span_filter(
        kinds=_TOOL_KINDS, agent=agent, name=name, session=session, status=status, error=error, text=text,
        since=since, until=until,
    )  # fmt: skip
    return _frame(TOOLS, map(_spoken_tool, _read(trace_id, wanted, limit, TOOLS)))


def spans_of(trace_ids: Sequence[str]) -> pd.DataFrame:
    """Return what `spans` does of some traces, and reads no others. Takes whole ids, the newest trace first."""
    tree = TreeOrder()
    return _frame(SPANS, map(_spoken, tree.watch(_read_each(trace_ids, SpanFilter(), SPANS))), tree)


def calls_of(trace_ids: Sequence[str]) -> pd.DataFrame:
    """Return what `calls` does of some traces, likewise."""
    wanted = SpanFilter(kinds=MODEL_KINDS)
    return newest_first(_frame(CALLS, map(_spoken_call, _read_each(trace_ids, wanted, CALLS))))


def tools_of(trace_ids: Sequence[str]) -> pd.DataFrame:
    """Return what `tools` does of some traces, likewise."""
    wanted = SpanFilter(kinds=_TOOL_KINDS)
    return newest_first(_frame(TOOLS, map(_spoken_tool, _read_each(trace_ids, wanted, TOOLS))))


def newest_first(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows in the order in which those of all traces are given."""
    return frame.sort_values("started_at", ascending=False, kind="stable", ignore_index=True)


def _read(
    trace_id: Any, wanted: SpanFilter, limit: int | None, shape: Mapping[str, str]
) -> Iterator[Mapping[str, Sequence[Any]]]:
    """Yield what the columns of `shape` are made of, some rows at a time."""
    flush_store()
    return read_span_chunks(trace_id_of(trace_id), wanted, checked_limit(limit), _columns_for(shape))


def _read_each(
    trace_ids: Sequence[str], wanted: SpanFilter, shape: Mapping[str, str]
) -> Iterator[Mapping[str, Sequence[Any]]]:
    """Yield the same of some traces, one after the other."""
    columns = _columns_for(shape)
    return chain.from_iterable(read_span_chunks(id_, wanted, None, columns) for id_ in trace_ids)


def _columns_for(shape: Mapping[str, str]) -> list[str]:
    return [name for name in SPANS_READ if name in shape or name in _MADE_OF]


def _frame(
    shape: Mapping[str, str], pieces: Iterable[Mapping[str, Iterable[Any]]], tree: TreeOrder | None = None
) -> pd.DataFrame:
    from agentkit.tracing.arrays import frame_of_pieces

    return frame_of_pieces(shape, pieces, None if tree is None else tree.order)


def _spoken(column: Mapping[str, Sequence[Any]]) -> Columns:
    """Return the columns with times in seconds and texts for people."""
    return {
        **column,
        "started_at": column["started_ns"],
        "duration_s": _durations(column),
        "cost_usd": call_costs(column),
        "input": _readable(column["input"]),
        "output": _readable(column["output"]),
        "error": _none_or_each(column["error"], error_line),
    }


def _spoken_call(column: Mapping[str, Sequence[Any]]) -> Columns:
    spoken = _spoken(column)
    speeds = map(_speed, spoken["duration_s"], column["first_token_s"], column["output_tokens"])
    return spoken | {"tokens_per_s": speeds, "retries": map(_retries, column["data"])}


def _spoken_tool(column: Mapping[str, Sequence[Any]]) -> Columns:
    spoken = _spoken(column)
    return spoken | {
        "arguments": spoken["input"],
        "mcp_server": _none_or_each(column["data"], _mcp_server),
        "call_id": _none_or_each(column["data"], _call_id),
        "turn_id": _turn_ids(column),
    }


def _turn_ids(column: Mapping[str, Sequence[Any]]) -> list[str | None]:
    """Return the span_id of the model call that asked for each tool: the last before it of the same agent's work."""
    read = read_columns(_OF_TURNS, dict.fromkeys(column["trace_id"]), MODEL_KINDS)
    starts: dict[tuple[str, str | None], list[int]] = {}
    ids: dict[tuple[str, str | None], list[str]] = {}
    for trace_id, parent_id, span_id, started_ns in read:
        starts.setdefault((trace_id, parent_id), []).append(started_ns)
        ids.setdefault((trace_id, parent_id), []).append(span_id)
    found: list[str | None] = []
    for trace_id, parent_id, started_ns in zip(
        column["trace_id"], column["parent_id"], column["started_ns"], strict=True
    ):
        before = bisect_right(starts.get((trace_id, parent_id), []), started_ns)
        found.append(ids[trace_id, parent_id][before - 1] if before else None)
    return found


def _durations(column: Mapping[str, Sequence[Any]]) -> Sequence[float | None] | npt.NDArray[np.float64]:
    """Return how long each row took, in seconds; None where it hasn't ended."""
    import numpy as np

    started, ended = column["started_ns"], column["ended_ns"]
    if None in ended:
        return seconds(dict(column))
    return (np.array(ended, np.int64) - np.array(started, np.int64)) / 1e9


def _readable(texts: Sequence[str | None]) -> Sequence[str | None]:
    """Return stored JSON for a person: strings without their quotes, everything else as it is."""
    places = [place for place, text in enumerate(texts) if text is not None and text[:1] == '"']
    if not places:
        return texts
    spoken = list(texts)
    # all at once: a call of the parser for each takes several times as long
    strings: list[str] = loads(f"[{','.join([texts[place] or '' for place in places])}]")
    for place, string in zip(places, strings, strict=True):
        spoken[place] = string
    return spoken


def _none_or_each(texts: Sequence[str | None], make: Callable[[str], str | None]) -> Sequence[str | None]:
    """Return what `make` makes of each text, quickly where there is none."""
    if texts.count(None) == len(texts):
        return texts
    return [None if text is None else make(text) for text in texts]


def _speed(duration_s: float | None, first_token_s: float | None, tokens: int | None) -> float | None:
    if duration_s is None or not tokens:
        return None
    after, counted = (duration_s - first_token_s, tokens - 1) if first_token_s is not None else (duration_s, tokens)
    return counted / after if after > 0 and counted > 0 else None


def _retries(data: str | None) -> int:
    if data is None or '"retries"' not in data:
        return 0
    retries = _dict(data).get("retries")
    return len(retries) if isinstance(retries, list) else 0


def _mcp_server(data: str | None) -> str | None:
    if data is None or '"mcp_data"' not in data:
        return None
    mcp_data = _dict(data).get("mcp_data")
    return mcp_data.get("server") if isinstance(mcp_data, dict) else None


def _call_id(data: str | None) -> str | None:
    if data is None or '"call_id"' not in data:
        return None
    call_id = _dict(data).get("call_id")
    return call_id if isinstance(call_id, str) else None


def _dict(data: str) -> dict[str, Any]:
    value = loads(data)
    return value if isinstance(value, dict) else {}
