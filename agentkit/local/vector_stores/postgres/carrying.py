"""Whole files of stores in PostgreSQL, read and written as they are, to copy stores elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from agentkit.local.vector_stores.moving import CarriedFile
from agentkit.local.vector_stores.postgres import attaching, indexing, nearest
from agentkit.local.vector_stores.postgres.records import TABLES
from agentkit.local.vector_stores.postgres.segments import packed
from agentkit.local.vector_stores.storage import BatchRecord, StoreRecord

if TYPE_CHECKING:
    import psycopg

    from agentkit.local.vector_stores.postgres.storage import PostgresStorage

__all__ = ["PostgresCarrier"]

_MERGED_EVERY = 256


class PostgresCarrier:
    """Implements `agentkit.local.vector_stores.moving.Carrier`.

    Args:
        storage: The storage.
    """

    def __init__(self, storage: PostgresStorage) -> None:
        self._storage = storage
        self._written = 0

    def batches(self, store_id: str) -> list[BatchRecord]:
        """Return a store's batches."""
        return self._storage.read(lambda db: TABLES.batches(db, store_id))

    def begin(self, store: StoreRecord, batches: Sequence[BatchRecord]) -> None:
        """Make a store, its embedder included, or bring one that is there up to this; and add batches it lacks."""
        self._storage.write(lambda db: TABLES.take_over(db, store, batches))

    def read_file(self, store_id: str, file_id: str) -> CarriedFile | None:
        """Return all that there is of a file, of one moment; None where it isn't there."""
        return self._storage.read(lambda db: _read_file(db, store_id, file_id))

    def write_file(self, store: StoreRecord, file: CarriedFile) -> None:
        """Keep a file as it is, all or nothing, in place of the one that is there."""
        words = packed(file.chunks)
        home = self._storage.home_id()
        self._storage.write(lambda db: _write_file(db, store, file, words, home))
        self._written += 1
        if self._written % _MERGED_EVERY == 0:
            self._storage.merge(store.id)

    def finish(self, store_id: str) -> None:
        """Merge what words are found by, and make the index of vectors where they are many."""
        self._storage.merge(store_id)
        number = self._storage.read(lambda db: TABLES.store_number(db, store_id))
        if number is not None:
            nearest.make_index(self._storage.connections, number)


def _read_file(db: psycopg.Connection[Any], store_id: str, file_id: str) -> CarriedFile | None:
    record = TABLES.get_file(db, store_id, file_id)
    if record is None:
        return None
    query = """SELECT v.chunk, v.vector FROM vectors AS v JOIN files AS f ON f.store = v.store AND f.number = v.file
        WHERE f.number = %s ORDER BY v.chunk, v.position"""
    windows: dict[int, list[np.ndarray]] = {}
    for key, vector in db.cursor(binary=True).execute(query, (record.revision,)):
        windows.setdefault(key, []).append(vector.to_numpy())
    chunks = TABLES.keyed_chunks(db, record.revision)
    vectors = [np.array(windows[key], np.float32) if key in windows else None for key in chunks]
    return CarriedFile(record, list(chunks.values()), vectors)


def _write_file(
    db: psycopg.Connection[Any], store: StoreRecord, file: CarriedFile, words: bytes, home: str | None
) -> None:
    record = file.record
    attaching.add_files(db, [file.attached], None, home)
    fresh = TABLES.get_file(db, record.store_id, record.file_id)
    assert fresh is not None
    if record.content_hash is not None:
        indexing.put_chunks(db, fresh, file.chunks, words, record.content_hash, file.needs_vectors)
    vectors = TABLES.keyed(db, fresh.revision, file.vectors)
    indexing.put_vectors(db, record.store_id, store.embedder or "", vectors)
    TABLES.put_state(db, fresh.revision, record)
