"""Which items belong to which branch and turn of a conversation, and what the turns used."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from agentkit import _json
from agentkit._sqlite import transaction
from agentkit.exceptions import UserError
from agentkit.sessions.session import Item
from agentkit.sessions.sqlite_tables import SQLiteTables
from agentkit.sessions.whole import latest_whole
from agentkit.usage import Usage

__all__ = ["MAIN", "BranchError", "TurnTables"]

MAIN = "main"
"""The branch that every conversation has."""

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS message_structure (
        id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, message_id INTEGER NOT NULL,
        branch_id TEXT NOT NULL DEFAULT 'main', message_type TEXT NOT NULL, sequence_number INTEGER NOT NULL,
        user_turn_number INTEGER, branch_turn_number INTEGER, tool_name TEXT,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        FOREIGN KEY (session_id) REFERENCES {sessions} (session_id) ON DELETE CASCADE,
        FOREIGN KEY (message_id) REFERENCES {messages} (id) ON DELETE CASCADE)""",
    """CREATE TABLE IF NOT EXISTS turn_usage (
        id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, branch_id TEXT NOT NULL DEFAULT 'main',
        user_turn_number INTEGER NOT NULL, requests INTEGER DEFAULT 0, input_tokens INTEGER DEFAULT 0,
        output_tokens INTEGER DEFAULT 0, total_tokens INTEGER DEFAULT 0, input_tokens_details JSON,
        output_tokens_details JSON, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        FOREIGN KEY (session_id) REFERENCES {sessions} (session_id) ON DELETE CASCADE,
        UNIQUE (session_id, branch_id, user_turn_number))""",
    # A branch may be empty, and the id of a deleted one isn't given again: an object may still be on it.
    """CREATE TABLE IF NOT EXISTS conversation_branches (
        session_id TEXT NOT NULL, branch_id TEXT NOT NULL, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        deleted INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (session_id, branch_id))""",
    """CREATE INDEX IF NOT EXISTS idx_structure_of_branch
        ON message_structure (session_id, branch_id, sequence_number)""",
    "CREATE INDEX IF NOT EXISTS idx_structure_of_message ON message_structure (message_id)",
)


class BranchError(UserError, ValueError):
    """There is no such branch or turn, or it can't be made or deleted."""


