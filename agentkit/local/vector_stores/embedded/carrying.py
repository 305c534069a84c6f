"""Whole files of the embedded engine's stores, read and written as they are, to copy stores elsewhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from agentkit.local.vector_stores.embedded import attaching, indexing
from agentkit.local.vector_stores.embedded.records import TABLES
from agentkit.local.vector_stores.moving import CarriedFile
from agentkit.local.vector_stores.storage import BatchRecord, StoreRecord

if TYPE_CHECKING:
    from agentkit.local.vector_stores.embedded.storage import EmbeddedStorage

__all__ = ["EmbeddedCarrier"]


class EmbeddedCarrier:
    """Implements `agentkit.local.vector_stores.moving.Carrier`.

    Args:
        storage: The storage.
    """

    def __init__(self, storage: EmbeddedStorage) -> None:
        self._storage = storage

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
        self._storage.write(lambda db: _write_file(db, store, file))

    def finish(self, store_id: str) -> None:
        """Nothing: what is derived catches up with the next search."""


def _read_file(db: sqlite3.Connection, store_id: str, file_id: str) -> CarriedFile | None:
    record = TABLES.get_file(db, store_id, file_id)
    if record is None:
        return None
    query = """SELECT v.chunk, v.data, s.dimensions FROM vectors AS v JOIN files AS f ON f.number = v.file
        JOIN stores AS s ON s.number = f.store WHERE v.file = ?"""
    found = db.execute(query, (record.revision,)).fetchall()
    vectors = {key: np.frombuffer(data, "<f4").reshape(-1, length) for key, data, length in found}
    chunks = TABLES.keyed_chunks(db, record.revision)
    return CarriedFile(record, list(chunks.values()), [vectors.get(key) for key in chunks])


def _write_file(db: sqlite3.Connection, store: StoreRecord, file: CarriedFile) -> None:
    record = file.record
    attaching.add_files(db, [file.attached], None)
    fresh = TABLES.get_file(db, record.store_id, record.file_id)
    assert fresh is not None
    if record.content_hash is not None:
        indexing.put_chunks(db, fresh, file.chunks, record.content_hash, file.needs_vectors)
    vectors = TABLES.keyed(db, fresh.revision, file.vectors)
    indexing.put_vectors(db, record.store_id, store.embedder or "", vectors)
    TABLES.put_state(db, fresh.revision, record)
