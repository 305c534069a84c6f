"""What a storage with tables does in the same way in every database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from agentkit.local.vector_stores.passages import Chunk
from agentkit.local.vector_stores.storage import (
    BatchRecord,
    FileCounts,
    FileRecord,
    FileStatus,
    Indexing,
    Page,
    StoreRecord,
)
from agentkit.local.vector_stores.tables import Connected, Tables

__all__ = ["TableStorage"]

Db = TypeVar("Db", bound=Connected)
T = TypeVar("T")


class TableStorage(ABC, Generic[Db]):
    """The part of `agentkit.local.vector_stores.storage.VectorStorage` that its tables alone are asked for."""

    tables: ClassVar[Tables]
    """How they are asked."""

    @abstractmethod
    def read(self, work: Callable[[Db], T]) -> T:
        """Return what `work` finds over a connection that sees one state of the database. It may be called again.

        Raises:
            StorageError: It can't be read.
        """

    @abstractmethod
    def write(self, work: Callable[[Db], T]) -> T:
        """Return what `work` does in a transaction, kept whole or not at all. It may be called again.

        Raises:
            StorageError: It can't be written.
        """

    @abstractmethod
    def _remove(self, db: Db, numbers: Sequence[int]) -> int:
        """Forget files with their chunks; return how many there were."""

    # Stores

    def create_store(self, store: StoreRecord) -> None:
        """Keep a new store."""
        self.write(lambda db: self.tables.create_store(db, store))

    def get_store(self, store_id: str) -> StoreRecord | None:
        """Return a store, or None."""
        return self.read(lambda db: self.tables.get_store(db, store_id))

    def put_store(self, store: StoreRecord) -> bool:
        """Replace what is kept of a store; return whether it is there. `embedder` and `dimensions` are left alone."""
        return self.write(lambda db: self.tables.put_store(db, store))

    def list_stores(self, page: Page) -> list[StoreRecord]:
        """Return a page of stores, and one more, last, where there are more.

        Raises:
            KeyError: No store has the cursor's id.
        """
        return self.read(lambda db: self.tables.list_stores(db, page))

    def count_files(self, store_id: str, *, batch_id: str | None = None) -> FileCounts:
        """Return how many files of a store, or of a batch, are in which status."""
        return self.read(lambda db: self.tables.count_files(db, store_id, batch_id))

    def indexing(self, store_id: str, batch_id: str) -> Indexing:
        """Return how far the files of a batch are."""
        return self.read(lambda db: self.tables.indexing(db, store_id, batch_id))

    def usage_bytes(self, store_id: str) -> int:
        """Return the bytes of its files' texts and vectors."""
        return self.read(lambda db: self.tables.usage_bytes(db, store_id))

    # Files in stores

    def get_file(self, store_id: str, file_id: str) -> FileRecord | None:
        """Return a file of a store, or None."""
        return self.read(lambda db: self.tables.get_file(db, store_id, file_id))

    def list_files(
        self, store_id: str, page: Page, *, status: FileStatus | None = None, batch_id: str | None = None
    ) -> list[FileRecord]:
        """Return a page of files, and one more, last, where there are more.

        Raises:
            KeyError: No file of the store has the cursor's id.
        """
        return self.read(lambda db: self.tables.list_files(db, store_id, page, status, batch_id))

    def remove_file(self, store_id: str, file_id: str) -> bool:
        """Take a file with its chunks out of a store; return whether it was there."""
        return self.write(lambda db: self._remove(db, self.tables.file_numbers(db, file_id, store_id))) > 0

    def remove_file_everywhere(self, file_id: str) -> int:
        """Take a file out of all stores; return of how many."""
        return self.write(lambda db: self._remove(db, self.tables.file_numbers(db, file_id)))

    def get_batch(self, store_id: str, batch_id: str) -> BatchRecord | None:
        """Return a batch, or None."""
        return self.read(lambda db: self.tables.get_batch(db, store_id, batch_id))

    def file_chunks(self, store_id: str, file_id: str) -> list[Chunk]:
        """Return all chunks of a file in order."""
        return self.read(lambda db: self.tables.file_chunks(db, store_id, file_id))