@dataclass(frozen=True)
class TurnTables(SQLiteTables):
    """The tables of conversations, with those of their branches and turns."""

    create: bool = True
    """Whether to make the tables where they are missing."""

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Make the tables where they are missing.

        Raises:
            UserError: They are missing and are not to be made.
        """
        if (
            not self.create
            and not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'conversation_branches'").fetchone()
        ):
            raise UserError("The file has no tables for branches and turns.", hint="Pass create_tables=True.")
        super().prepare(connection)
        for statement in _SCHEMA:
            connection.execute(statement.format(sessions=self.sessions, messages=self.messages))

    def adopt(self, connection: sqlite3.Connection, session_id: str) -> None:
        """Begin the branch "main" where there is none yet, with what a plain SQLiteSession may have kept."""
        known = "SELECT 1 FROM conversation_branches WHERE session_id = ?"
        if connection.execute(known, (session_id,)).fetchone():
            return
        with transaction(connection):
            if connection.execute(known, (session_id,)).fetchone():
                return
            connection.execute(
                "INSERT INTO conversation_branches (session_id, branch_id) VALUES (?, ?)", (session_id, MAIN)
            )
            rows = connection.execute(
                f"SELECT id, message_data FROM {self.messages} WHERE session_id = ? ORDER BY id", (session_id,)
            ).fetchall()
            self._put(connection, session_id, MAIN, [(number, _json.loads(data)) for number, data in rows])

    def check(self, connection: sqlite3.Connection, session_id: str, branch: str) -> None:
        """Check that a branch is there.

        Raises:
            BranchError: It isn't.
        """
        if not connection.execute(
            "SELECT 1 FROM conversation_branches WHERE session_id = ? AND branch_id = ? AND NOT deleted",
            (session_id, branch),
        ).fetchone():
            raise BranchError(f"The conversation has no branch {branch!r}.", hint="list_branches() tells which it has.")

    def read_branch(
        self, connection: sqlite3.Connection, session_id: str, branch: str, limit: int | None
    ) -> list[Item]:
        """Return the items of a branch, oldest first; the latest whole items up to a limit."""
        self.check(connection, session_id, branch)
        rows = connection.execute(
            f"SELECT message_data FROM message_structure AS s JOIN {self.messages} AS m ON m.id = s.message_id"
            " WHERE s.session_id = ? AND s.branch_id = ? ORDER BY sequence_number DESC",
            (session_id, branch),
        )
        if limit is not None:
            return latest_whole((_json.loads(row[0]) for row in rows), limit)
        return [_json.loads(row[0]) for row in rows.fetchall()][::-1]

    def append_to_branch(self, connection: sqlite3.Connection, session_id: str, branch: str, rows: list[str]) -> None:
        """Add items, given as JSON, to a branch."""
        self.check(connection, session_id, branch)
        self.touch(connection, session_id)
        added = []
        for row in rows:
            cursor = connection.execute(
                f"INSERT INTO {self.messages} (session_id, message_data) VALUES (?, ?)", (session_id, row)
            )
            added.append((cursor.lastrowid, _json.loads(row)))
        self._put(connection, session_id, branch, added)

    def pop_from_branch(self, connection: sqlite3.Connection, session_id: str, branch: str) -> Item | None:
        """Take the latest item of a branch away and return it. Other branches that have it keep it."""
        self.check(connection, session_id, branch)
        row = connection.execute(
            "SELECT s.id, message_id, branch_turn_number, message_data, message_type FROM message_structure AS s"
            f" JOIN {self.messages} AS m ON m.id = s.message_id WHERE s.session_id = ? AND branch_id = ?"
            " ORDER BY sequence_number DESC LIMIT 1",
            (session_id, branch),
        ).fetchone()
        if row is None:
            return None
        number, message, turn, data, kind = row
        connection.execute("DELETE FROM message_structure WHERE id = ?", (number,))
        self._delete_unused(connection, session_id, [message])
        if kind == "user":
            connection.execute(
                "DELETE FROM turn_usage WHERE session_id = ? AND branch_id = ? AND user_turn_number = ?",
                (session_id, branch, turn),
            )
        self.touch(connection, session_id)
        item: Item = _json.loads(data)
        return item

    def delete(self, connection: sqlite3.Connection, session_id: str) -> bool:
        """Delete the conversation with all its branches; return whether there was one."""
        for table in ("message_structure", "turn_usage", "conversation_branches"):
            connection.execute(f"DELETE FROM {table} WHERE session_id = ?", (session_id,))
        return super().delete(connection, session_id)

    def start_branch(self, connection: sqlite3.Connection, session_id: str, name: str | None, default: str) -> str:
        """Make an empty branch and return its id: `name`, or `default` and a number.

        Raises:
            BranchError: The name is empty, or has been used.
        """
        if name is not None and not name.strip():
            raise BranchError("A branch's name has to have a letter.")
        used = {
            row[0]
            for row in connection.execute(
                "SELECT branch_id FROM conversation_branches WHERE session_id = ?", (session_id,)
            )
        }
        if name is None:
            name = next(free for n in range(1, len(used) + 2) if (free := f"{default}_{n}") not in used)
        elif name in used:
            raise BranchError(f"The conversation has, or had, a branch {name!r}.", hint="Choose another name.")
        connection.execute(
            "INSERT INTO conversation_branches (session_id, branch_id) VALUES (?, ?)", (session_id, name)
        )
        return name

    def branch_before_turn(
        self, connection: sqlite3.Connection, session_id: str, branch: str, turn: int, name: str | None
    ) -> str:
        """Make a branch of what was said before a turn, and return its id.

        Raises:
            BranchError: There is no such turn, or the name can't be used.
        """
        self.check(connection, session_id, branch)
        at = "session_id = ? AND branch_id = ?"
        first = connection.execute(
            f"SELECT MIN(sequence_number) FROM message_structure WHERE {at} AND branch_turn_number = ?"
            " AND message_type = 'user'",
            (session_id, branch, turn),
        ).fetchone()[0]
        if first is None:
            raise BranchError(f"Branch {branch!r} has no turn {turn!r}.", hint="get_conversation_turns() lists them.")
        new = self.start_branch(connection, session_id, name, f"branch_from_turn_{turn}")
        columns = (
            "message_id, message_type, sequence_number, user_turn_number, branch_turn_number, tool_name, created_at"
        )
        connection.execute(
            f"INSERT INTO message_structure (session_id, branch_id, {columns}) SELECT session_id, ?, {columns}"
            f" FROM message_structure WHERE {at} AND sequence_number < ? ORDER BY sequence_number",
            (new, session_id, branch, first),
        )
        return new

    def delete_branch(self, connection: sqlite3.Connection, session_id: str, branch: str) -> None:
        """Delete a branch, with the items that no other branch has."""
        self.check(connection, session_id, branch)
        at = (session_id, branch)
        held = connection.execute(
            "SELECT message_id FROM message_structure WHERE session_id = ? AND branch_id = ?", at
        ).fetchall()
        for table in ("message_structure", "turn_usage"):
            connection.execute(f"DELETE FROM {table} WHERE session_id = ? AND branch_id = ?", at)
        self._delete_unused(connection, session_id, [row[0] for row in held])
        connection.execute("UPDATE conversation_branches SET deleted = 1 WHERE session_id = ? AND branch_id = ?", at)

    def add_usage(self, connection: sqlite3.Connection, session_id: str, branch: str, usage: Usage) -> None:
        """Note what the last turn of a branch used; nothing where it has none."""
        turn = connection.execute(
            "SELECT MAX(branch_turn_number) FROM message_structure WHERE session_id = ? AND branch_id = ?",
            (session_id, branch),
        ).fetchone()[0]
        if not turn:
            return
        details = [
            _json.dumps(asdict(each)).decode() for each in (usage.input_tokens_details, usage.output_tokens_details)
        ]
        connection.execute(
            "INSERT OR REPLACE INTO turn_usage (session_id, branch_id, user_turn_number, requests, input_tokens,"
            " output_tokens, total_tokens, input_tokens_details, output_tokens_details)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (session_id, branch, turn, usage.requests, usage.input_tokens, usage.output_tokens, usage.total_tokens,
             *details),
        )  # fmt: skip

    def _put(self, connection: sqlite3.Connection, session_id: str, branch: str, items: list[tuple[Any, Item]]) -> None:
        """Put items, given with their rows, at the end of a branch."""
        last, turn = connection.execute(
            "SELECT COALESCE(MAX(sequence_number), 0), COALESCE(MAX(branch_turn_number), 0) FROM message_structure"
            " WHERE session_id = ? AND branch_id = ?",
            (session_id, branch),
        ).fetchone()
        rows = []
        for number, (message, item) in enumerate(items, last + 1):
            kind = str(item.get("role") or item.get("type") or "message")
            turn += kind == "user"
            rows.append((session_id, message, branch, kind, number, turn, turn, _tool_of(item)))
        connection.executemany(
            "INSERT INTO message_structure (session_id, message_id, branch_id, message_type, sequence_number,"
            " user_turn_number, branch_turn_number, tool_name) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )

    def _delete_unused(self, connection: sqlite3.Connection, session_id: str, messages: list[int]) -> None:
        connection.execute(
            f"DELETE FROM {self.messages} WHERE session_id = ? AND id IN (SELECT value FROM json_each(?))"
            " AND id NOT IN (SELECT message_id FROM message_structure WHERE session_id = ?)",
            (session_id, _json.dumps(messages).decode(), session_id),
        )


def _tool_of(item: Item) -> str | None:
    """Return the name of the tool that an item calls; None for other items."""
    kind = str(item.get("type", "message"))
    if not kind.endswith("_call"):
        return None
    name = item.get("name") or kind.removesuffix("_call")
    server = item.get("server_label")
    return f"{server}.{name}" if server else str(name)
