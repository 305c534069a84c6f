"""Reads traces and spans back from the store, beside whoever is writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from agentkit._json import dumps
from agentkit._process import is_gone
from agentkit._sqlite import NewerSchemaError, is_busy, open_to_read
from agentkit.exceptions import UserError
from agentkit.tracing.database import (
    FEEDBACK_COLUMNS,
    NOTE_COLUMNS,
    SCHEMA_VERSION,
    SPAN_COLUMNS,
    TRACE_COLUMNS,
    Database,
)
from agentkit.tracing.filters import SpanFilter, TraceFilter
from agentkit.tracing.searching import add_search
from agentkit.tracing.store import advice, store_path

__all__ = [
    "SPANS_READ",
    "TRACES_READ",
    "find_trace",
    "gone_processes",
    "read_columns",
    "read_feedback",
    "read_notes",
    "read_request",
    "read_span_chunks",
    "read_spans",
    "read_trace",
    "read_traces",
    "reading",
    "traces_newest_first",
]

Rows = list[tuple[Any, ...]]

SPANS_READ = SPAN_COLUMNS
"""The columns that `read_spans` gives."""

TRACES_READ = (*TRACE_COLUMNS, "rating", "remark", "mark", "comment")
"""The columns that `read_traces` gives: the last four are a reader's, where there are any."""

_BUSY_TIMEOUT_S = 10.0
_SHORTEST_PREFIX = 4
_STOPPED_SEARCH = "user-defined function raised exception"
"""What SQLite makes of an interrupt within the search for a text."""
_CHUNK_ROWS = 500
"""Rows that are read at a time: few enough to stay in the processor's cache until they are columns."""

_TRACES = ", ".join([*(f"t.{name}" for name in TRACE_COLUMNS), "f.rating", "f.remark", "n.mark", "n.comment"])
_STATUS = TRACE_COLUMNS.index("status")
_PROCESS = TRACE_COLUMNS.index("process")
_SPAN_STATUS = SPAN_COLUMNS.index("status")


def read_traces(wanted: TraceFilter, limit: int | None) -> Rows:
    """Return rows of `TRACES_READ`, the newest trace first; none where nothing was kept yet.

    The status of one that never ended, and whose process is gone or isn't known, is "unfinished".

    Raises:
        UserError: What is wanted makes no sense, or the file can't be read.
    """
    wanted.check()
    with reading() as connection:
        if connection is None:
            return []
        gone = gone_processes(connection)
        condition, values = wanted.sql(gone)
        rows = connection.execute(
            f"SELECT {_TRACES} FROM traces AS t LEFT JOIN feedback AS f USING (trace_id)"
            f" LEFT JOIN notes AS n ON n.trace_id = t.trace_id AND n.span_id = ''"
            f" WHERE {condition} ORDER BY t.started_ns DESC, t.seq DESC LIMIT ?",
            [*values, _sql_limit(limit)],
        ).fetchall()
        return [_with_status(row, _STATUS, row[_PROCESS] is None or row[_PROCESS] in gone) for row in rows]


def read_trace(trace_id: str) -> dict[str, Any]:
    """Return the row of one trace, by the names of `TRACES_READ`.

    Args:
        trace_id: The trace's id, or the beginning of it.

    Raises:
        UserError: There is no such trace, or there are several.
    """
    with reading() as connection:
        found = find_trace(connection, trace_id)
    rows = read_traces(TraceFilter(trace_id=found), 1)
    if not rows:
        raise UserError(f"The trace {found} was deleted a moment ago.", hint="agentkit.traces() lists those there are.")
    return dict(zip(TRACES_READ, rows[0], strict=True))


