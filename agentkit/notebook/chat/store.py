"""Where chats are kept beside their sessions: what each message needs besides the conversation's items."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.notebook.chat.turns import AttachedFile, Turn, steps_from_json, steps_to_json
from agentkit.notebook.display.file_search import Citation
from agentkit.sessions.sqlite_file import IN_MEMORY, SQLiteFile, transaction
from agentkit.usage import Usage

if TYPE_CHECKING:
    from agentkit.notebook.attachments import Attachment

__all__ = ["BranchRecord", "ChatRecord", "ChatStore", "chats_file"]

T = TypeVar("T")

_FORMAT = 2
"""Version of the tables. A file of a later one is left alone."""

_TABLES = """
CREATE TABLE IF NOT EXISTS chats (
    id TEXT PRIMARY KEY, agent TEXT NOT NULL, title TEXT NOT NULL, notebook TEXT, model TEXT, session_path TEXT,
    session_kind TEXT NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS chats_of_notebook ON chats (notebook, updated_at);
CREATE TABLE IF NOT EXISTS branches (
    chat_id TEXT NOT NULL REFERENCES chats (id), number INTEGER NOT NULL, session_id TEXT NOT NULL, parked TEXT,
    PRIMARY KEY (chat_id, number));
CREATE TABLE IF NOT EXISTS turns (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, chat_id TEXT NOT NULL REFERENCES chats (id),
    parent TEXT, branch INTEGER NOT NULL, used INTEGER NOT NULL, created_at REAL NOT NULL, status TEXT NOT NULL,
    question TEXT NOT NULL, answer TEXT NOT NULL, trace_id TEXT, rating TEXT, remark TEXT NOT NULL,
    more TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS turns_of_chat ON turns (chat_id, position);
CREATE TABLE IF NOT EXISTS attachments (
    turn_id TEXT NOT NULL REFERENCES turns (id), number INTEGER NOT NULL, name TEXT NOT NULL, media_type TEXT NOT NULL,
    data BLOB NOT NULL, PRIMARY KEY (turn_id, number));
"""


@dataclass(slots=True)
class BranchRecord:
    """A branch of a chat."""

    number: int
    """From 1, in the order in which they were made."""
    session_id: str
    """Id of the session that holds it."""
    parked: list[dict[str, Any]] | None = None
    """Its items, where that session, which can't branch, holds another branch now."""


@dataclass(slots=True)
class ChatRecord:
    """A chat, without its turns."""

    id: str
    """Its name in the store, which is also that of its session unless it was given one."""
    agent: str
    """Name of the agent."""
    title: str = ""
    """What it is about; what was asked first where it was given none."""
    notebook: str | None = None
    """Path of the notebook; None where nobody told."""
    model: str | None = None
    """The model that was chosen for it; None for the agent's own."""
    session_path: str | None = None
    """The file of its sessions; None where they are not in a SQLite file."""
    session_kind: str = "SQLiteSession"
    """Class of the session."""
    created_at: float = field(default_factory=time.time)
    """When it began, in seconds since 1970."""
    updated_at: float = field(default_factory=time.time)
    """When something was last said in it."""
    messages: int = 0
    """How many messages it has in all its branches, answers included, where that was counted."""
    first: str = ""
    """What was asked first, where that was read."""


def chats_file() -> Path:
    """Return the database of all chats that outlive their kernel."""
    from agentkit import _home

    return _home.home() / "chats.sqlite"


class ChatStore:
    """Chats in a SQLite file that several kernels may use at once. Every method is done when it returns; in any thread.

    Args:
        path: The file; in memory when ":memory:".
    """

    def __init__(self, path: str | Path = IN_MEMORY) -> None:
        self.path = str(path)
        self._file = SQLiteFile.at(path)

    # -- chats ----------------------------------------------------------------------------------------------------

    def put_chat(self, chat: ChatRecord) -> None:
        """Keep a chat, in the place of what was kept of it before."""
        values = (
            *(chat.id, chat.agent, chat.title, chat.notebook, chat.model, chat.session_path, chat.session_kind),
            *(chat.created_at, chat.updated_at),
        )
        statement = (
            f"INSERT INTO chats VALUES ({_marks(len(values))}) ON CONFLICT (id) DO UPDATE SET agent = excluded.agent, "
            "title = excluded.title, model = excluded.model, "
            "updated_at = max(updated_at, excluded.updated_at)"
        )
        self._change(lambda connection: connection.execute(statement, values))

    def chat(self, chat_id: str) -> ChatRecord | None:
        """Return a chat by its id, or by the beginning of one if only one begins so."""
        found = self._chats("WHERE substr(id, 1, ?) = ?", (len(chat_id), chat_id))
        exact = [chat for chat in found if chat.id == chat_id]
        return exact[0] if exact else found[0] if len(found) == 1 and chat_id else None

    def chats(self, notebook: str | None = None) -> list[ChatRecord]:
        """Return the chats of a notebook, or all, the one used last first."""
        return self._chats(*(("", ()) if notebook is None else ("WHERE notebook = ?", (notebook,))))

    def _chats(self, where: str, values: tuple[Any, ...]) -> list[ChatRecord]:
        columns = "id, agent, title, notebook, model, session_path, session_kind, created_at, updated_at"
        counted = "(SELECT count(*) + count(nullif(status, 'running')) FROM turns WHERE chat_id = chats.id)"
        first = "(SELECT question FROM turns WHERE chat_id = chats.id ORDER BY position LIMIT 1)"
        statement = f"SELECT {columns}, {counted}, coalesce({first}, '') FROM chats {where} ORDER BY updated_at DESC"
        return [ChatRecord(*row) for row in self._do(lambda c: c.execute(statement, values).fetchall())]

    def remove_chat(self, chat_id: str) -> None:
        """Delete a chat with all that belongs to it; nothing where there is none."""

        def work(connection: sqlite3.Connection) -> None:
            mine = "(SELECT id FROM turns WHERE chat_id = ?)"
            connection.execute(f"DELETE FROM attachments WHERE turn_id IN {mine}", (chat_id,))
            for table, column in (("turns", "chat_id"), ("branches", "chat_id"), ("chats", "id")):
                connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (chat_id,))

        self._change(work)

    def own_sessions(self) -> set[str]:
        """Return the ids of the sessions that chats have made for themselves, which have their names."""
        statement = (
            "SELECT session_id FROM branches WHERE session_id = chat_id "
            "OR substr(session_id, 1, length(chat_id) + 1) = chat_id || '.'"
        )
        return {name for (name,) in self._do(lambda c: c.execute(statement).fetchall())}

    # -- branches -------------------------------------------------------------------------------------------------

    def put_branches(self, chat_id: str, branches: Sequence[BranchRecord]) -> None:
        """Keep branches, all of them or none."""
        rows = [
            (chat_id, b.number, b.session_id, None if b.parked is None else _json.dumps(b.parked).decode())
            for b in branches
        ]
        self._change(lambda connection: connection.executemany("REPLACE INTO branches VALUES (?, ?, ?, ?)", rows))

    def branches(self, chat_id: str) -> list[BranchRecord]:
        """Return the branches of a chat in their order."""
        statement = "SELECT number, session_id, parked FROM branches WHERE chat_id = ? ORDER BY number"
        rows = self._do(lambda c: c.execute(statement, (chat_id,)).fetchall())
        return [BranchRecord(n, name, None if parked is None else _json.loads(parked)) for n, name, parked in rows]

    # -- turns ----------------------------------------------------------------------------------------------------

    def add_turn(self, chat_id: str, turn: Turn, attachments: Sequence[Attachment] = ()) -> None:
        """Keep a new turn, and what went with it."""
        row = (turn.id, chat_id, turn.parent, turn.branch, turn.used, time.time(), *_changing(turn))
        files = [(turn.id, n, each.name, each.media_type, each.data) for n, each in enumerate(attachments)]

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO turns (id, chat_id, parent, branch, used, created_at, status, question, answer, trace_id, "
                f"rating, remark, more) VALUES ({_marks(13)})",
                row,
            )
            connection.executemany("INSERT INTO attachments VALUES (?, ?, ?, ?, ?)", files)
            connection.execute("UPDATE chats SET updated_at = ? WHERE id = ?", (time.time(), chat_id))

        self._change(work)

    def put_turn(self, turn: Turn) -> None:
        """Keep what has become of a turn."""
        statement = (
            "UPDATE turns SET used = ?, status = ?, question = ?, answer = ?, trace_id = ?, rating = ?, remark = ?, "
            "more = ? WHERE id = ?"
        )
        self._change(lambda connection: connection.execute(statement, (turn.used, *_changing(turn), turn.id)))

    def turns(self, chat_id: str) -> list[Turn]:
        """Return the turns of a chat, in the order in which they were made."""
        statement = (
            "SELECT id, parent, branch, used, status, question, answer, trace_id, rating, remark, more FROM turns "
            "WHERE chat_id = ? ORDER BY position"
        )
        return [_turn(row) for row in self._do(lambda c: c.execute(statement, (chat_id,)).fetchall())]

    def attachments(self, turn_id: str) -> list[Attachment]:
        """Return what went with a turn's question."""
        from agentkit.notebook.attachments import Attachment

        statement = "SELECT name, media_type, data FROM attachments WHERE turn_id = ? ORDER BY number"
        return [Attachment(*row) for row in self._do(lambda c: c.execute(statement, (turn_id,)).fetchall())]

    # -- the file -------------------------------------------------------------------------------------------------

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return self._file.do(_prepare, work)

    def _change(self, work: Callable[[sqlite3.Connection], Any]) -> None:
        def whole(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                work(connection)

        self._do(whole)


def _prepare(connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > _FORMAT:
        raise UserError(
            f"The file of the chats was made by a later release of agentkit (format {version}).",
            hint="Update agentkit, or set AGENTKIT_HOME to another folder.",
        )
    if version == 1:
        connection.execute("ALTER TABLE chats DROP COLUMN base_items")
    for statement in filter(str.strip, _TABLES.split(";")):  # not executescript: that ends the transaction
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {_FORMAT}")


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _changing(turn: Turn) -> tuple[Any, ...]:
    more = {
        "files": [[file.name, file.media_type, file.size_bytes] for file in turn.files],
        "by_cell": turn.by_cell,
        "start": turn.start,
        "note": turn.note,
        "agent": turn.agent,
        "model": turn.model,
        "structured": turn.structured,
        "output_type": turn.output_type,
        "citations": [[each.index, each.file_id, each.filename, each.url] for each in turn.citations],
        "steps": steps_to_json(turn.steps),
        "seconds": turn.seconds,
        "usage": turn.usage.to_json(),
        "usage_line": turn.usage_line,
    }
    # what SQLite can't hold, half a surrogate pair, is written as an escape
    texts = [each.encode("utf-8", "backslashreplace").decode() for each in (turn.question, turn.answer, turn.remark)]
    kept = _json.dumps(more).decode()
    return turn.status, texts[0], texts[1], turn.trace_id, turn.rating, texts[2], kept


def _turn(row: Sequence[Any]) -> Turn:
    turn_id, parent, branch, used, status, question, answer, trace_id, rating, remark, more = row
    saved = _json.loads(more)
    saved.pop("end", None)  # of format 1
    saved["files"] = [AttachedFile(*file) for file in saved["files"]]
    saved["citations"] = [Citation(*each) for each in saved.get("citations", ())]
    saved["steps"] = steps_from_json(saved["steps"])
    saved["usage"] = Usage.from_json(saved["usage"])
    given = {"status": status, "answer": answer, "trace_id": trace_id, "rating": rating, "remark": remark}
    return Turn(turn_id, parent, branch, question, used=used, **given, **saved)
