"""Conversations in SQLite: in a file that several kernels may use at once, or in memory."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from agentkit._called_as import called_as
from agentkit._sqlite import transaction
from agentkit.sessions.finishing import in_thread
from agentkit.sessions.session import (
    Item,
    SessionABC,
    SessionSettings,
    check_session_id,
    effective_limit,
    encoded_item,
)
from agentkit.sessions.sqlite_file import IN_MEMORY, SQLiteFile
from agentkit.sessions.sqlite_tables import SessionInfo, SQLiteTables

__all__ = ["SQLiteSession"]

T = TypeVar("T")


class SQLiteSession(SessionABC):
    """A conversation in SQLite.

    It may be used from several threads and event loops at once, and a file by several processes. It is opened at its
    first use; closing it is optional. The file has the tables of the SDK's SQLiteSession, which can use it too.

    Args:
        session_id: Names the conversation.
        db_path: The file; in memory, and gone with the session object, when ":memory:". Folders that aren't there are
            made at its first use.
        sessions_table: Name of the table of conversations.
        messages_table: Name of the table of their items.
        session_settings: Such as how many items a run reads.

    Raises:
        UserError: The id, the path or a table's name can't be used.
    """

    @called_as("SQLiteSession")
    def __init__(
        self,
        session_id: str,
        db_path: str | Path = IN_MEMORY,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
        session_settings: SessionSettings | Mapping[str, Any] | None = None,
    ) -> None:
        self.session_id = check_session_id(session_id)
        self.db_path = db_path
        self.session_settings = SessionSettings.of(session_settings)
        self.sessions_table = sessions_table
        self.messages_table = messages_table
        self._tables = SQLiteTables(sessions_table, messages_table)
        self._file: SQLiteFile | None = SQLiteFile.at(db_path)

    async def get_items(self, limit: int | None = None) -> list[Item]:
        """Return the conversation, oldest first.

        Args:
            limit: Latest items wanted; that of `session_settings` when None. A call is never cut from its output, nor
                reasoning from what it led to, so that there may be fewer.

        Raises:
            UserError: The limit is negative, or the file can't be used.
        """
        limit = effective_limit(limit, self.session_settings)
        return await self._do(lambda connection: self._tables.read(connection, self.session_id, limit))

    async def add_items(self, items: list[Item]) -> None:
        """Append items, all of them or none. Cancelling waits until that is done.

        Raises:
            UserError: An item is no JSON object, or the file can't be used.
        """
        rows = [encoded_item(item) for item in items]
        if rows:
            await self._change(lambda connection: self._tables.append(connection, self.session_id, rows))

    async def pop_item(self) -> Item | None:
        """Take the latest item away and return it; None where there is none."""
        return await self._change(lambda connection: self._tables.pop(connection, self.session_id))

    async def clear_session(self) -> None:
        """Take all items away."""
        await self._change(lambda connection: self._tables.delete(connection, self.session_id))

    async def replace_items(self, items: list[Item], *, expected: list[Item] | None = None) -> bool:
        """Put `items` in place of the conversation, in one transaction. See `SessionABC.replace_items`."""
        rows = [encoded_item(item) for item in items]
        return await self._change(lambda connection: self._tables.replace(connection, self.session_id, rows, expected))

    def with_id(self, session_id: str) -> SQLiteSession:
        """Return the conversation of another id in the same file or memory."""
        new = SQLiteSession(session_id, self.db_path, self.sessions_table, self.messages_table, self.session_settings)
        new._file = self._opened()
        return new

    async def branch(self, at: int | str = -1, session_id: str | None = None) -> SQLiteSession:
        """Return a new conversation that begins with this one up to an item. This one stays as it is.

        Args:
            at: Index of the last item that it takes with it, from the end where negative; or that item's id, or the id
                of a call for its output. What the cut halves, such as a call without its output, is left out.
            session_id: Id of the new conversation; made up when None.

        Raises:
            UserError: There is no such item, or the id is taken.
        """
        new = self.with_id(check_session_id(session_id, made_up=True))
        await self._change(lambda connection: self._tables.copy(connection, self.session_id, new.session_id, at))
        return new

    @classmethod
    async def sessions(
        cls,
        db_path: str | Path,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
    ) -> list[SessionInfo]:
        """Return the conversations in a file, that used last first; none where there is no file."""
        if not os.path.exists(os.path.expanduser(db_path)):  # noqa: ASYNC240 (a look at a local file)
            return []
        store = SQLiteSession("-", db_path, sessions_table, messages_table)
        return await store._do(store._tables.listed)

    @classmethod
    async def delete_session(
        cls,
        db_path: str | Path,
        session_id: str,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
    ) -> bool:
        """Delete a conversation from a file, and return whether there was one."""
        if not os.path.exists(os.path.expanduser(db_path)):  # noqa: ASYNC240 (a look at a local file)
            return False
        store = SQLiteSession(session_id, db_path, sessions_table, messages_table)
        return await store._change(lambda connection: store._tables.delete(connection, session_id))

    def close(self) -> None:
        """Let go of the file. It is opened again when it is used again; what was in memory is gone."""
        self._file = None

    def _opened(self) -> SQLiteFile:
        if self._file is None:
            self._file = SQLiteFile.at(self.db_path)
        return self._file

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` gives, done in a thread."""
        file = self._opened()
        return await in_thread(lambda: file.do(self._tables.prepare, work))

    async def _change(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` gives, done in a thread, in a transaction."""

        def whole(connection: sqlite3.Connection) -> T:
            with transaction(connection):
                return work(connection)

        return await self._do(whole)

    def __repr__(self) -> str:
        return f"SQLiteSession({self.session_id!r}, {str(self.db_path)!r})"