def read_feedback(*, agent: str | None, rating: str | None, since_ns: int | None, limit: int | None) -> Rows:
    """Return rows of `FEEDBACK_COLUMNS` that agree with what is given, the newest first."""
    given = {"agent = ?": agent, "rating = ?": rating, "created_ns >= ?": since_ns}
    conditions = {condition: value for condition, value in given.items() if value is not None}
    with reading() as connection:
        if connection is None:
            return []
        return connection.execute(
            f"SELECT {', '.join(FEEDBACK_COLUMNS)} FROM feedback WHERE {' AND '.join(['1', *conditions])}"
            " ORDER BY created_ns DESC, trace_id LIMIT ?",
            [*conditions.values(), _sql_limit(limit)],
        ).fetchall()


def read_notes(trace_id: str | None = None) -> Rows:
    """Return rows of `NOTE_COLUMNS`, the newest first: those on a trace and its spans, or all.

    Args:
        trace_id: The whole id of the trace.
    """
    with reading() as connection:
        if connection is None:
            return []
        condition, values = ("1", []) if trace_id is None else ("trace_id = ?", [trace_id])
        return connection.execute(
            f"SELECT {', '.join(NOTE_COLUMNS)} FROM notes WHERE {condition} ORDER BY created_ns DESC", values
        ).fetchall()


