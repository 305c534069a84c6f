"""Stored responses: SQLite in WAL mode, written by several kernels at once.

A commit is a synchronous append to the write-ahead log, some tens of microseconds, and survives a killed process. While
another process writes, the event loop is not blocked: SQLite answers "busy" at once and we try again a little later.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from agentkit import _json
from agentkit._sqlite import is_busy, leave_to_parent, open_shared
from agentkit.local.errors import ApiError

__all__ = ["ResponseStore"]

T = TypeVar("T")

_KEPT_S = 30 * 24 * 3600
"""Responses older than this are forgotten, as OpenAI does, unless a later one goes on from them."""
_PATIENCE_S = 10.0
_RETRY_S = 0.004

_SCHEMA = """
CREATE TABLE IF NOT EXISTS responses (
    id TEXT PRIMARY KEY,
    previous_id TEXT,
    created_at INTEGER NOT NULL,
    response TEXT NOT NULL,
    input TEXT NOT NULL,
    output TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS responses_by_age ON responses (created_at);
"""

_CHAIN = """
WITH RECURSIVE chain (id, previous_id, input, output, depth) AS (
    SELECT id, previous_id, input, output, 0 FROM responses WHERE id = ?
    UNION ALL
    SELECT r.id, r.previous_id, r.input, r.output, chain.depth + 1
    FROM responses AS r JOIN chain ON r.id = chain.previous_id
)
SELECT id, previous_id, input, output FROM chain ORDER BY depth DESC
"""

_ITEM = """
SELECT item.value
FROM responses, json_each(responses.{column}) AS item
WHERE instr(responses.{column}, :id) AND json_extract(item.value, '$.id') = :id
ORDER BY responses.rowid DESC LIMIT 1
"""


class ResponseStore:
    """The responses kept in one home folder. It may be used from several threads and event loops.

    Args:
        home: Folder of the database; both are made when something is stored first, for their user's eyes only.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "platform.sqlite3"
        self._lock = threading.Lock()
        self._opened: list[sqlite3.Connection] = []
        self._process = 0
        weakref.finalize(self, _close_all, self._opened)

    def close(self) -> None:
        """Close the database. It is opened again when it is needed again."""
        with self._lock:
            _close_all(self._opened)

    async def put(self, response: dict[str, Any], new_input: list[dict[str, Any]]) -> None:
        """Keep a response; once this returns, it survives the end of the process.

        Args:
            response: The response object.
            new_input: The items that its request brought along, without those of earlier responses.
        """
        row = (
            response["id"],
            response["previous_response_id"],
            response["created_at"],
            _json.dumps({**response, "output": []}).decode(),
            _json.dumps(new_input).decode(),
            _json.dumps(response["output"]).decode(),
        )
        await self._run(lambda db: db.execute("INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?, ?, ?)", row))

    async def get(self, response_id: str) -> dict[str, Any] | None:
        """Return the response object of that id, or None."""
        query = "SELECT response, output FROM responses WHERE id = ?"
        row = await self._run(lambda db: db.execute(query, (response_id,)).fetchone())
        if row is None:
            return None
        response: dict[str, Any] = _json.loads(row[0])
        response["output"] = _json.loads(row[1])
        return response

    async def delete(self, response_id: str) -> bool:
        """Forget a response; return whether there was one."""
        query = "DELETE FROM responses WHERE id = ?"
        return await self._run(lambda db: db.execute(query, (response_id,)).rowcount > 0)

    async def conversation(self, response_id: str) -> list[dict[str, Any]]:
        """Return all items up to and including a response's output, oldest first.

        Raises:
            KeyError: That response, or an earlier one that it goes on from, isn't there; the argument is its id.
        """
        items: list[dict[str, Any]] = []
        for given, made in await self._chain(response_id):
            items += _json.loads(given)
            items += _json.loads(made)
        return items

    async def input_items(self, response_id: str) -> list[dict[str, Any]]:
        """Return all items that a response was made from, oldest first.

        Raises:
            KeyError: As for `conversation`.
        """
        *earlier, (given, _) = await self._chain(response_id)
        items: list[dict[str, Any]] = []
        for earlier_given, made in earlier:
            items += _json.loads(earlier_given)
            items += _json.loads(made)
        items += _json.loads(given)
        return items

    async def item(self, item_id: str) -> dict[str, Any] | None:
        """Return an item of any stored response by its id, or None. This reads the whole table."""
        for column in ("output", "input"):
            if (found := await self._find(_ITEM.format(column=column), item_id)) is not None:
                return found
        return None

    async def _find(self, query: str, item_id: str) -> dict[str, Any] | None:
        row = await self._run(lambda db: db.execute(query, {"id": item_id}).fetchone())
        found: dict[str, Any] | None = None if row is None else _json.loads(row[0])
        return found

    async def _chain(self, response_id: str) -> list[tuple[str, str]]:
        rows = await self._run(lambda db: db.execute(_CHAIN, (response_id,)).fetchall())
        if not rows:
            raise KeyError(response_id)
        if (missing := rows[0][1]) is not None:
            raise KeyError(missing)
        return [(given, made) for _, _, given, made in rows]

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        deadline = time.monotonic() + _PATIENCE_S
        reopened = False
        while True:
            try:
                with self._lock:
                    return work(self._connection())
            except sqlite3.Error as error:
                if is_busy(error):
                    if time.monotonic() > deadline:
                        raise _storage_error(self.path, error) from error
                elif reopened:
                    raise _storage_error(self.path, error) from error
                else:  # the file may have been moved or deleted under us: once more with a fresh connection
                    reopened = True
                    self.close()
            except OSError as error:
                raise _storage_error(self.path, error) from error
            await asyncio.sleep(_RETRY_S)

    def _connection(self) -> sqlite3.Connection:
        if self._process != os.getpid():  # a forked process must not use its parent's connection
            leave_to_parent(*self._opened)
            self._opened.clear()
            self._process = os.getpid()
        if not self._opened:
            self._opened.append(_open(self.path))
        return self._opened[0]


def _open(path: Path) -> sqlite3.Connection:
    db = open_shared(path, timeout_s=0)
    try:
        db.executescript(_SCHEMA)
        _forget_old(db)
    except BaseException:
        db.close()
        raise
    return db


def _forget_old(db: sqlite3.Connection) -> None:
    query = """
        DELETE FROM responses WHERE created_at < ?
        AND id NOT IN (SELECT previous_id FROM responses WHERE previous_id IS NOT NULL)
    """
    with contextlib.suppress(sqlite3.OperationalError):  # somebody else is writing: the next opening will do it
        db.execute(query, (int(time.time()) - _KEPT_S,))


def _close_all(opened: list[sqlite3.Connection]) -> None:
    while opened:
        opened.pop().close()


def _storage_error(path: Path, error: Exception) -> ApiError:
    message = f"{path} can't be used: {error}. Set AGENTKIT_HOME to a folder that can be written, or pass store=False."
    return ApiError(message, status=500, kind="server_error", code="storage_error", headers={"x-should-retry": "false"})
