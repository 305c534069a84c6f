"""The traces and their spans as dataframes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from agentkit._json import loads
from agentkit.exceptions import UserError
from agentkit.tracing.processors import registered
from agentkit.tracing.reader import SPANS_READ, TRACES_READ, TraceFilter, read_spans, read_traces
from agentkit.tracing.store import TraceStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

__all__ = ["checked_limit", "columns_of", "dataframe", "flush_store", "name_of_agent", "since_ns", "spans", "traces"]

_TRACE_DTYPES = {
    "trace_id": "string",
    "workflow": "string",
    "group_id": "string",
    "agent": "string",
    "last_agent": "string",
    "status": "category",
    "started_at": "time",
    "duration_s": "Float64",
    "turns": "Int64",
    "tool_calls": "Int64",
    "handoffs": "Int64",
    "requests": "Int64",
    "input_tokens": "Int64",
    "output_tokens": "Int64",
    "total_tokens": "Int64",
    "model": "string",
    "input": "string",
    "output": "string",
    "error": "string",
    "metadata": "string",
    "rating": "category",
    "remark": "string",
}
_SPAN_DTYPES = {
    "trace_id": "string",
    "span_id": "string",
    "parent_id": "string",
    "depth": "Int64",
    "kind": "category",
    "name": "string",
    "status": "category",
    "started_at": "time",
    "duration_s": "Float64",
    "first_token_s": "Float64",
    "model": "string",
    "input_tokens": "Int64",
    "output_tokens": "Int64",
    "input": "string",
    "output": "string",
    "error": "string",
    "data": "string",
}

_MAX_NS = 2**63 - 1  # what SQLite holds: the year 2262

Columns = dict[str, "Iterable[Any]"]


def traces(
    *,
    limit: int | None = None,
    agent: Any = None,  # a name, or an agent: a class of a layer above
    status: str | None = None,
    since: datetime | timedelta | str | None = None,
) -> pd.DataFrame:
    """Return one row a trace, the newest first: all that was run on this machine, by any kernel or script.

    Args:
        limit: At most so many rows.
        agent: Only traces that this agent took part in: its name, or the agent.
        status: Only traces that ended so, such as "error"; see below.
        since: Only traces started then or later: a time (without a zone: local time), a date such as "2026-11-21", or
            how long ago, such as "2h" or a timedelta.

    Returns:
        A dataframe with these columns, all nullable; the same when there are no rows.

        | column | dtype | |
        |---|---|---|
        | trace_id | string | joins with `spans()` |
        | workflow | string | the trace's name |
        | group_id | string | what traces of one conversation share |
        | agent, last_agent | string | the agent that began, and the one that was last at work |
        | status | category | "running", "ok", "error", "cancelled", or what the run ended with, such as "max_turns" |
        | started_at | datetime64[us, UTC] | |
        | duration_s | Float64 | seconds; missing while it is running |
        | turns, tool_calls, handoffs | Int64 | model calls, calls of function tools, handoffs |
        | requests, input_tokens, output_tokens, total_tokens | Int64 | sums over the model calls |
        | model | string | the models called, in order of their first call, separated by ", " |
        | input, output | string | what was asked, and what came out; JSON unless it was text |
        | error | string | what went wrong |
        | metadata | string | JSON |
        | rating, remark | category, string | what a reader thought of the answer; `feedback()` has more |

        A trace that is "running" long after its process is gone was cut off when that was killed.

    Raises:
        UserError: An argument makes no sense, or the file can't be read.
    """
    flush_store()
    rows = read_traces(TraceFilter(name_of_agent(agent), status, since_ns(since)), checked_limit(limit))
    column = columns_of(TRACES_READ, rows)
    agents = [None if names is None else names.partition("\n")[0] for names in column["agents"]]
    models = [None if names is None else ", ".join(dict.fromkeys(names.split("\n"))) for names in column["models"]]
    return dataframe(
        _TRACE_DTYPES,
        column
        | {
            "agent": agents,
            "status": [status or "running" for status in column["status"]],
            "started_at": column["started_ns"],
            "duration_s": _seconds(column),
            "model": models,
            "input": [_readable(text) for text in column["input"]],
            "output": [_readable(text) for text in column["output"]],
            "error": [_error_line(text) for text in column["error"]],
            "remark": [text or None for text in column["remark"]],
        },
    )


def spans(
    trace_id: Any = None,  # an id, or anything that has one: a result, a trace, a span
    *,
    limit: int | None = None,
    kind: str | None = None,
) -> pd.DataFrame:
    """Return one row a span: of one trace as a tree read from the top, or of all traces, the newest first.

    Each span is followed by those that are part of it, in order of their start. With `kind` given, spans of one trace
    are in order of start.

    Args:
        trace_id: A trace's id, the beginning of one, or what has one: a result, a trace. None for all traces.
        limit: At most so many rows; of the last trace, those that started first.
        kind: Only spans of this kind: "agent", "response", "generation", "function", "handoff", "guardrail",
            "mcp_tools" or "custom".

    Returns:
        A dataframe with these columns, all nullable; the same when there are no rows.

        | column | dtype | |
        |---|---|---|
        | trace_id | string | joins with `traces()` |
        | span_id, parent_id | string | no parent: it is directly below the trace |
        | depth | Int64 | spans above it |
        | kind | category | |
        | name | string | of the agent, tool, guardrail, or the agent handed to |
        | status | category | "running", "ok", "error", "cancelled" |
        | started_at | datetime64[us, UTC] | |
        | duration_s | Float64 | seconds; missing while it is running |
        | first_token_s | Float64 | seconds to the first token of a streamed model call |
        | model | string | |
        | input_tokens, output_tokens | Int64 | of model calls |
        | input, output | string | JSON unless it was text; a model call's input is what is new since the last one |
        | error | string | what went wrong |
        | data | string | JSON: everything else that is known of it |

    Raises:
        UserError: There is no such trace, an argument makes no sense, or the file can't be read.
    """
    flush_store()
    rows = read_spans(_trace_id_of(trace_id), kind=kind, limit=checked_limit(limit))
    column = columns_of(SPANS_READ, rows if kind is not None else _in_tree_order(rows))
    return dataframe(
        _SPAN_DTYPES,
        column
        | {
            "started_at": column["started_ns"],
            "duration_s": _seconds(column),
            "input": [_readable(text) for text in column["input"]],
            "output": [_readable(text) for text in column["output"]],
            "error": [_error_line(text) for text in column["error"]],
        },
    )


def flush_store() -> None:
    """Have the store write what waits."""
    for processor in registered.processors:
        if isinstance(processor, TraceStore):
            processor.force_flush()


def name_of_agent(agent: Any) -> str | None:
    """Return the name that is meant by an agent or its name; None for None.

    Raises:
        UserError: It is neither.
    """
    name = agent if agent is None or isinstance(agent, str) else getattr(agent, "name", agent)
    if name is not None and not isinstance(name, str):
        raise UserError(f"agent is the name of an agent or an agent, not {agent!r}.")
    return name


def checked_limit(limit: int | None) -> int | None:
    """Return `limit`, a number of rows or None.

    Raises:
        UserError: It is something else.
    """
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 0):
        raise UserError(f"limit is a number of rows, 0 or more, not {limit!r}.")
    return limit


def _trace_id_of(given: Any) -> str | None:
    if given is None or isinstance(given, str):
        return given
    trace_id = getattr(given, "trace_id", None)
    if isinstance(trace_id, str):
        return trace_id
    raise UserError(
        f"A trace is told by its trace_id, the beginning of one, or a run's result, not by {given!r}.",
        hint="agentkit.traces() lists them.",
    )


def since_ns(since: datetime | timedelta | str | None) -> int | None:
    """Return a time, or how long ago, in nanoseconds since 1970; None for None.

    Raises:
        UserError: It is neither.
    """
    if since is None:
        return None
    import pandas as pd

    try:
        moment = _moment(since).as_unit("us")
    except (ValueError, TypeError):
        raise UserError(
            f"since is a time or how long ago, not {since!r}.", hint='For example "2026-11-21", "2h" or a datetime.'
        ) from None
    if pd.isna(moment):
        raise UserError(f"since is a time or how long ago, not {since!r}.")
    since_epoch = moment.to_pydatetime(warn=False) - datetime(1970, 1, 1, tzinfo=UTC)
    return min(since_epoch // timedelta(microseconds=1) * 1000, _MAX_NS)


def _moment(since: datetime | timedelta | str) -> pd.Timestamp:
    import pandas as pd

    if isinstance(since, str):
        try:
            return pd.Timestamp.now(tz="UTC") - pd.Timedelta(since)
        except ValueError:
            since = pd.Timestamp(since).to_pydatetime()
    if isinstance(since, timedelta):
        return pd.Timestamp.now(tz="UTC") - since
    moment = pd.Timestamp(since)
    if moment.tzinfo is None:
        return pd.Timestamp(moment.to_pydatetime().astimezone())  # local time, with the zone of that day
    return moment


def columns_of(names: Sequence[str], rows: list[tuple[Any, ...]]) -> Columns:
    """Return the values of each column of `rows`, by its name."""
    if not rows:
        return dict.fromkeys(names, ())
    return dict(zip(names, zip(*rows, strict=True), strict=True))


def _seconds(column: Columns) -> list[float | None]:
    return [
        None if ended is None else (ended - started) / 1e9
        for started, ended in zip(column["started_ns"], column["ended_ns"], strict=True)
    ]


def _readable(text: str | None) -> str | None:
    """Return stored JSON for a person: a string without its quotes, everything else as it is."""
    if text is None or not text.startswith('"'):
        return text
    value: str = loads(text)
    return value


def _error_line(text: str | None) -> str | None:
    if text is None:
        return None
    error = loads(text)
    if not isinstance(error, dict):
        return str(error)
    message = str(error.get("message", ""))
    details = error.get("data")
    if not details:
        return message
    if not isinstance(details, dict):
        return f"{message} ({details})"
    return f"{message} ({', '.join(f'{name}: {value}' for name, value in details.items())})"


def _in_tree_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return rows of spans, sorted by trace and start, so that each is followed by its own."""
    if _is_in_tree_order(rows):
        return rows
    own = {(row[0], row[1]) for row in rows}
    below: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    todo: list[tuple[Any, ...]] = []
    for row in rows:
        parent = (row[0], row[2])
        if row[2] is not None and parent in own:
            below.setdefault(parent, []).append(row)
        else:
            todo.append(row)
    todo.reverse()
    ordered = []
    while todo:
        row = todo.pop()
        ordered.append(row)
        todo.extend(reversed(below.pop((row[0], row[1]), ())))
    for rest in below.values():  # parents that are each other's: only by ids that were given
        ordered.extend(rest)
    return ordered


