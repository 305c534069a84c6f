"""Telling whether anything was written to the store since one last looked, without reading it."""

from __future__ import annotations

import sqlite3

from agentkit._sqlite import file_identity
from agentkit.tracing.store import store_path

__all__ = ["StoreChanges"]

_BUSY_TIMEOUT_S = 1.0


class StoreChanges:
    """Notices what any process writes to the store. Any thread may ask, one at a time."""

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._seen: tuple[object, ...] = ()

    def changed(self) -> bool:
        """Return whether something was written since the last call, or the store is another one now."""
        path = store_path()
        identity = file_identity(path)
        if self._connection is not None and self._seen[:3] != (str(path), *identity):
            self.close()
        try:
            if self._connection is None and identity != (0, 0):
                # The version that SQLite counts is the connection's own: it has to be the same one each time.
                address = f"{path.absolute().as_uri()}?mode=ro"
                self._connection = sqlite3.connect(
                    address, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
                )
            version = self._connection and self._connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:  # whoever reads the store next says what is wrong with it
            self.close()
            version = None
        seen = (str(path), *identity, version)
        changed, self._seen = seen != self._seen, seen
        return changed

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
