"""Whole files of the embedded engine's stores, read and written as they are, to copy stores elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from agentkit.local.vector_stores.embedded import attaching, indexing
from agentkit.local.vector_stores.embedded.records import CHUNK, as_chunk, dumped, store_number
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
        self._database = storage._database

    def batches(self, store_id: str) -> list[BatchRecord]:
        """Return a store's batches."""
        query = "SELECT b.id, b.created_at, b.cancelled FROM batches AS b JOIN stores AS s ON s.number = b.store"
        with self._database.reading() as db:
            rows = db.execute(f"{query} WHERE s.id = ? ORDER BY b.created_at, b.id", (store_id,)).fetchall()
        return [BatchRecord(batch_id, store_id, at, bool(cancelled)) for batch_id, at, cancelled in rows]

    def begin(self, store: StoreRecord, batches: Sequence[BatchRecord]) -> None:
        """Make a store, its embedder included, or bring one that is there up to this; and add batches it lacks."""
        if not self._storage.put_store(store):
            self._storage.create_store(store)
        with self._database.writing() as db:
            query = "UPDATE stores SET embedder = ?, dimensions = ?, metadata = ? WHERE id = ?"
            db.execute(query, (store.embedder, store.dimensions, dumped(store.metadata), store.id))
            number = store_number(db, store.id)
            rows = [(batch.id, number, batch.created_at, batch.cancelled) for batch in batches]
            db.executemany("INSERT OR REPLACE INTO batches VALUES (?, ?, ?, ?)", rows)

    def read_file(self, store_id: str, file_id: str) -> CarriedFile | None:
        """Return all that there is of a file, of one moment; None where it isn't there."""
        with self._database.reading() as db:
            record = attaching.get_file(db, store_id, file_id)
            if record is None:
                return None
            query = f"""SELECT c.key, {CHUNK} FROM files AS f
                JOIN chunks AS c ON c.key BETWEEN f.first_chunk AND f.first_chunk + f.chunks - 1
                WHERE f.number = ? ORDER BY c.key"""
            rows = db.execute(query, (record.revision,)).fetchall()
            query = """SELECT v.chunk, v.data, s.dimensions FROM vectors AS v JOIN files AS f ON f.number = v.file
                JOIN stores AS s ON s.number = f.store WHERE v.file = ?"""
            found = db.execute(query, (record.revision,)).fetchall()
        vectors = {key: np.frombuffer(data, "<f4").reshape(-1, length) for key, data, length in found}
        return CarriedFile(record, [as_chunk(row[1:]) for row in rows], [vectors.get(row[0]) for row in rows])

    def write_file(self, store: StoreRecord, file: CarriedFile) -> None:
        """Keep a file as it is, all or nothing, in place of the one that is there."""
        record = file.record
        attached = replace(record, status="in_progress", error_code=None, error_message=None)
        follow = record.status == "in_progress" or any(one is not None for one in file.vectors)
        with self._database.writing() as db:
            attaching.add_files(db, [attached], None)
            fresh = attaching.get_file(db, record.store_id, record.file_id)
            assert fresh is not None
            if record.content_hash is not None:
                indexing.put_chunks(db, fresh, file.chunks, record.content_hash, follow)
            query = "SELECT first_chunk FROM files WHERE number = ?"
            first = db.execute(query, (fresh.revision,)).fetchone()[0]
            vectors = [(first + n, one) for n, one in enumerate(file.vectors) if one is not None]
            indexing.put_vectors(db, record.store_id, store.embedder or "", vectors)
            query = "UPDATE files SET status = ?, error_code = ?, error_message = ?, usage_bytes = ? WHERE number = ?"
            state = (record.status, record.error_code, record.error_message, record.usage_bytes)
            db.execute(query, (*state, fresh.revision))

    def finish(self, store_id: str) -> None:
        """Nothing: what is derived catches up with the next search."""