def read_request(key: str) -> str | None:
    """Return what model calls sent beside their messages, as JSON, by a span's `request_key`; None where it's gone."""
    with reading() as connection:
        if connection is None:
            return None
        row = connection.execute("SELECT body FROM requests WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])


def read_spans(
    trace_id: str | None = None,
    *,
    kind: str | None = None,
    limit: int | None = None,
    wanted: SpanFilter | None = None,
) -> Rows:
    """Return rows of `SPANS_READ`. The status of those that can't end any more is "unfinished".

    Of one trace, they are in order of start. Of all, where nothing but `limit` is given, the newest trace comes first,
    with its spans in order of start; else the newest span.

    Args:
        trace_id: The trace, or the beginning of its id; None for all.
        kind: Only spans of this kind.
        limit: At most so many rows.
        wanted: Which spans.

    Raises:
        UserError: There is no such trace, or there are several.
    """
    wanted = wanted or SpanFilter()
    if kind is not None:
        wanted = wanted._replace(kinds=(kind,))
    wanted.check()
    with reading() as connection:
        if trace_id is not None:
            trace_id = find_trace(connection, trace_id)
        if connection is None:
            return []
        gone = gone_processes(connection)
        sql, values = _spans_query(connection, trace_id, wanted, gone)
        rows = connection.execute(sql, [*values, _sql_limit(limit)]).fetchall()
        return _with_unfinished(connection, rows, gone)


def read_span_chunks(
    trace_id: str | None, wanted: SpanFilter, limit: int | None, columns: Sequence[str] = SPANS_READ
) -> Iterator[dict[str, Sequence[Any]]]:
    """Yield what `read_spans` returns, some rows at a time, as the values of each column.

    Where all spans are read, they come as they were written, with no regard to their traces: `traces_newest_first`
    helps to put them in order, which takes less than having SQLite do so.

    Args:
        trace_id: The trace, or the beginning of its id; None for all.
        wanted: Which spans.
        limit: At most so many rows.
        columns: Of `SPANS_READ`: "trace_id", "status" and others.

    Raises:
        UserError: There is no such trace, or there are several, or the file can't be read.
    """
    wanted.check()
    with reading() as connection:
        if trace_id is not None:
            trace_id = find_trace(connection, trace_id)
        if connection is None:
            return
        gone = gone_processes(connection)
        if trace_id is None and limit is None and wanted == SpanFilter():
            sql = f"SELECT {', '.join(columns)} FROM spans AS s ORDER BY s.seq LIMIT ?"
            values: list[Any] = []
        else:
            sql, values = _spans_query(connection, trace_id, wanted, gone, columns)
        found = connection.execute(sql, [*values, _sql_limit(limit)])
        while rows := found.fetchmany(_CHUNK_ROWS):
            chunk: dict[str, Sequence[Any]] = dict(zip(columns, zip(*rows, strict=True), strict=True))
            if "running" in chunk["status"]:
                over = _over(connection, chunk["trace_id"], chunk["status"], gone)
                chunk["status"] = [
                    "unfinished" if status == "running" and id_ in over else status
                    for id_, status in zip(chunk["trace_id"], chunk["status"], strict=True)
                ]
            yield chunk


def traces_newest_first() -> list[str]:
    """Return the ids of all traces, the newest first."""
    with reading() as connection:
        if connection is None:
            return []
        rows = connection.execute("SELECT trace_id FROM traces ORDER BY started_ns DESC, seq DESC")
        return [trace_id for (trace_id,) in rows]


def read_columns(columns: Sequence[str], trace_ids: Iterable[str], kinds: Sequence[str]) -> Rows:
    """Return some columns of the spans of some traces, in order of start within each trace.

    Args:
        columns: Of `SPAN_COLUMNS`.
        trace_ids: Whole ids.
        kinds: Only spans of these kinds.
    """
    with reading() as connection:
        if connection is None:
            return []
        # CROSS JOIN and + make SQLite look up the traces, rather than go through all spans of these kinds.
        return connection.execute(
            f"SELECT {', '.join(f's.{name}' for name in columns)} FROM json_each(?) AS wanted"
            " CROSS JOIN spans AS s ON s.trace_id = wanted.value"
            f" WHERE +s.kind IN ({', '.join('?' * len(kinds))}) ORDER BY s.trace_id, s.started_ns, s.seq",
            [dumps(list(trace_ids)).decode(), *kinds],
        ).fetchall()


def _spans_query(
    connection: sqlite3.Connection,
    trace_id: str | None,
    wanted: SpanFilter,
    gone: Sequence[str],
    columns: Sequence[str] = SPANS_READ,
) -> tuple[str, list[Any]]:
    selected = ", ".join(f"s.{name}" for name in columns)
    condition, values = wanted.sql(gone)
    if trace_id is not None:
        return (
            f"SELECT {selected} FROM spans AS s WHERE s.trace_id = ? AND {condition}"
            " ORDER BY s.started_ns, s.seq LIMIT ?",
            [trace_id, *values],
        )
    if wanted == SpanFilter():
        # CROSS JOIN makes SQLite go through the traces in order, rather than read all spans and sort them.
        return (
            f"SELECT {selected} FROM traces AS t CROSS JOIN spans AS s USING (trace_id)"
            " ORDER BY t.started_ns DESC, t.seq DESC, s.started_ns, s.seq LIMIT ?",
            [],
        )
    if wanted.session is not None:  # few traces: their spans lie together
        return (
            f"SELECT {selected} FROM spans AS s WHERE {condition} ORDER BY s.started_ns DESC, s.seq DESC LIMIT ?",
            values,
        )
    if wanted.kinds is None:  # the index is by kind
        condition, values = wanted._replace(kinds=_kinds(connection)).sql(gone)
    # The inner query reads the index alone, as long as no texts are searched.
    return (
        f"SELECT {selected} FROM spans AS s WHERE s.seq IN (SELECT s.seq FROM spans AS s INDEXED BY spans_by_kind"
        f" WHERE {condition} ORDER BY s.started_ns DESC, s.seq DESC LIMIT ?) ORDER BY s.started_ns DESC, s.seq DESC",
        values,
    )


def _kinds(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return all kinds of spans there are: one look into the index for each, rather than one for each span."""
    rows = connection.execute(
        "WITH RECURSIVE k(kind) AS (SELECT min(kind) FROM spans UNION ALL"
        " SELECT (SELECT min(kind) FROM spans WHERE kind > k.kind) FROM k WHERE k.kind IS NOT NULL)"
        " SELECT kind FROM k WHERE kind IS NOT NULL"
    )
    return tuple(kind for (kind,) in rows)


def gone_processes(connection: sqlite3.Connection) -> list[str]:
    """Return the processes that have ended and left traces unfinished."""
    rows = connection.execute("SELECT DISTINCT process FROM traces WHERE ended_ns IS NULL AND process IS NOT NULL")
    return [process for (process,) in rows if is_gone(process)]


def _with_unfinished(connection: sqlite3.Connection, rows: Rows, gone: Sequence[str]) -> Rows:
    """Return rows of spans in which those that run no more, though they never ended, are "unfinished"."""
    over = _over(connection, [row[0] for row in rows], [row[_SPAN_STATUS] for row in rows], gone)
    return [_with_status(row, _SPAN_STATUS, row[0] in over) for row in rows] if over else rows


def _over(
    connection: sqlite3.Connection, trace_ids: Sequence[str], statuses: Sequence[str], gone: Sequence[str]
) -> set[str]:
    """Return those of the traces of running spans that can't go on any more, as `SpanFilter` has it."""
    over = set()
    for trace_id in {id_ for id_, status in zip(trace_ids, statuses, strict=True) if status == "running"}:
        found = connection.execute("SELECT process, ended_ns FROM traces WHERE trace_id = ?", (trace_id,)).fetchone()
        if found is None or found[1] is not None or found[0] is None or found[0] in gone:
            over.add(trace_id)
    return over


def _with_status(row: tuple[Any, ...], place: int, over: bool) -> tuple[Any, ...]:
    if not over or row[place] not in ("running", None):
        return row
    return (*row[:place], "unfinished", *row[place + 1 :])


def find_trace(connection: sqlite3.Connection | None, given: str) -> str:
    """Return the whole id of a trace.

    Args:
        connection: To the store; None where there is none.
        given: The id, or the beginning of it.

    Raises:
        UserError: There is no such trace, or there are several.
    """
    if given == "no-op":
        raise UserError("That run was not recorded: tracing was disabled when it began.")
    rest = given.removeprefix("trace_")
    found = _ids_that_begin(connection, f"trace_{rest}") if connection and len(rest) >= _SHORTEST_PREFIX else []
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"More than one trace begins with {given!r}.", hint=f"Among them: {', '.join(found)}.")
    raise UserError(
        f"No trace {given!r} in {store_path()}.",
        hint="agentkit.traces() lists them; a trace_id, the beginning of one, or a run's result will do.",
    )


def _ids_that_begin(connection: sqlite3.Connection, prefix: str) -> list[str]:
    # A range rather than LIKE, whose _ and % would match more, and which can't use the index.
    rows = connection.execute(
        "SELECT trace_id FROM traces WHERE trace_id >= ? AND trace_id < ? ORDER BY trace_id LIMIT 3",
        (prefix, prefix + "\U0010ffff"),
    )
    return [trace_id for (trace_id,) in rows]


@contextmanager
def reading() -> Iterator[sqlite3.Connection | None]:
    """Give a connection that only reads, or None where there is no store yet.

    Raises:
        UserError: The file can't be read.
    """
    path = store_path()
    if not path.is_file():
        yield None
        return
    connection: sqlite3.Connection | None = None
    try:
        connection = open_to_read(path, timeout_s=_BUSY_TIMEOUT_S)
        if connection.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
            connection.close()
            Database(path).close()  # brings it up to date, or waits for who is at it
            connection = open_to_read(path, timeout_s=_BUSY_TIMEOUT_S)
        add_search(connection)
        yield connection
    except (sqlite3.Error, OSError, NewerSchemaError) as error:
        if _STOPPED_SEARCH in str(error):  # it raises nothing itself
            raise KeyboardInterrupt from None
        if isinstance(error, sqlite3.InterfaceError | sqlite3.ProgrammingError):
            raise UserError(f"The traces can't be looked for by these values ({error}).") from error
        hint = "Try again once others have done with it." if is_busy(error) else advice(error)
        raise UserError(f"The traces in {path} can't be read ({error}).", hint=hint) from error
    finally:
        if connection is not None:
            connection.close()


def _sql_limit(limit: int | None) -> int:
    return -1 if limit is None else min(limit, 2**63 - 1)
