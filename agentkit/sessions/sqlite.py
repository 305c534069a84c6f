"""Conversations in SQLite: in a file that several kernels may use at once, or in memory."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from agentkit import _json
from agentkit._home import make_private_file
from agentkit.exceptions import UserError
from agentkit.sessions.session import Item, SessionABC, SessionSettings, branch_point, check_session_id, encoded_item
from agentkit.sessions.whole import whole_items

__all__ = ["SQLiteSession", "SessionInfo"]

T = TypeVar("T")

_BUSY_MS = 10_000
"""How long a write waits for another process's."""


@dataclass(frozen=True)
class SessionInfo:
    """A conversation of a store, in short."""

    session_id: str
    """Its id."""
    items: int
    """How many items it has."""
    started_with: str
    """What the user said first, shortened."""
    created_at: datetime
    """When it began, UTC."""
    updated_at: datetime
    """When something was last added or taken away, UTC."""


class SQLiteSession(SessionABC):
    """A conversation in SQLite.

    It may be used from several threads and event loops at once, and a file by several processes. It is opened at its
    first use; closing it is optional.

    Args:
        session_id: Names the conversation.
        db_path: The file; in memory, and gone with the session object, when ":memory:".
        sessions_table: Name of the table of conversations.
        messages_table: Name of the table of their items.
        session_settings: Such as how many items a run reads.

    Raises:
        UserError: The id or a table's name can't be used.
    """

    def __init__(
        self,
        session_id: str,
        db_path: str | Path = ":memory:",
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
        session_settings: SessionSettings | None = None,
    ) -> None:
        self.session_id = check_session_id(session_id)
        self.db_path = db_path
        self.session_settings = session_settings
        for name in (sessions_table, messages_table):
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise UserError(f"A table can't be named {name!r}.", hint="Use letters, digits and underscores.")
        self.sessions_table = sessions_table
        self.messages_table = messages_table
        self._store = _Store(db_path, sessions_table, messages_table)

    async def get_items(self, limit: int | None = None) -> list[Item]:
        """Return the conversation, oldest first.

        Args:
            limit: Latest items wanted; that of `session_settings` when None. A call is never cut from its output, nor
                reasoning from what it led to, so that there may be fewer.

        Raises:
            UserError: The file can't be used.
        """
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        rows = await self._do(lambda store: store.read(self.session_id, limit))
        items = [_json.loads(row) for row in rows]
        return items if limit is None else whole_items(items)

    async def add_items(self, items: list[Item]) -> None:
        """Append items, all of them or none.

        Raises:
            UserError: An item is no JSON object, or the file can't be used.
        """
        rows = [encoded_item(item) for item in items]
        if rows:
            await self._do(lambda store: store.append(self.session_id, rows))

    async def pop_item(self) -> Item | None:
        """Take the latest item away and return it; None where there is none."""
        row = await self._do(lambda store: store.pop(self.session_id))
        return None if row is None else _json.loads(row)

    async def clear_session(self) -> None:
        """Take all items away."""
        await self._do(lambda store: store.delete(self.session_id))

    async def replace_items(self, items: list[Item]) -> None:
        """Put `items` in place of the whole conversation, in one transaction."""
        rows = [encoded_item(item) for item in items]
        await self._do(lambda store: store.replace(self.session_id, rows))

    async def branch(self, at: int | str = -1, session_id: str | None = None) -> SQLiteSession:
        """Return a new conversation that begins with this one up to an item. This one stays as it is.

        Args:
            at: Index of the last item that it takes with it, from the end where negative; or that item's id.
            session_id: Id of the new conversation; made up when None.

        Raises:
            UserError: There is no such item, or the id is taken.
        """
        new = SQLiteSession(
            check_session_id(session_id), self.db_path, self.sessions_table, self.messages_table, self.session_settings
        )
        new._store = self._store
        items = [_json.loads(row) for row in await self._do(lambda store: store.read(self.session_id, None))]
        count = branch_point(items, at)
        await self._do(lambda store: store.copy(self.session_id, new.session_id, count))
        return new

    @classmethod
    async def sessions(
        cls,
        db_path: str | Path,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
    ) -> list[SessionInfo]:
        """Return the conversations in a file, that used last first."""
        if not os.path.exists(os.path.expanduser(db_path)):  # noqa: ASYNC240 (a look at a local file)
            return []
        session = cls("list", db_path, sessions_table, messages_table)
        rows = await session._do(lambda store: store.list())
        session.close()
        return [_info(row) for row in rows]

    def close(self) -> None:
        """Close the file. It is opened again when it is used again; what was in memory is gone."""
        self._store.close()

    async def _do(self, work: Callable[[_Store], T]) -> T:
        """Return what `work` gives, done in a thread: cancelling gives up waiting, the work itself is done whole."""
        return await asyncio.get_running_loop().run_in_executor(None, self._store.locked, work)

    def __repr__(self) -> str:
        return f"SQLiteSession({self.session_id!r}, {str(self.db_path)!r})"


