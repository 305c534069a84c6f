"""The SQLite file of the traces: its tables, its versions, and how batches get in."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agentkit._home import make_private_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "FEEDBACK_COLUMNS",
    "SCHEMA_VERSION",
    "SPAN_COLUMNS",
    "TRACE_COLUMNS",
    "Batch",
    "Database",
    "NewerSchemaError",
    "set_aside",
]

_MIGRATIONS: tuple[tuple[str, ...], ...] = (
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
)
"""What to execute to get from each version of the schema to the next; version 0 is an empty file."""

SCHEMA_VERSION = len(_MIGRATIONS)

_USAGE = ("requests", "input_tokens", "output_tokens", "total_tokens", "cached_tokens", "reasoning_tokens")
_COUNTS = ("turns", "tool_calls", "handoffs", *_USAGE)
_NAMES = ("agents", "last_agent", "models")

TRACE_COLUMNS = (
    *("trace_id", "workflow", "group_id", "status", "started_ns", "ended_ns", *_NAMES, *_COUNTS),
    *("error", "input", "output", "metadata"),
)
SPAN_COLUMNS = (
    *("trace_id", "span_id", "parent_id", "depth", "kind", "name", "status", "started_ns", "ended_ns"),
    *("first_token_s", "model", *_USAGE, "error", "input", "output", "data"),
)
FEEDBACK_COLUMNS = (
    *("trace_id", "rating", "remark", "question", "answer", "agent", "model", "session_id", "created_ns"),
)

# A row without a status only adds to the counts: the trace neither started nor ended in that batch. A trace that is
# started again under its old id (a cell run twice) goes on where it was.
_TRACE_UPDATES = ", ".join(
    (
        "workflow = excluded.workflow",
        "group_id = coalesce(excluded.group_id, group_id)",
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
        *(f"{name} = coalesce(excluded.{name}, {name})" for name in ("input", "output", "metadata")),
    )
)
_SPAN_UPDATES = ", ".join(f"{name} = excluded.{name}" for name in SPAN_COLUMNS[2:])

_BUSY_TIMEOUT_S = 5.0
_CHUNKS = (512, 64, 8, 1)
"""Rows per statement. A statement lets go of the interpreter once; a statement for each row, beside a thread that is
busy, would wait for it thousands of times (measured: 1,000 rows a second, against 48,000)."""


class Batch(NamedTuple):
    """Rows to write in one transaction, in the order of `TRACE_COLUMNS` and `SPAN_COLUMNS`."""

    traces: list[tuple[Any, ...]]
    spans: list[tuple[Any, ...]]


class NewerSchemaError(Exception):
    """The file was written by a later agentkit than this."""


class Database:
    """A connection that writes. Makes the folder, the file and the tables where they are missing.

    Raises:
        OSError: The folder or the file can't be made.
        sqlite3.Error: The file can't be used.
        NewerSchemaError: A later agentkit wrote it.
    """

    def __init__(self, path: Path) -> None:
        make_private_file(path)
        self._path = path
        self._connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        try:
            self._prepare()
            self._identity = _identity(path)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")  # a killed process loses nothing; a power cut, the last moments
        run("PRAGMA journal_size_limit = 67108864")
        if self._version() != SCHEMA_VERSION:
            self._migrate()

    def _version(self) -> int:
        version: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
        return version

    def _migrate(self) -> None:
        run = self._connection.execute
        run("BEGIN IMMEDIATE")  # one process does it; the others wait here, and find it done
        try:
            version = self._version()
            if version > SCHEMA_VERSION:
                raise NewerSchemaError(f"version {version}, and this agentkit knows {SCHEMA_VERSION}")
            for statements in _MIGRATIONS[version:]:
                for statement in statements:
                    run(statement)
            run(f"PRAGMA user_version = {SCHEMA_VERSION}")
            run("COMMIT")
        except BaseException:
            _roll_back(self._connection)
            raise

    def is_current(self) -> bool:
        """Return whether the file that was opened is still the one at its path."""
        return self._identity == _identity(self._path)

    def write(self, batch: Batch) -> None:
        """Add the rows of `batch`, or bring them up to date, all or none.

        Raises:
            sqlite3.Error: Nothing was written.
        """
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        try:
            for sql, values in _statements("traces", TRACE_COLUMNS, "trace_id", _TRACE_UPDATES, batch.traces):
                run(sql, values)
            for sql, values in _statements("spans", SPAN_COLUMNS, "trace_id, span_id", _SPAN_UPDATES, batch.spans):
                run(sql, values)
            run("COMMIT")
        except BaseException:
            _roll_back(self._connection)
            raise

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

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def set_aside(path: Path) -> Path:
    """Rename a damaged file, with what SQLite keeps beside it, and return its new path.

    Raises:
        OSError: It can't be renamed.
    """
    stamp = f".corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"
    for beside in ("-wal", "-shm", ""):
        try:
            os.rename(f"{path}{beside}", f"{path}{stamp}{beside}")
        except FileNotFoundError:
            continue
    return Path(f"{path}{stamp}")


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


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # some errors, such as a full disk, have ended it already
        connection.execute("ROLLBACK")


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)
