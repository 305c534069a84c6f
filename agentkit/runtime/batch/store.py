"""What a batch has finished, kept so that a later run of it goes on from there."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Protocol

from agentkit._home import home
from agentkit._sqlite import NewerSchemaError, is_busy, migrate, open_shared, transaction
from agentkit.exceptions import UserError
from agentkit.runtime.batch.outcome import Outcome

__all__ = ["BatchStore", "FileStore", "MemoryStore", "RowKey", "Spent", "batches_file"]

RowKey = tuple[bytes, int]
"""A row of a batch: the SHA-256 of what it asks, and how many rows before it ask the same."""

_BUSY_TIMEOUT_S = 10.0
_MIGRATIONS = (
    (
        # What all runs of a batch have spent, failed and stopped rows included.
        """CREATE TABLE batches (
            batch_id TEXT PRIMARY KEY NOT NULL, place TEXT NOT NULL, agent TEXT NOT NULL,
            started_ns INTEGER NOT NULL, spent_usd REAL NOT NULL, spent_tokens INTEGER NOT NULL) WITHOUT ROWID""",
        # Rows that have their answer.
        """CREATE TABLE finished (
            batch_id TEXT NOT NULL, prompt BLOB NOT NULL, occurrence INTEGER NOT NULL,
            answer TEXT NOT NULL, trace_id TEXT, input_tokens INTEGER, output_tokens INTEGER, cost_usd REAL,
            duration_s REAL, finished_ns INTEGER NOT NULL,
            PRIMARY KEY (batch_id, prompt, occurrence)) WITHOUT ROWID""",
    ),
)
"""What to execute to get from each version of the tables to the next; version 0 is an empty file."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a batch has spent, in all its runs."""

    usd: float = 0.0
    """US dollars, as far as prices are known."""
    tokens: int = 0
    """Tokens, sent and received."""

    def plus(self, outcome: Outcome) -> Spent:
        """Return this and what a row has spent."""
        tokens = (outcome.input_tokens or 0) + (outcome.output_tokens or 0)
        return Spent(self.usd + (outcome.cost_usd or 0.0), self.tokens + tokens)


class BatchStore(Protocol):
    """Keeps the finished rows of batches."""

    def begin(self, batch_id: str, *, place: str, agent: str, afresh: bool) -> Spent:
        """Open a batch, and return what it has spent; one that begins afresh is forgotten first."""

    def finished(self, batch_id: str) -> dict[RowKey, Outcome]:
        """Return the rows of a batch that have their answer."""

    def keep(self, batch_id: str, key: RowKey, outcome: Outcome) -> None:
        """Keep what came of a row: its answer if it has one, and what it has spent."""

    def close(self) -> None:
        """Let go of what is held."""


class MemoryStore:
    """Keeps rows for the life of the process."""

    def __init__(self) -> None:
        self._spent: dict[str, Spent] = {}
        self._finished: dict[str, dict[RowKey, Outcome]] = {}

    def begin(self, batch_id: str, *, place: str, agent: str, afresh: bool) -> Spent:
        """Open a batch, and return what it has spent."""
        if afresh:
            self._spent.pop(batch_id, None)
            self._finished.pop(batch_id, None)
        return self._spent.get(batch_id, Spent())

    def finished(self, batch_id: str) -> dict[RowKey, Outcome]:
        """Return the rows of a batch that have their answer."""
        return dict(self._finished.get(batch_id, {}))

    def keep(self, batch_id: str, key: RowKey, outcome: Outcome) -> None:
        """Keep what came of a row."""
        self._spent[batch_id] = self._spent.get(batch_id, Spent()).plus(outcome)
        if outcome.status == "ok":
            self._finished.setdefault(batch_id, {})[key] = outcome

    def close(self) -> None:
        """Do nothing: the rows stay."""


def batches_file() -> Path:
    """Return the path of the file that finished rows are kept in. It may not exist yet."""
    return home() / "batches.sqlite3"


class FileStore:
    """Keeps rows in an SQLite file. Each is there, whatever happens to the process, once `keep` has returned.

    Used by one thread at a time. Other processes may read and write the file meanwhile.

    Args:
        path: The file; made where it is missing.

    Raises:
        UserError: It can't be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._warned = False
        try:
            self._connection = open_shared(path, timeout_s=_BUSY_TIMEOUT_S)
            try:
                migrate(self._connection, _MIGRATIONS)
            except BaseException:
                self._connection.close()
                raise
        except NewerSchemaError as error:
            raise UserError(
                f"The finished rows in {path} are of a later agentkit (version {error.version}).",
                hint="Update agentkit, or use another AGENTKIT_HOME.",
            ) from None
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error

    def begin(self, batch_id: str, *, place: str, agent: str, afresh: bool) -> Spent:
        """Open a batch, and return what it has spent; one that begins afresh is forgotten first.

        Raises:
            UserError: The file can't be written.
        """
        run = self._connection.execute
        row = (batch_id, place, agent, time.time_ns())
        try:
            with transaction(self._connection):
                if afresh:
                    run("DELETE FROM finished WHERE batch_id = ?", (batch_id,))
                    run("DELETE FROM batches WHERE batch_id = ?", (batch_id,))
                run("INSERT OR IGNORE INTO batches VALUES (?, ?, ?, ?, 0.0, 0)", row)
                spent = run("SELECT spent_usd, spent_tokens FROM batches WHERE batch_id = ?", (batch_id,)).fetchone()
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return Spent(*spent)

    def finished(self, batch_id: str) -> dict[RowKey, Outcome]:
        """Return the rows of a batch that have their answer.

        Raises:
            UserError: The file can't be read.
        """
        sql = (
            "SELECT prompt, occurrence, answer, trace_id, input_tokens, output_tokens, cost_usd, duration_s "
            "FROM finished WHERE batch_id = ?"
        )
        try:
            rows = self._connection.execute(sql, (batch_id,)).fetchall()
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return {(prompt, number): Outcome("ok", answer, None, *rest) for prompt, number, answer, *rest in rows}

    def keep(self, batch_id: str, key: RowKey, outcome: Outcome) -> None:
        """Keep what came of a row. That it can't be kept is logged once: an answer that was paid for isn't lost."""
        run = self._connection.execute
        spent = Spent().plus(outcome)
        try:
            with transaction(self._connection):
                if outcome.status == "ok":
                    values = (outcome.answer, outcome.trace_id, outcome.input_tokens, outcome.output_tokens)
                    more = (outcome.cost_usd, outcome.duration_s, time.time_ns())
                    run(
                        "INSERT OR REPLACE INTO finished VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        (batch_id, *key, *values, *more),
                    )
                run(
                    "UPDATE batches SET spent_usd = spent_usd + ?, spent_tokens = spent_tokens + ? WHERE batch_id = ?",
                    (spent.usd, spent.tokens, batch_id),
                )
        except sqlite3.Error as error:
            if not self._warned:
                self._warned = True
                text = "%s: finished rows can't be kept (%s). The batch goes on, but can't be resumed later."
                getLogger("agentkit.batch").warning(text, self._path, error)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _unusable(self, error: Exception) -> UserError:
        hint = "Set AGENTKIT_HOME to a folder that can be written to; or leave it by resume=False."
        if is_busy(error):
            hint = f"Another program has been writing to it for {_BUSY_TIMEOUT_S:g} s; try again when it is done."
        return UserError(f"Finished rows can't be kept in {self._path}: {error}.", hint=hint)