class _Store:
    """The file, or the memory, and the statements."""

    def __init__(self, db_path: str | Path, sessions: str, messages: str) -> None:
        self.path = str(db_path) if str(db_path) == ":memory:" else str(Path(db_path).expanduser())
        self.sessions = sessions
        self.messages = messages
        self.lock = threading.Lock()
        self.connection: sqlite3.Connection | None = None
        self.pid = 0
        self._closing: weakref.finalize[Any, Any] | None = None

    def locked(self, work: Callable[[_Store], T]) -> T:
        with self.lock:
            try:
                return work(self)
            except sqlite3.DatabaseError as error:
                raise UserError(
                    f"The session can't be kept in {self.path}: {error}.",
                    hint="Is it a SQLite file, in a folder that can be written to?",
                ) from error

    def open(self) -> sqlite3.Connection:
        if self.connection is not None and self.pid == os.getpid():
            return self.connection
        if self.path != ":memory:":
            try:
                make_private_file(Path(self.path))
            except OSError as error:
                raise UserError(f"The session's file {self.path} can't be made: {error.strerror}.") from error
        connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self.connection, self.pid = connection, os.getpid()
        self._closing = weakref.finalize(self, connection.close)
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        if self.path != ":memory:":
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {self.sessions} (session_id TEXT PRIMARY KEY,"
            " created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)"
        )
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {self.messages} (id INTEGER PRIMARY KEY AUTOINCREMENT,"
            " session_id TEXT NOT NULL, message_data TEXT NOT NULL, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)"
        )
        connection.execute(
            f"CREATE INDEX IF NOT EXISTS idx_{self.messages}_session_id ON {self.messages} (session_id, id)"
        )

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that is kept whole or not at all."""
        connection = self.open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def read(self, session_id: str, limit: int | None) -> list[str]:
        rows = self.open().execute(
            f"SELECT message_data FROM {self.messages} WHERE session_id = ? ORDER BY id DESC LIMIT ?",
            (session_id, -1 if limit is None else limit),
        )
        return [row[0] for row in rows][::-1]

    def append(self, session_id: str, rows: list[str]) -> None:
        with self.writing() as connection:
            self._insert(connection, session_id, rows)

    def replace(self, session_id: str, rows: list[str]) -> None:
        with self.writing() as connection:
            connection.execute(f"DELETE FROM {self.messages} WHERE session_id = ?", (session_id,))
            self._insert(connection, session_id, rows)

    def _insert(self, connection: sqlite3.Connection, session_id: str, rows: list[str]) -> None:
        self._touch(connection, session_id)
        connection.executemany(
            f"INSERT INTO {self.messages} (session_id, message_data) VALUES (?, ?)",
            [(session_id, row) for row in rows],
        )

    def pop(self, session_id: str) -> str | None:
        with self.writing() as connection:
            row = connection.execute(
                f"DELETE FROM {self.messages} WHERE id = (SELECT MAX(id) FROM {self.messages} WHERE session_id = ?)"
                " RETURNING message_data",
                (session_id,),
            ).fetchone()
            if row is not None:
                self._touch(connection, session_id)
        return None if row is None else str(row[0])

    def delete(self, session_id: str) -> None:
        with self.writing() as connection:
            connection.execute(f"DELETE FROM {self.messages} WHERE session_id = ?", (session_id,))
            connection.execute(f"DELETE FROM {self.sessions} WHERE session_id = ?", (session_id,))

    def copy(self, source: str, target: str, count: int) -> None:
        with self.writing() as connection:
            taken = f"SELECT 1 FROM {self.messages} WHERE session_id = ? LIMIT 1"
            if connection.execute(taken, (target,)).fetchone():
                raise UserError(f"There is a session {target!r} already.", hint="Give the branch another id.")
            self._touch(connection, target)
            connection.execute(
                f"INSERT INTO {self.messages} (session_id, message_data, created_at) SELECT ?, message_data, created_at"
                f" FROM {self.messages} WHERE session_id = ? ORDER BY id LIMIT ?",
                (target, source, count),
            )

    def list(self) -> list[tuple[Any, ...]]:
        first = (
            f"(SELECT message_data FROM {self.messages} AS m WHERE m.session_id = s.session_id"
            " AND json_extract(message_data, '$.role') = 'user' ORDER BY id LIMIT 1)"
        )
        counted = f"(SELECT COUNT(*) FROM {self.messages} AS m WHERE m.session_id = s.session_id)"
        return (
            self.open()
            .execute(
                f"SELECT session_id, {counted}, {first}, created_at, updated_at FROM {self.sessions} AS s"
                " ORDER BY updated_at DESC, rowid DESC"
            )
            .fetchall()
        )

    def _touch(self, connection: sqlite3.Connection, session_id: str) -> None:
        connection.execute(
            f"INSERT INTO {self.sessions} (session_id) VALUES (?)"
            " ON CONFLICT (session_id) DO UPDATE SET updated_at = CURRENT_TIMESTAMP",
            (session_id,),
        )

    def close(self) -> None:
        with self.lock:
            if self._closing is not None and self.pid == os.getpid():
                self._closing()
            self.connection = self._closing = None


def _info(row: tuple[Any, ...]) -> SessionInfo:
    session_id, count, first, created, updated = row
    content = _json.loads(first).get("content", "") if first else ""
    if isinstance(content, list):
        content = " ".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    said = " ".join(str(content).split())
    return SessionInfo(session_id, count, said if len(said) <= 60 else f"{said[:59]}…", _time(created), _time(updated))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")
