"""Reads traces and spans back from the store, beside whoever is writing."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from agentkit.exceptions import UserError
from agentkit.tracing.database import FEEDBACK_COLUMNS, SCHEMA_VERSION, SPAN_COLUMNS, TRACE_COLUMNS, Database
from agentkit.tracing.store import store_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["SPANS_READ", "TRACES_READ", "TraceFilter", "read_feedback", "read_spans", "read_trace", "read_traces"]

Rows = list[tuple[Any, ...]]

SPANS_READ = tuple(
    name for name in SPAN_COLUMNS if name not in ("requests", "total_tokens", "cached_tokens", "reasoning_tokens")
)
"""The columns that `read_spans` gives."""

TRACES_READ = (*TRACE_COLUMNS, "rating", "remark")
"""The columns that `read_traces` gives: the last two are of the feedback on the trace, where there is any."""

_BUSY_TIMEOUT_S = 10.0
_SHORTEST_PREFIX = 4


class TraceFilter(NamedTuple):
    """Which traces to read; None is no condition."""

    agent: str | None = None
    """Only those that this agent took part in."""
    status: str | None = None
    """Only those that ended so."""
    since_ns: int | None = None
    """Only those that started at this time or later, in nanoseconds since 1970."""

    def sql(self) -> tuple[str, list[Any]]:
        """Return a condition and its values."""
        conditions: list[str] = ["1"]
        values: list[Any] = []
        if self.agent is not None:
            conditions.append("instr(char(10) || agents || char(10), char(10) || ? || char(10)) > 0")
            values.append(self.agent)
        if self.status is not None:
            conditions.append("coalesce(status, 'running') = ?")
            values.append(self.status)
        if self.since_ns is not None:
            conditions.append("started_ns >= ?")
            values.append(self.since_ns)
        return " AND ".join(conditions), values


def read_traces(wanted: TraceFilter, limit: int | None) -> Rows:
    """Return rows of `TRACES_READ`, the newest trace first; none where nothing was kept yet."""
    with _reading() as connection:
        if connection is None:
            return []
        condition, values = wanted.sql()
        return connection.execute(
            f"SELECT {', '.join(TRACES_READ)} FROM traces LEFT JOIN feedback USING (trace_id) WHERE {condition}"
            " ORDER BY started_ns DESC, seq DESC LIMIT ?",
            [*values, _sql_limit(limit)],
        ).fetchall()


def read_trace(trace_id: str) -> dict[str, Any]:
    """Return the row of one trace, by the names of `TRACE_COLUMNS`.

    Args:
        trace_id: The trace's id, or the beginning of it.

    Raises:
        UserError: There is no such trace, or there are several.
    """
    with _reading() as connection:
        found = _find_trace(connection, trace_id)
        if connection is None:
            raise AssertionError("a trace was found where there is no store")
        row = connection.execute(f"SELECT {', '.join(TRACE_COLUMNS)} FROM traces WHERE trace_id = ?", (found,))
        return dict(zip(TRACE_COLUMNS, row.fetchone(), strict=True))


def read_feedback(*, agent: str | None, rating: str | None, since_ns: int | None, limit: int | None) -> Rows:
    """Return rows of `FEEDBACK_COLUMNS` that agree with what is given, the newest first."""
    given = {"agent = ?": agent, "rating = ?": rating, "created_ns >= ?": since_ns}
    conditions = {condition: value for condition, value in given.items() if value is not None}
    with _reading() as connection:
        if connection is None:
            return []
        return connection.execute(
            f"SELECT {', '.join(FEEDBACK_COLUMNS)} FROM feedback WHERE {' AND '.join(['1', *conditions])}"
            " ORDER BY created_ns DESC, trace_id LIMIT ?",
            [*conditions.values(), _sql_limit(limit)],
        ).fetchall()


def read_spans(trace_id: str | None, *, kind: str | None, limit: int | None) -> Rows:
    """Return rows of `SPANS_READ`: of one trace, or of all with the newest first; in order of start within each.

    Args:
        trace_id: The trace, or the beginning of its id; None for all.
        kind: Only spans of this kind.
        limit: At most so many rows.

    Raises:
        UserError: There is no such trace, or there are several.
    """
    with _reading() as connection:
        conditions, values = ["1"], []
        if trace_id is not None:
            conditions.append("t.trace_id = ?")
            values.append(_find_trace(connection, trace_id))
        if connection is None:
            return []
        if kind is not None:
            conditions.append("s.kind = ?")
            values.append(kind)
        # CROSS JOIN makes SQLite go through the traces in order, rather than read all spans and sort them.
        return connection.execute(
            f"SELECT {', '.join(f's.{name}' for name in SPANS_READ)}"
            f" FROM traces AS t CROSS JOIN spans AS s USING (trace_id) WHERE {' AND '.join(conditions)}"
            " ORDER BY t.started_ns DESC, t.seq DESC, s.started_ns, s.seq LIMIT ?",
            [*values, _sql_limit(limit)],
        ).fetchall()


def _find_trace(connection: sqlite3.Connection | None, given: str) -> str:
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
def _reading() -> Iterator[sqlite3.Connection | None]:
    """Give a connection that only reads, or None where there is no store yet."""
    path = store_path()
    if not path.is_file():
        yield None
        return
    connection: sqlite3.Connection | None = None
    try:
        connection = _connect(path)
        if connection.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
            connection.close()
            Database(path).close()  # brings it up to date, or waits for who is at it
            connection = _connect(path)
        yield connection
    except (sqlite3.Error, OSError) as error:
        raise UserError(
            f"The traces in {path} can't be read ({error}).",
            hint="Is it damaged, move it away: the next run begins a new file.",
        ) from error
    finally:
        if connection is not None:
            connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT_S)


def _sql_limit(limit: int | None) -> int:
    return -1 if limit is None else limit
