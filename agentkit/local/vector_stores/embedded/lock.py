"""A lock between processes, which a process that ends lets go, however it ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agentkit._home import make_private_file
from agentkit._sqlite import is_busy
from agentkit.local.vector_stores.storage import StorageError

__all__ = ["locked"]

_PATIENCE_S = 600.0
"""An index of a million chunks takes a minute to be built anew."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep all other processes and threads that want the same out until the end of the block.

    SQLite's own lock, on an empty database: it is the same on all systems, and leaves nothing behind.

    Raises:
        StorageError: Somebody else has kept it for ten minutes.
        OSError: The file can't be made.
    """
    make_private_file(path)
    connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
    try:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if not is_busy(error):
                raise
            advice = "Try again, or end the process that is at it."
            raise StorageError(f"{path} has been locked for {_PATIENCE_S:.0f} s: {error}. {advice}") from error
        yield
    finally:
        connection.close()
