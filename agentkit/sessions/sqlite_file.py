"""A SQLite database that all sessions of this process share: one connection to a file, used by one thread at a time."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from agentkit._sqlite import file_identity, is_busy, leave_to_parent, open_shared, transaction
from agentkit.exceptions import UserError

__all__ = ["IN_MEMORY", "SQLiteFile", "transaction"]

T = TypeVar("T")

IN_MEMORY = ":memory:"
"""The path of a database without a file."""

_BUSY_S = 10.0
"""How long to wait for another process's write."""

_files: weakref.WeakValueDictionary[str, SQLiteFile] = weakref.WeakValueDictionary()
_files_lock = threading.Lock()


class SQLiteFile:
    """A database in a file, or in memory. It is opened at its first use, and closed when nothing holds it any more.

    Args:
        path: The file, or `:memory:`.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._prepared: set[Callable[[sqlite3.Connection], None]] = set()
        self._opened_as: tuple[int, int] | None = None
        self._pid = os.getpid()
        self._closing: weakref.finalize[Any, Any] | None = None

    @classmethod
    def at(cls, path: str | Path) -> SQLiteFile:
        """Return the database at `path`, the same for all who ask; one of its own for `:memory:`.

        Raises:
            UserError: The path is empty.
        """
        if str(path) == IN_MEMORY:
            return cls(IN_MEMORY)
        if not str(path):
            raise UserError("A session's db_path is empty.", hint='Give it a file, or ":memory:".')
        name = os.path.abspath(os.path.expanduser(path))
        with _files_lock:
            file = _files.get(name)
            if file is None:
                file = _files[name] = cls(name)
            return file

    def do(self, prepare: Callable[[sqlite3.Connection], None], work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` gives.

        Args:
            prepare: Makes the tables that it needs; called once for each connection.
            work: Is given the connection, for itself.

        Raises:
            UserError: The file can't be used.
        """
        if self._pid != os.getpid():
            self._leave_to_parent()
        with self._lock:
            try:
                connection = self._current()
                if prepare not in self._prepared:
                    with transaction(connection):
                        prepare(connection)
                    self._prepared.add(prepare)
                return work(connection)
            except sqlite3.Error as error:
                raise self._told(error) from error

    def close(self) -> None:
        """Close it. It is opened again when it is used again; what was in memory is gone."""
        with self._lock:
            self._drop()

    def _current(self) -> sqlite3.Connection:
        """Return the connection, a new one where the file has been removed or replaced."""
        if self._connection is not None and self._opened_as == self._identity():
            return self._connection
        self._drop()
        connection = self._open()
        self._connection, self._opened_as = connection, self._identity()
        self._closing = weakref.finalize(self, connection.close)
        return connection

    def _open(self) -> sqlite3.Connection:
        if self.path == IN_MEMORY:
            return sqlite3.connect(IN_MEMORY, check_same_thread=False, isolation_level=None)
        try:
            return open_shared(Path(self.path), timeout_s=_BUSY_S)
        except OSError as error:
            raise UserError(f"The session's file {self.path} can't be made: {error.strerror}.") from error

    def _leave_to_parent(self) -> None:
        """In a forked child: take a lock that no thread holds, and let the parent's connection be."""
        self._lock, self._pid = threading.Lock(), os.getpid()
        if self.path != IN_MEMORY and self._closing is not None and self._connection is not None:
            self._closing.detach()
            leave_to_parent(self._connection)
            self._connection = self._closing = None

    def _drop(self) -> None:
        if self._closing is not None:
            self._closing()
        self._connection = self._closing = None
        self._prepared.clear()

    def _identity(self) -> tuple[int, int] | None:
        return None if self.path == IN_MEMORY else file_identity(self.path)

    def _told(self, error: sqlite3.Error) -> UserError:
        if is_busy(error):
            hint = f"Another program has been writing to it for {_BUSY_S:g} s; try again when it is done."
        else:
            hint = "Is it a SQLite file, in a folder that can be written to?"
        return UserError(f"The session can't be kept in {self.path}: {error}.", hint=hint)
