"""A conversation in SQLite with branches by turn, and with what each turn used."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agentkit import _json
from agentkit.extensions.memory.turn_tables import MAIN, BranchError, TurnTables
from agentkit.sessions import SessionABC, SessionSettings, SQLiteSession
from agentkit.sessions.session import Item, effective_limit, encoded_item

if TYPE_CHECKING:
    from agentkit.runtime import RunResult

__all__ = ["AdvancedSQLiteSession"]

T = TypeVar("T")

_PREVIEW = 100
"""Characters of a message that a list of turns shows."""


class AdvancedSQLiteSession(SQLiteSession):
    """A conversation in SQLite whose branches stay within it.

    A turn is a user's message with what followed. A branch goes on from what was said before a turn; the session works
    on one branch at a time, at first on "main". Which one is known by this object alone, not in the file. The file may
    be that of a `SQLiteSession`: its conversations become branch "main".

    Args:
        session_id: Names the conversation.
        db_path: The file; in memory, and gone with the session object, when ":memory:".
        create_tables: Whether to make the tables where they are missing.
        sessions_table: Name of the table of conversations.
        messages_table: Name of the table of their items.
        session_settings: Such as how many items a run reads.
        logger: Accepted for the SDK's sake; nothing is logged.

    Raises:
        UserError: The id, the path or a table's name can't be used.
    """

    def __init__(
        self,
        *,
        session_id: str,
        db_path: str | Path = ":memory:",
        create_tables: bool = False,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
        session_settings: SessionSettings | Mapping[str, Any] | None = None,
        logger: object = None,
    ) -> None:
        super().__init__(session_id, db_path, sessions_table, messages_table, session_settings)
        self._turns = self._tables = TurnTables(sessions_table, messages_table, create=create_tables)
        self._branch = MAIN

    @property
    def current_branch(self) -> str:
        """Id of the branch that the session works on."""
        return self._branch

    async def get_items(self, limit: int | None = None, branch_id: str | None = None) -> list[Item]:
        """Return the conversation in a branch, the current one when None, oldest first. As for `SQLiteSession`.

        Raises:
            BranchError: There is no such branch.
        """
        limit, branch = effective_limit(limit, self.session_settings), branch_id or self._branch
        return await self._do(lambda connection: self._turns.read_branch(connection, self.session_id, branch, limit))

    async def add_items(self, items: list[Item]) -> None:
        """Append items to the current branch, all of them or none. As for `SQLiteSession`."""
        rows, branch = [encoded_item(item) for item in items], self._branch
        if rows:
            await self._change(
                lambda connection: self._turns.append_to_branch(connection, self.session_id, branch, rows)
            )

    async def pop_item(self) -> Item | None:
        """Take the latest item of the current branch away and return it; None where there is none."""
        branch = self._branch
        return await self._change(lambda connection: self._turns.pop_from_branch(connection, self.session_id, branch))

    async def clear_session(self) -> None:
        """Take all items away, in all branches, with what is known of their usage."""
        await super().clear_session()
        self._branch = MAIN

    async def replace_items(self, items: list[Item], *, expected: list[Item] | None = None) -> bool:
        """Put `items` in place of the conversation: in a new branch, to which it switches. The old one stays."""
        rows, branch = [encoded_item(item) for item in items], self._branch

        def work(connection: sqlite3.Connection) -> str | None:
            here = self._turns.read_branch(connection, self.session_id, branch, None)
            replaced = len(here) if expected is None else len(expected)
            if expected is not None and here[:replaced] != expected:
                return None
            new = self._turns.start_branch(connection, self.session_id, None, "replaced")
            rest = [encoded_item(item) for item in here[replaced:]]
            self._turns.append_to_branch(connection, self.session_id, new, [*rows, *rest])
            return new

        new = await self._change(work)
        self._branch = new or branch
        return new is not None

    def with_id(self, session_id: str) -> AdvancedSQLiteSession:
        """Return the conversation of another id in the same file or memory."""
        new = AdvancedSQLiteSession(
            session_id=session_id,
            db_path=self.db_path,
            create_tables=self._turns.create,
            sessions_table=self.sessions_table,
            messages_table=self.messages_table,
            session_settings=self.session_settings,
        )
        new._file = self._opened()
        return new

    async def branch(self, at: int | str = -1, session_id: str | None = None) -> AdvancedSQLiteSession:
        """Return a new conversation, with an id of its own, that begins with this branch up to an item."""
        new = await SessionABC.branch(self, at, session_id)
        assert isinstance(new, AdvancedSQLiteSession)
        return new

    async def create_branch_from_turn(self, turn_number: int, branch_name: str | None = None) -> str:
        """Make a branch of what was said before a turn, switch to it, and return its id.

        Args:
            turn_number: The turn, from 1.
            branch_name: Id of the branch; made up when None.

        Raises:
            BranchError: There is no such turn, or the name has been used.
        """
        branch = self._branch
        self._branch = await self._change(
            lambda connection: self._turns.branch_before_turn(
                connection, self.session_id, branch, turn_number, branch_name
            )
        )
        return self._branch

    async def create_branch_from_content(self, search_term: str, branch_name: str | None = None) -> str:
        """Make a branch of what was said before the first turn whose message has the text, and switch to it.

        Raises:
            BranchError: No turn has it, or the name has been used.
        """
        found = await self.find_turns_by_content(search_term)
        if not found:
            raise BranchError(f"No turn of branch {self._branch!r} has the text {search_term!r}.")
        return await self.create_branch_from_turn(found[0]["turn"], branch_name)

    async def switch_to_branch(self, branch_id: str) -> None:
        """Work on another branch from now on.

        Raises:
            BranchError: There is no such branch.
        """
        await self._do(lambda connection: self._turns.check(connection, self.session_id, branch_id))
        self._branch = branch_id

    async def delete_branch(self, branch_id: str, force: bool = False) -> None:
        """Delete a branch, with the items that no other branch has. Its id is not given again.

        Args:
            branch_id: The branch.
            force: Whether it may be the current one; the session then switches to "main".

        Raises:
            BranchError: There is no such branch, or it is "main" or the current one.
        """
        if branch_id == MAIN:
            raise BranchError(f"Branch {MAIN!r} can't be deleted.", hint="clear_session() deletes all branches.")
        if branch_id == self._branch and not force:
            raise BranchError(
                f"Branch {branch_id!r} is the current one.", hint="Switch to another, or pass force=True."
            )
        await self._change(lambda connection: self._turns.delete_branch(connection, self.session_id, branch_id))
        if branch_id == self._branch:
            self._branch = MAIN

    async def list_branches(self) -> list[dict[str, Any]]:
        """Return the branches: `branch_id`, `message_count`, `user_turns`, `is_current` and `created_at` of each."""
        rows = await self._rows(
            "SELECT b.branch_id, COUNT(s.id), COUNT(s.id) FILTER (WHERE message_type = 'user'), b.created_at"
            " FROM conversation_branches AS b LEFT JOIN message_structure AS s"
            " ON s.session_id = b.session_id AND s.branch_id = b.branch_id"
            " WHERE b.session_id = ? AND NOT deleted GROUP BY b.branch_id ORDER BY b.created_at, b.rowid",
            self.session_id,
        )
        return [
            {"branch_id": name, "message_count": items, "user_turns": turns, "is_current": name == self._branch,
             "created_at": made}
            for name, items, turns, made in rows
        ]  # fmt: skip

    async def get_conversation_turns(self, branch_id: str | None = None) -> list[dict[str, Any]]:
        """Return the turns of a branch: `turn`, `content` (shortened), `full_content`, `timestamp`, `can_branch`."""
        rows = await self._rows(
            f"SELECT branch_turn_number, message_data, s.created_at FROM message_structure AS s"
            f" JOIN {self.messages_table} AS m ON m.id = s.message_id WHERE s.session_id = ? AND branch_id = ?"
            " AND message_type = 'user' ORDER BY sequence_number",
            self.session_id,
            branch_id or self._branch,
        )
        turns = []
        for turn, data, made in rows:
            content = _json.loads(data).get("content", "")
            text = content if isinstance(content, str) else _json.dumps(content).decode()
            short = text if len(text) <= _PREVIEW else f"{text[:_PREVIEW]}..."
            turns.append(
                {"turn": turn, "content": short, "full_content": content, "timestamp": made, "can_branch": True}
            )
        return turns

    async def find_turns_by_content(self, search_term: str, branch_id: str | None = None) -> list[dict[str, Any]]:
        """Return the turns of a branch whose message has the text, in whatever case."""
        wanted = search_term.casefold()
        return [
            turn
            for turn in await self.get_conversation_turns(branch_id)
            if wanted in _text_of(turn["full_content"]).casefold()
        ]

    async def get_conversation_by_turns(self, branch_id: str | None = None) -> dict[int, list[dict[str, str | None]]]:
        """Return for each turn of a branch what it is made of: `type` and `tool_name` of each item."""
        rows = await self._rows(
            "SELECT branch_turn_number, message_type, tool_name FROM message_structure"
            " WHERE session_id = ? AND branch_id = ? ORDER BY sequence_number",
            self.session_id,
            branch_id or self._branch,
        )
        turns: dict[int, list[dict[str, str | None]]] = {}
        for turn, kind, tool in rows:
            turns.setdefault(turn, []).append({"type": kind, "tool_name": tool})
        return turns

    async def get_tool_usage(self, branch_id: str | None = None) -> list[tuple[str, int, int]]:
        """Return which tools a branch has called: name, how often, and in which turn."""
        return await self._rows(
            "SELECT tool_name, COUNT(*), branch_turn_number FROM message_structure"
            " WHERE session_id = ? AND branch_id = ? AND tool_name IS NOT NULL"
            " GROUP BY tool_name, branch_turn_number ORDER BY branch_turn_number, MIN(sequence_number)",
            self.session_id,
            branch_id or self._branch,
        )

    async def store_run_usage(self, result: RunResult) -> None:
        """Keep what a run used with the last turn of the current branch. For after `Runner.run`."""
        usage, branch = result.context_wrapper.usage, self._branch
        await self._change(lambda connection: self._turns.add_usage(connection, self.session_id, branch, usage))

    async def get_session_usage(self, branch_id: str | None = None) -> dict[str, int] | None:
        """Return what all turns of a branch used, or those of all branches when None; None where nothing is known."""
        of_branch, values = ("", ()) if branch_id is None else (" AND branch_id = ?", (branch_id,))
        names = ("requests", "input_tokens", "output_tokens", "total_tokens")
        sums = ", ".join(f"SUM({name})" for name in names)
        rows = await self._rows(
            f"SELECT {sums}, COUNT(*) FROM turn_usage WHERE session_id = ?{of_branch}", self.session_id, *values
        )
        return dict(zip((*names, "total_turns"), rows[0], strict=True)) if rows[0][-1] else None

    async def get_turn_usage(
        self, user_turn_number: int | None = None, branch_id: str | None = None
    ) -> list[dict[str, Any]] | dict[str, Any]:
        """Return what a turn used, empty where that isn't known; what each did when None.

        Args:
            user_turn_number: The turn, from 1.
            branch_id: The branch; the current one when None.
        """
        names = ("requests", "input_tokens", "output_tokens", "total_tokens")
        details = ("input_tokens_details", "output_tokens_details")
        rows = await self._rows(
            f"SELECT user_turn_number, {', '.join((*names, *details))} FROM turn_usage"
            " WHERE session_id = ? AND branch_id = ? ORDER BY user_turn_number",
            self.session_id,
            branch_id or self._branch,
        )
        turns = [
            {
                "user_turn_number": turn,
                **dict(zip(names, counts[:4], strict=True)),
                **{name: _json.loads(text) if text else None for name, text in zip(details, counts[4:], strict=True)},
            }
            for turn, *counts in rows
        ]
        if user_turn_number is None:
            return turns
        found = next((turn for turn in turns if turn["user_turn_number"] == user_turn_number), {})
        return {name: value for name, value in found.items() if name != "user_turn_number"}

    async def _rows(self, sql: str, *values: str) -> list[Any]:
        return await self._do(lambda connection: connection.execute(sql, values).fetchall())

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def ready(connection: sqlite3.Connection) -> T:
            self._turns.adopt(connection, self.session_id)
            return work(connection)

        return await super()._do(ready)

    def __repr__(self) -> str:
        return f"AdvancedSQLiteSession({self.session_id!r}, {str(self.db_path)!r}, branch={self._branch!r})"


def _text_of(content: Any) -> str:  # of a message: text, or a list of parts
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
