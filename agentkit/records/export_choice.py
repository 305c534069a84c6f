"""Which traces are meant: by their ids, by a dataframe of them, or by what `agentkit.traces` takes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agentkit.exceptions import UserError
from agentkit.tracing.columns import flush_store
from agentkit.tracing.reader import find_trace, reading

__all__ = ["chosen_traces", "opened_store"]


def chosen_traces(of: Any, filters: Mapping[str, Any]) -> list[str]:
    """Return the ids of the traces that are meant, the oldest first; of those given one by one, in their order.

    Args:
        of: A dataframe with a column "trace_id"; an id, the beginning of one, or what has one: a result, a trace; or
            several of these. None for all that `filters` leave.
        filters: What `agentkit.traces` takes.

    Raises:
        UserError: There is no such trace, or the arguments make no sense.
    """
    if of is not None and filters:
        raise UserError(
            f"Traces are chosen by what is passed first, or by {' and '.join(filters)}, not by both.",
            hint="Pass a dataframe that agentkit.traces(…) has filtered.",
        )
    flush_store()
    if of is not None:
        with reading() as connection:
            return list(dict.fromkeys(find_trace(connection, given) for given in _ids(of)))
    if filters:
        from agentkit.records.traces import traces

        return list(reversed(traces(**filters)["trace_id"].tolist()))
    with reading() as connection:
        if connection is None:
            return []
        return [trace_id for (trace_id,) in connection.execute("SELECT trace_id FROM traces ORDER BY started_ns, seq")]


def _ids(of: Any) -> Iterator[str]:
    if isinstance(of, str):
        yield of
    elif hasattr(of, "columns"):  # a dataframe, without importing pandas
        if "trace_id" not in of.columns:
            raise UserError(f"The dataframe has no column trace_id, only {', '.join(map(str, of.columns))}.")
        yield from map(str, of["trace_id"].dropna().unique())
    elif isinstance(found := getattr(of, "trace_id", None), str):
        yield found
    elif isinstance(of, Iterable) and not isinstance(of, (bytes, Mapping)):
        for each in of:
            yield from _ids(each)
    else:
        raise UserError(
            f"Traces are told by a dataframe of them, or by their ids, not by {of!r:.80}.",
            hint="For example agentkit.traces(since='2h'), or a run's result.",
        )


def opened_store(connection: sqlite3.Connection | None) -> sqlite3.Connection:
    """Return the connection that traces were found with."""
    if connection is None:
        raise UserError("The traces were deleted meanwhile.")
    return connection
