"""What every index of one store has: its folder, its tables, and what to say where the folder can't be used."""

from __future__ import annotations

import threading
from pathlib import Path

from agentkit.local.vector_stores.embedded.database import Database
from agentkit.local.vector_stores.storage import StorageError

__all__ = ["Derived"]


class Derived:
    """What is derived from one store's tables, and made anew whenever it doesn't fit them.

    Args:
        folder: Where it lies. It is made when it is needed.
        store: The store, as rows name it.
        database: The truth.
    """

    def __init__(self, folder: Path, store: int, database: Database) -> None:
        self._folder = folder
        self._store = store
        self._database = database
        self._lock = threading.RLock()

    def _unusable(self, what: str, error: Exception) -> StorageError:
        advice = "Make room there if the disk is full; nothing that was kept is lost, and what is there is made anew."
        return StorageError(f"{what} in {self._folder} can't be written or read: {error}. {advice}")
