"""The two tables that conversations are kept in, and the statements on them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agentkit import _json
from agentkit._repr import fields_repr
from agentkit.exceptions import UserError
from agentkit.sessions.session import Item, branch_index
from agentkit.sessions.whole import latest_whole, whole_items

__all__ = ["SQLiteTables", "SessionInfo", "session_info"]

_NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
_ROWS_AT_ONCE = 256
"""Rows a statement: each lets go of the interpreter once, and beside a busy thread has to wait for it."""


@dataclass(frozen=True)
class SessionInfo:
    """A conversation of a store, in short."""

    __repr__ = fields_repr

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


@dataclass(frozen=True)
class SQLiteTables:
    """The tables, by their names. All methods but `prepare` and the reading ones need an open transaction.

    Raises:
        UserError: A table can't have that name.
    """

    sessions: str
    """Name of the table of conversations."""
    messages: str
    """Name of the table of their items."""

    def __post_init__(self) -> None:
        for name in (self.sessions, self.messages):
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise UserError(f"A table can't be named {name!r}.", hint="Use letters, digits and underscores.")

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Make the tables where they are missing. Their columns are those of the SDK's SQLiteSession."""
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {self.sessions} (session_id TEXT PRIMARY KEY,"
            " created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)"
        )
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {self.messages} (id INTEGER PRIMARY KEY AUTOINCREMENT,"
            " session_id TEXT NOT NULL, message_data TEXT NOT NULL, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,"
            f" FOREIGN KEY (session_id) REFERENCES {self.sessions} (session_id) ON DELETE CASCADE)"
        )
        connection.execute(
            f"CREATE INDEX IF NOT EXISTS idx_{self.messages}_session_id ON {self.messages} (session_id, id)"
        )

    def read(self, connection: sqlite3.Connection, session_id: str, limit: int | None) -> list[Item]:
        """Return the conversation, oldest first; the latest whole items up to a limit."""
        if limit is None:
            sql = f"SELECT message_data FROM {self.messages} WHERE session_id = ? ORDER BY id"
            return [_json.loads(row[0]) for row in connection.execute(sql, (session_id,)).fetchall()]
        return latest_whole((item for _, item in self._backwards(connection, session_id)), limit)

    def append(self, connection: sqlite3.Connection, session_id: str, rows: list[str]) -> None:
        """Add items, given as JSON."""
        self.touch(connection, session_id)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            chunk = rows[start : start + _ROWS_AT_ONCE]
            connection.execute(
                f"INSERT INTO {self.messages} (session_id, message_data) VALUES {', '.join(['(?, ?)'] * len(chunk))}",
                [value for row in chunk for value in (session_id, row)],
            )

    def pop(self, connection: sqlite3.Connection, session_id: str) -> Item | None:
        """Take the latest item away and return it."""
        row = connection.execute(
            f"DELETE FROM {self.messages} WHERE id = (SELECT MAX(id) FROM {self.messages} WHERE session_id = ?)"
            " RETURNING message_data",
            (session_id,),
        ).fetchone()
        if row is None:
            return None
        self.touch(connection, session_id)
        item: Item = _json.loads(row[0])
        return item

    def delete(self, connection: sqlite3.Connection, session_id: str) -> bool:
        """Delete the conversation; return whether there was one."""
        connection.execute(f"DELETE FROM {self.messages} WHERE session_id = ?", (session_id,))
        deleted = connection.execute(f"DELETE FROM {self.sessions} WHERE session_id = ?", (session_id,))
        return deleted.rowcount > 0

    def replace(
        self, connection: sqlite3.Connection, session_id: str, rows: list[str], expected: list[Item] | None
    ) -> bool:
        """Put `rows` in place of the conversation, or of its beginning if that is `expected`; return whether it was."""
        here = connection.execute(
            f"SELECT message_data, created_at FROM {self.messages} WHERE session_id = ? ORDER BY id", (session_id,)
        ).fetchall()
        replaced = len(here) if expected is None else len(expected)
        if expected is not None and [_json.loads(row[0]) for row in here[:replaced]] != expected:
            return False
        connection.execute(f"DELETE FROM {self.messages} WHERE session_id = ?", (session_id,))
        self.append(connection, session_id, rows)
        connection.executemany(
            f"INSERT INTO {self.messages} (session_id, message_data, created_at) VALUES (?, ?, ?)",
            [(session_id, *row) for row in here[replaced:]],
        )
        return True

    def copy(self, connection: sqlite3.Connection, source: str, target: str, at: int | str) -> None:
        """Make `target` the conversation `source` up to an item, but for what the cut would halve.

        Raises:
            UserError: There is no such item, or `target` has items.
        """
        if connection.execute(f"SELECT 1 FROM {self.messages} WHERE session_id = ? LIMIT 1", (target,)).fetchone():
            raise UserError(f"There is a session {target!r} already.", hint="Give the branch another id.")
        last = self._place(connection, source, at)
        halved = self._halved_by(connection, source, last)
        self.touch(connection, target)
        connection.execute(
            f"INSERT INTO {self.messages} (session_id, message_data, created_at) SELECT ?, message_data, created_at"
            f" FROM {self.messages} WHERE session_id = ? AND id <= ?"
            f" AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY id",
            (target, source, last, _json.dumps(halved).decode()),
        )

    def listed(self, connection: sqlite3.Connection) -> list[SessionInfo]:
        """Return the conversations, that used last first."""
        first = (
            f"(SELECT message_data FROM {self.messages} AS m WHERE m.session_id = s.session_id"
            " AND json_valid(message_data) AND json_extract(message_data, '$.role') = 'user' ORDER BY id LIMIT 1)"
        )
        counted = f"(SELECT COUNT(*) FROM {self.messages} AS m WHERE m.session_id = s.session_id)"
        rows = connection.execute(
            f"SELECT session_id, {counted}, {first}, created_at, updated_at FROM {self.sessions} AS s"
            " ORDER BY updated_at DESC, rowid DESC"
        ).fetchall()
        return [session_info(*row) for row in rows]

    def touch(self, connection: sqlite3.Connection, session_id: str) -> None:
        """Note that the conversation is there and has changed."""
        connection.execute(
            f"INSERT INTO {self.sessions} (session_id, updated_at) VALUES (?, {_NOW})"
            f" ON CONFLICT (session_id) DO UPDATE SET updated_at = {_NOW}",
            (session_id,),
        )

    def _backwards(
        self, connection: sqlite3.Connection, session_id: str, last: int | None = None
    ) -> Iterator[tuple[int, Item]]:
        rows = connection.execute(
            f"SELECT id, message_data FROM {self.messages} WHERE session_id = ? AND id <= ? ORDER BY id DESC",
            (session_id, 2**62 if last is None else last),
        )
        for number, row in rows:
            yield number, _json.loads(row)

    def _place(self, connection: sqlite3.Connection, session_id: str, at: int | str) -> int:
        """Return the row of an item."""
        mine = f"FROM {self.messages} WHERE session_id = ?"
        if isinstance(at, str):
            found: int | None = connection.execute(
                f"SELECT MAX(id) {mine} AND json_valid(message_data) AND ? IN"
                " (json_extract(message_data, '$.id'), json_extract(message_data, '$.call_id'))",
                (session_id, at),
            ).fetchone()[0]
            if found is None:
                raise UserError(f"No item of the conversation has the id {at!r}.")
            return found
        count = connection.execute(f"SELECT COUNT(*) {mine}", (session_id,)).fetchone()[0]
        place = (session_id, branch_index(count, at))
        row: int = connection.execute(f"SELECT id {mine} ORDER BY id LIMIT 1 OFFSET ?", place).fetchone()[0]
        return row

    def _halved_by(self, connection: sqlite3.Connection, session_id: str, last: int) -> list[int]:
        """Return the rows that a cut after `last` halves. They are within the turn that it cuts."""
        turn = []
        for number, item in self._backwards(connection, session_id, last):
            turn.append((number, item))
            if item.get("role") == "user":
                break
        whole = {id(item) for item in whole_items([item for _, item in reversed(turn)])}
        return [number for number, item in turn if id(item) not in whole]


def session_info(session_id: str, items: int, first: str | None, created: Any, updated: Any) -> SessionInfo:
    """Return what a store tells of a conversation.

    Args:
        session_id: Its id.
        items: How many items it has.
        first: The user's first message as JSON.
        created: When it began, as SQL has it.
        updated: When it was last changed, as SQL has it.
    """
    content = _json.loads(first).get("content", "") if first else ""
    if isinstance(content, list):
        content = " ".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    said = " ".join(str(content).split())
    return SessionInfo(session_id, items, said if len(said) <= 60 else f"{said[:59]}…", _time(created), _time(updated))


def _time(value: Any) -> datetime:
    from datetime import UTC

    given = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
