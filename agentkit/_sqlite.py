"""SQLite files that several processes use at once: opened, brought up to date, and changed whole or not at all."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from agentkit._home import make_private_file

__all__ = [
    "NewerSchemaError",
    "file_identity",
    "is_busy",
    "is_corrupt",
    "leave_to_parent",
    "migrate",
    "open_shared",
    "open_to_read",
    "set_aside",
    "transaction",
]

_RETRY_S = 0.01

_of_parents: list[sqlite3.Connection] = []


class NewerSchemaError(Exception):
    """The file was written by a later agentkit than this.

    Args:
        version: Of the file's tables.
        known: The last version that this agentkit knows.
    """

    def __init__(self, version: int, known: int) -> None:
        super().__init__(f"version {version}, and this agentkit knows {known}")
        self.version = version


def open_shared(path: Path, *, timeout_s: float, page_bytes: int | None = None) -> sqlite3.Connection:
    """Return a connection that reads and writes, with no transaction open. Makes the folder and the file, privately.

    Others may read while one writes (WAL). A killed process loses nothing that it has committed; a power cut, the last
    moments. Any thread may use the connection, one at a time.

    Args:
        path: The file.
        timeout_s: How long to wait for another's write; at 0, SQLite says at once that it is busy.
        page_bytes: Size of its pages, where the file is made now; None: SQLite's default.

    Raises:
        OSError: The folder or the file can't be made.
        sqlite3.Error: The file can't be used.
    """
    make_private_file(path)
    connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
    try:
        if page_bytes is not None:
            connection.execute(f"PRAGMA page_size = {page_bytes:d}")
        _share(connection, timeout_s)
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _share(connection: sqlite3.Connection, timeout_s: float) -> None:
    """Go over to WAL. Who does so first may be refused at once, whatever the timeout, while another does the same."""
    until = time.monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= until:
                raise
            time.sleep(_RETRY_S)


def open_to_read(path: Path, *, timeout_s: float) -> sqlite3.Connection:
    """Return a connection that only reads, and makes no file.

    Args:
        path: The file.
        timeout_s: How long to wait for who keeps it locked.

    Raises:
        sqlite3.Error: There is no such file, or it can't be read. Some of that shows at the first statement only.
    """
    how = "mode=ro"
    if not os.access(path.parent, os.W_OK) and not os.path.exists(f"{path}-shm"):
        how += "&immutable=1"  # else SQLite wants to make that file; nobody has the database open, or could begin to
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=timeout_s)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Open a transaction that is kept whole or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some errors, such as a full disk, have ended it already
            connection.execute("ROLLBACK")
        raise


def migrate(connection: sqlite3.Connection, steps: Sequence[Sequence[str]]) -> None:
    """Bring the tables up to date, all or none of the way. The file's `user_version` says how far they are.

    Args:
        connection: Open, without a transaction.
        steps: The statements that lead from each version to the next; version 0 is an empty file.

    Raises:
        NewerSchemaError: They are ahead of `steps`.
        sqlite3.Error: It can't be done.
    """
    if _version(connection) == len(steps):
        return
    with transaction(connection):  # one process does it; the others wait here, and find it done
        version = _version(connection)
        if version > len(steps):
            raise NewerSchemaError(version, len(steps))
        for statements in steps[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def file_identity(path: str | Path) -> tuple[int, int]:
    """Return what tells a file from another that takes its place; (0, 0) where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def is_busy(error: BaseException) -> bool:
    """Return whether somebody else's use of the file is what is wrong, so that it may work a little later."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_corrupt(error: BaseException) -> bool:
    """Return whether the file is damaged, or no database."""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _code(error: BaseException) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF  # extended codes tell more in the higher bits


def set_aside(path: Path) -> Path:
    """Rename a damaged file, with what SQLite keeps beside it, and return its new path. Close it first.

    Raises:
        OSError: It can't be renamed.
    """
    stamp = f".corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"
    for beside in ("-wal", "-shm", ""):
        try:
            os.rename(f"{path}{beside}", f"{path}{stamp}{beside}")
        except FileNotFoundError:
            continue
    return Path(f"{path}{stamp}")


def leave_to_parent(*connections: sqlite3.Connection) -> None:
    """In a forked child: hold connections that it has inherited, so that they are neither used nor closed here.

    SQLite asks for that. To close one would drop the locks that the parent has on the file.
    """
    _of_parents.extend(connections)