def _is_in_tree_order(rows: list[tuple[Any, ...]]) -> bool:
    """Return whether each row is part of the one before it, or of one above that, as where nothing ran in parallel."""
    path: list[str | None] = []
    trace_id = None
    for row in rows:
        if row[0] != trace_id:
            trace_id = row[0]
            path = []
        depth = row[3]
        if depth > len(path) or row[2] != (path[depth - 1] if depth else None):
            return False
        del path[depth:]
        path.append(row[1])
    return True


def dataframe(dtypes: dict[str, str], columns: Columns) -> pd.DataFrame:
    """Return columns as a dataframe; "time" is the dtype of nanoseconds since 1970."""
    import pandas as pd

    return pd.DataFrame({name: _array(columns[name], dtype) for name, dtype in dtypes.items()})


def _array(values: Iterable[Any], dtype: str) -> Any:  # a pandas array: each dtype has its own class
    import numpy as np
    import pandas as pd

    if dtype == "time":
        micros = np.fromiter(values, dtype="int64") // 1000
        return pd.DatetimeIndex(micros.view("datetime64[us]")).tz_localize("UTC")
    if dtype == "category":
        return pd.Categorical(pd.array(list(values), dtype="string"))
    make: Any = pd.array  # the stubs want to know the dtype from its text
    return make(list(values), dtype=dtype)
