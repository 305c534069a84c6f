"""The SQLite file of the traces: its tables, its versions, and how batches get in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from agentkit._sqlite import file_identity, migrate, open_shared, transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

__all__ = [
    "FEEDBACK_COLUMNS",
    "MIGRATIONS",
    "NOTE_COLUMNS",
    "SCHEMA_VERSION",
    "SPAN_COLUMNS",
    "TRACE_COLUMNS",
    "USAGE_COLUMNS",
    "Batch",
    "Database",
]

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Times are nanoseconds since 1970. `error`, `input`, `output`, `metadata` and `data` are JSON text. The counts
        # of a trace are sums over its spans, kept up as they end: a list of runs then needs no look at their spans.
        # `agents` and `models` are names, one a line, in order of their first appearance; repeats are possible.
        """CREATE TABLE traces (
            seq INTEGER PRIMARY KEY, trace_id TEXT NOT NULL UNIQUE, workflow TEXT, group_id TEXT, status TEXT,
            started_ns INTEGER NOT NULL, ended_ns INTEGER, agents TEXT, last_agent TEXT, models TEXT,
            turns INTEGER NOT NULL, tool_calls INTEGER NOT NULL, handoffs INTEGER NOT NULL, requests INTEGER NOT NULL,
            input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, total_tokens INTEGER NOT NULL,
            cached_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,
            error TEXT, input TEXT, output TEXT, metadata TEXT)""",
        "CREATE INDEX traces_by_start ON traces (started_ns)",
        # The ids of one trace's spans lie together in the index: a big store takes new ones as fast as a small one.
        """CREATE TABLE spans (
            seq INTEGER PRIMARY KEY, trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT,
            depth INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT, status TEXT NOT NULL,
            started_ns INTEGER NOT NULL, ended_ns INTEGER, first_token_s REAL, model TEXT,
            requests INTEGER, input_tokens INTEGER, output_tokens INTEGER, total_tokens INTEGER,
            cached_tokens INTEGER, reasoning_tokens INTEGER,
            error TEXT, input TEXT, output TEXT, data TEXT, UNIQUE (trace_id, span_id))""",
    ),
    (
        # What a reader thought of an answer. Kept apart from the traces: it outlives them, and needs none.
        """CREATE TABLE feedback (
            trace_id TEXT PRIMARY KEY NOT NULL, rating TEXT NOT NULL, remark TEXT NOT NULL, question TEXT NOT NULL,
            answer TEXT NOT NULL, agent TEXT NOT NULL, model TEXT NOT NULL, session_id TEXT NOT NULL,
            created_ns INTEGER NOT NULL) WITHOUT ROWID""",
        "CREATE INDEX feedback_by_time ON feedback (created_ns)",
    ),
    (
        # Both tables are made anew, rather than altered: long texts come last in a row, so that nothing else has to be
        # looked for behind them. `process` tells whether a trace that never ended still can; `cost_usd` is the sum of
        # the calls that have a price, `unpriced` counts the others; `cut` is the bytes that were too many to keep.
        """CREATE TABLE traces_3 (
            seq INTEGER PRIMARY KEY, trace_id TEXT NOT NULL UNIQUE, workflow TEXT, group_id TEXT, session_id TEXT,
            status TEXT, process TEXT, started_ns INTEGER NOT NULL, ended_ns INTEGER,
            agents TEXT, last_agent TEXT, models TEXT,
            turns INTEGER NOT NULL, tool_calls INTEGER NOT NULL, handoffs INTEGER NOT NULL, requests INTEGER NOT NULL,
            input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, total_tokens INTEGER NOT NULL,
            cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,
            cost_usd REAL, unpriced INTEGER NOT NULL, cut INTEGER,
            error TEXT, input TEXT, output TEXT, metadata TEXT)""",
        """INSERT INTO traces_3 SELECT seq, trace_id, workflow, group_id, NULL, status, NULL, started_ns, ended_ns,
            agents, last_agent, models, turns, tool_calls, handoffs, requests, input_tokens, output_tokens,
            total_tokens, cached_tokens, 0, reasoning_tokens, NULL, requests, NULL, error, input, output, metadata
            FROM traces""",
        """CREATE TABLE spans_3 (
            seq INTEGER PRIMARY KEY, trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT,
            depth INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT, agent TEXT, status TEXT NOT NULL,
            started_ns INTEGER NOT NULL, ended_ns INTEGER, first_token_s REAL, model TEXT,
            requests INTEGER, input_tokens INTEGER, output_tokens INTEGER, total_tokens INTEGER,
            cached_tokens INTEGER, cache_write_tokens INTEGER, reasoning_tokens INTEGER,
            cost_usd REAL, request_key TEXT, cut INTEGER,
            error TEXT, input TEXT, output TEXT, data TEXT, UNIQUE (trace_id, span_id))""",
        """INSERT INTO spans_3 SELECT s.seq, s.trace_id, s.span_id, s.parent_id, s.depth, s.kind, s.name,
            CASE s.kind WHEN 'agent' THEN s.name ELSE a.name END, s.status,
            s.started_ns, s.ended_ns, s.first_token_s, s.model,
            s.requests, s.input_tokens, s.output_tokens, s.total_tokens, s.cached_tokens, NULL, s.reasoning_tokens,
            NULL, NULL, NULL, s.error, s.input, s.output, s.data
            FROM spans AS s LEFT JOIN spans AS a
            ON a.trace_id = s.trace_id AND a.span_id = s.parent_id AND a.kind = 'agent'""",
        "DROP TABLE spans",
        "DROP TABLE traces",
        "ALTER TABLE traces_3 RENAME TO traces",
        "ALTER TABLE spans_3 RENAME TO spans",
        "CREATE INDEX traces_by_start ON traces (started_ns)",
        "CREATE INDEX traces_by_session ON traces (session_id) WHERE session_id IS NOT NULL",
        "CREATE INDEX traces_under_way ON traces (process) WHERE ended_ns IS NULL",
        # What spans are looked for by is all in here, so that a search reads no row that it doesn't want.
        "CREATE INDEX spans_by_kind ON spans (kind, started_ns, name, model, agent, status)",
        # What model calls send beside their messages: instructions, tools, settings. Once for all that send the same.
        "CREATE TABLE requests (key TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL) WITHOUT ROWID",
        # What a reader noted on a trace, or on one of its spans.
        """CREATE TABLE notes (
            trace_id TEXT NOT NULL, span_id TEXT NOT NULL, mark TEXT NOT NULL, comment TEXT NOT NULL,
            created_ns INTEGER NOT NULL, PRIMARY KEY (trace_id, span_id)) WITHOUT ROWID""",
    ),
)
"""What to execute to get from each version of the schema to the next; version 0 is an empty file."""

SCHEMA_VERSION = len(MIGRATIONS)

USAGE_COLUMNS = (
    *("requests", "input_tokens", "output_tokens", "total_tokens", "cached_tokens", "cache_write_tokens"),
    "reasoning_tokens",
)
_COUNTS = ("turns", "tool_calls", "handoffs", *USAGE_COLUMNS, "unpriced")
_NAMES = ("agents", "last_agent", "models")

TRACE_COLUMNS = (
    *("trace_id", "workflow", "group_id", "session_id", "status", "process", "started_ns", "ended_ns", *_NAMES),
    *(*_COUNTS, "cost_usd", "cut", "error", "input", "output", "metadata"),
)
SPAN_COLUMNS = (
    *("trace_id", "span_id", "parent_id", "depth", "kind", "name", "agent", "status", "started_ns", "ended_ns"),
    *("first_token_s", "model", *USAGE_COLUMNS, "cost_usd", "request_key", "cut", "error", "input", "output", "data"),
)
FEEDBACK_COLUMNS = (
    *("trace_id", "rating", "remark", "question", "answer", "agent", "model", "session_id", "created_ns"),
)

NOTE_COLUMNS = ("trace_id", "span_id", "mark", "comment", "created_ns")

# A row without a status only adds to the counts: the trace neither started nor ended in that batch. A trace that is
# started again under its old id (a cell run twice) goes on where it was.
_TRACE_UPDATES = ", ".join(
    (
        "workflow = excluded.workflow",
        "group_id = coalesce(excluded.group_id, group_id)",
        "session_id = coalesce(excluded.session_id, session_id)",
        "process = coalesce(excluded.process, process)",
        "started_ns = min(started_ns, excluded.started_ns)",
        "ended_ns = CASE excluded.status WHEN 'running' THEN NULL ELSE coalesce(excluded.ended_ns, ended_ns) END",
        "error = CASE WHEN excluded.status IS NULL THEN error ELSE excluded.error END",
        "status = coalesce(excluded.status, status)",
        "agents = CASE WHEN excluded.agents IS NULL THEN agents WHEN agents IS NULL THEN excluded.agents"
        " ELSE agents || char(10) || excluded.agents END",
        "last_agent = coalesce(excluded.last_agent, last_agent)",
        "models = CASE WHEN excluded.models IS NULL THEN models WHEN models IS NULL THEN excluded.models"
        " ELSE models || char(10) || excluded.models END",
        *(f"{name} = {name} + excluded.{name}" for name in _COUNTS),
        *(
            f"{name} = CASE WHEN excluded.{name} IS NULL THEN {name} ELSE coalesce({name}, 0) + excluded.{name} END"
            for name in ("cost_usd", "cut")
        ),
        *(f"{name} = coalesce(excluded.{name}, {name})" for name in ("input", "output", "metadata")),
    )
)
_SPAN_UPDATES = ", ".join(f"{name} = excluded.{name}" for name in SPAN_COLUMNS[2:])

_BUSY_TIMEOUT_S = 5.0
_CHUNKS = (1024, 128, 16, 1)
"""Rows per statement. A statement lets go of the interpreter once; a statement for each row, beside a thread that is
busy, would wait for it thousands of times (measured: 1,000 rows a second, against 48,000)."""


class Batch(NamedTuple):
    """What to write in one transaction."""

    traces: list[tuple[Any, ...]]
    """Rows, in the order of `TRACE_COLUMNS`."""
    spans: list[tuple[Any, ...]]
    """Rows, in the order of `SPAN_COLUMNS`."""
    requests: dict[str, str]
    """What model calls sent beside their messages, as JSON, by key."""


class Database:
    """A connection that writes. Makes the folder, the file and the tables where they are missing.

    Raises:
        OSError: The folder or the file can't be made.
        sqlite3.Error: The file can't be used.
        NewerSchemaError: A later agentkit wrote it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_shared(path, timeout_s=_BUSY_TIMEOUT_S)
        try:
            self._connection.execute("PRAGMA journal_size_limit = 67108864")
            # Ids are random, so their index changes all over: fewer pages are written where many changes meet first.
            self._connection.execute("PRAGMA cache_size = -32768")  # KiB
            self._connection.execute("PRAGMA wal_autocheckpoint = 16384")  # pages
            migrate(self._connection, MIGRATIONS)
        except BaseException:
            self._connection.close()
            raise
        self._identity = file_identity(path)

    def is_current(self) -> bool:
        """Return whether the file that was opened is still the one at its path."""
        return self._identity == file_identity(self._path)

    def write(self, batch: Batch) -> None:
        """Add the rows of `batch`, or bring them up to date, all or none.

        Raises:
            sqlite3.Error: Nothing was written.
        """
        with transaction(self._connection) as connection:
            for sql, values in _statements("traces", TRACE_COLUMNS, "trace_id", _TRACE_UPDATES, batch.traces):
                connection.execute(sql, values)
            for sql, values in _statements("spans", SPAN_COLUMNS, "trace_id, span_id", _SPAN_UPDATES, batch.spans):
                connection.execute(sql, values)
            for request in batch.requests.items():
                connection.execute("INSERT OR IGNORE INTO requests (key, body) VALUES (?, ?)", request)

    def changing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Give the connection, in a transaction that is kept whole or not at all."""
        return transaction(self._connection)

    def compact(self) -> None:
        """Write the file anew, without the gaps in it.

        Raises:
            sqlite3.OperationalError: Somebody is using it, or there is no room.
        """
        self._connection.execute("VACUUM")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def put_feedback(self, row: tuple[Any, ...]) -> None:
        """Keep a row of `FEEDBACK_COLUMNS`, in place of the one that its trace may have.

        Raises:
            sqlite3.Error: It wasn't written.
        """
        columns = ", ".join(FEEDBACK_COLUMNS)
        marks = ", ".join("?" * len(FEEDBACK_COLUMNS))
        self._connection.execute(f"INSERT OR REPLACE INTO feedback ({columns}) VALUES ({marks})", row)

    def drop_feedback(self, trace_id: str) -> None:
        """Forget the feedback on a trace, if there is any.

        Raises:
            sqlite3.Error: It can't be written.
        """
        self._connection.execute("DELETE FROM feedback WHERE trace_id = ?", (trace_id,))

    def put_note(self, row: tuple[Any, ...]) -> None:
        """Keep a row of `NOTE_COLUMNS`, in place of the one that its trace or span may have.

        Raises:
            sqlite3.Error: It wasn't written.
        """
        self._connection.execute(
            f"INSERT OR REPLACE INTO notes ({', '.join(NOTE_COLUMNS)}) VALUES (?, ?, ?, ?, ?)", row
        )

    def drop_note(self, trace_id: str, span_id: str) -> None:
        """Forget the note on a span, or, where that is "", on a trace, if there is any.

        Raises:
            sqlite3.Error: It can't be written.
        """
        self._connection.execute("DELETE FROM notes WHERE trace_id = ? AND span_id = ?", (trace_id, span_id))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _statements(
    table: str, columns: Sequence[str], key: str, updates: str, rows: list[tuple[Any, ...]]
) -> Iterator[tuple[str, list[Any]]]:
    one = f"({', '.join('?' * len(columns))})"
    start = 0
    for size in _CHUNKS:
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * size)}"
        sql += f" ON CONFLICT ({key}) DO UPDATE SET {updates}"
        while len(rows) - start >= size:
            yield sql, [value for row in rows[start : start + size] for value in row]
            start += size
