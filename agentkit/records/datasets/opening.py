"""Opening many traces at once: a few queries for a batch, rather than some for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from agentkit._json import dumps
from agentkit.exceptions import UserError
from agentkit.records.datasets.left_out import LeftOutError
from agentkit.records.opened import RecordedTrace
from agentkit.records.span import error_line
from agentkit.tracing.database import TRACE_COLUMNS
from agentkit.tracing.reader import SPANS_READ, read_trace, reading

__all__ = ["BATCH", "Opened", "open_traces"]

BATCH = 50
"""Traces that are held in memory at a time."""

Opened = RecordedTrace | LeftOutError
"""A trace that ended well, or why there is none: for one that didn't, the status is the reason."""

Row = dict[str, Any]


def open_traces(ids: Sequence[str]) -> dict[str, Opened]:
    """Return traces by their ids, those that ended well with all their spans.

    Raises:
        UserError: The file can't be read.
    """
    with reading() as connection:
        if connection is None:
            return {trace_id: _why_not(None) for trace_id in ids}
        chosen = "trace_id IN (SELECT value FROM json_each(?))"
        found = connection.execute(
            f"SELECT {', '.join(TRACE_COLUMNS)} FROM traces WHERE {chosen}", [dumps(list(ids)).decode()]
        )
        rows = {row["trace_id"]: row for row in _named(TRACE_COLUMNS, found)}
        good = [trace_id for trace_id in ids if trace_id in rows and rows[trace_id]["status"] == "ok"]
        spans: dict[str, list[Row]] = {trace_id: [] for trace_id in good}
        for span in _named(
            SPANS_READ,
            connection.execute(
                f"SELECT {', '.join(SPANS_READ)} FROM spans WHERE {chosen} ORDER BY trace_id, started_ns, seq",
                [dumps(good).decode()],
            ),
        ):
            spans[span["trace_id"]].append(span)
    return {
        trace_id: RecordedTrace(rows[trace_id], spans[trace_id]) if trace_id in spans else _why_not(rows.get(trace_id))
        for trace_id in ids
    }


def _named(names: Sequence[str], rows: Any) -> Iterator[Row]:  # a cursor
    return (dict(zip(names, row, strict=True)) for row in rows)


def _why_not(row: Row | None) -> LeftOutError:
    if row is None:
        return LeftOutError("not in the store", "It was deleted since, or never stored.")
    status = row["status"]
    if status in (None, "running"):
        try:  # "unfinished", where its process is gone
            status = read_trace(row["trace_id"])["status"] or "running"
        except UserError:
            return _why_not(None)
    return LeftOutError(str(status), error_line(row["error"]) or "")
