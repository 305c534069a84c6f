"""The engine's SQLite file: one connection that reads and one that writes, shared by the threads of a process."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agentkit._sqlite import (
    NewerSchemaError,
    file_identity,
    is_busy,
    is_corrupt,
    leave_to_parent,
    migrate,
    open_shared,
    transaction,
)
from agentkit.local.vector_stores.embedded.schema import MIGRATIONS, PAGE_BYTES
from agentkit.local.vector_stores.storage import StorageError

__all__ = ["Database", "explained"]

_PATIENCE_S = 60.0
"""How long to wait for another process that writes."""
_CACHE_KIB = 16_384


class Database:
    """The truth of all stores of a home. Any thread may use it; a forked child opens its own connections.

    Args:
        path: The file; it is made, for its user's eyes only, when it is used first.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: list[sqlite3.Connection] = []
        self._forget()
        weakref.finalize(self, _close_all, self._opened)

    def _forget(self) -> None:
        self._process = os.getpid()
        self._opening = threading.RLock()
        self._read_lock = threading.RLock()
        self._write_lock = threading.RLock()
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        self._identity = (0, 0)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one state of the file until the end of the block.

        Raises:
            StorageError: The file can't be read.
        """
        with explained(self.path):
            self._after_fork()
            with self._read_lock:
                connection = self._connected()[0]
                outermost = not connection.in_transaction
                if outermost:
                    connection.execute("BEGIN")
                try:
                    yield connection
                finally:
                    if outermost and connection.in_transaction:
                        connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection whose changes are kept whole at the end of the block, or not at all. Others wait.

        Raises:
            StorageError: The file can't be written.
        """
        with explained(self.path):
            self._after_fork()
            with self._write_lock, transaction(self._connected()[1]) as connection:
                yield connection

    def close(self) -> None:
        """Close the file. It is opened again when it is used again."""
        self._after_fork()
        with self._write_lock, self._read_lock, self._opening:
            self._reader = self._writer = None
            _close_all(self._opened)

    def _after_fork(self) -> None:
        if self._process != os.getpid():
            leave_to_parent(*self._opened)
            self._opened.clear()
            self._forget()

    def _connected(self) -> tuple[sqlite3.Connection, sqlite3.Connection]:
        with self._opening:
            if self._reader is not None and self._writer is not None:
                if file_identity(self.path) == self._identity:
                    return self._reader, self._writer
                self._reopen()
            try:
                writer, reader = self._opened_anew(), self._opened_anew()
                migrate(writer, MIGRATIONS)
            except BaseException:
                _close_all(self._opened)
                raise
            self._reader, self._writer, self._identity = reader, writer, file_identity(self.path)
            return reader, writer

    def _opened_anew(self) -> sqlite3.Connection:
        connection = open_shared(self.path, timeout_s=_PATIENCE_S, page_bytes=PAGE_BYTES)
        self._opened.append(connection)
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute("PRAGMA secure_delete = FAST")  # else, where that is on, all that is deleted is written anew
        return connection

    def _reopen(self) -> None:
        """Let go of a file that was moved or deleted, or whose place another has taken."""
        if any(connection.in_transaction for connection in self._opened):
            raise StorageError(f"{self.path} was moved or replaced while it was being used. Try again.")
        self._reader = self._writer = None
        _close_all(self._opened)


def _close_all(opened: list[sqlite3.Connection]) -> None:
    while opened:
        opened.pop().close()


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a file into a `StorageError` that says what to do."""
    try:
        yield
    except NewerSchemaError as error:
        advice = "Update agentkit (pip install -U agentkit), or set AGENTKIT_HOME to another folder."
        raise StorageError(f"{path} was made by a later agentkit: {error}. {advice}") from error
    except sqlite3.Error as error:
        raise StorageError(_advice(path, error)) from error
    except OSError as error:
        advice = "Make room or give it rights, or set AGENTKIT_HOME to a folder that can be written."
        raise StorageError(f"{path} can't be used: {error}. {advice}") from error


def _advice(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if is_busy(error):
        return f"{path} has been locked by another process for {_PATIENCE_S:.0f} s ({error}). Try again, or end it."
    if is_corrupt(error):
        advice = "Nothing was changed. Put a backup in its place, or move it away and add the files again."
        return f"{path} is damaged: {error}. {advice}"
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        advice = "What was kept before is still there. Make room on the disk, or set AGENTKIT_HOME to another one."
        return f"{path} can't be written: {error}. {advice}"
    return f"{path} can't be used: {error}. Set AGENTKIT_HOME to a folder that can be written."
