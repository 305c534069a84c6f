"""A SQLite file of the platform, which several kernels and workers share."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path

from agentkit._sqlite import NewerSchemaError, leave_to_parent, migrate, open_shared, transaction
from agentkit.local.errors import ApiError

__all__ = ["Database", "storage_error"]

_PATIENCE_S = 10.0


class Database:
    """One connection for the threads of a process. Nothing is opened before it is needed.

    Args:
        path: The database; it and its folder are made for their user's eyes only.
        steps: The statements that lead from each version of its tables to the next.
    """

    def __init__(self, path: Path, steps: Sequence[Sequence[str]]) -> None:
        self.path = path
        self._steps = steps
        self._lock = threading.RLock()
        self._opened: list[sqlite3.Connection] = []
        self._process = 0
        weakref.finalize(self, _close_all, self._opened)

    def close(self) -> None:
        """Close the database. It is opened again when it is needed again."""
        with self._lock:
            self._leave_or_keep()
            _close_all(self._opened)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection, to read with.

        Raises:
            ApiError: The database can't be used.
        """
        with self._lock, self._told():
            yield self._connection()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection with a transaction open, which is kept whole or not at all.

        Raises:
            ApiError: The database can't be used.
        """
        with self._lock, self._told(), transaction(self._connection()) as db:
            yield db

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, NewerSchemaError) as error:
            raise storage_error(self.path, error) from error

    def _connection(self) -> sqlite3.Connection:
        self._leave_or_keep()
        if self._opened and not self.path.exists():  # somebody has removed the folder under us
            _close_all(self._opened)
        if not self._opened:
            db = open_shared(self.path, timeout_s=_PATIENCE_S)
            try:
                db.row_factory = sqlite3.Row
                migrate(db, self._steps)
            except BaseException:
                db.close()
                raise
            self._opened.append(db)
        return self._opened[0]

    def _leave_or_keep(self) -> None:
        if self._process != os.getpid():  # a forked process must not use its parent's connection
            leave_to_parent(*self._opened)
            self._opened.clear()
            self._process = os.getpid()


def storage_error(path: Path, error: Exception) -> ApiError:
    """Return the error for a file or folder of the platform that can't be used: a full disk, rights, damage."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    message = f"{path} can't be used: {reason}. Make room there, or set AGENTKIT_HOME to another folder."
    return ApiError(message, status=500, kind="server_error", code="storage_error", headers={"x-should-retry": "false"})


def _close_all(opened: list[sqlite3.Connection]) -> None:
    while opened:
        opened.pop().close()
