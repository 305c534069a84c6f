"""Whole files of stores in PostgreSQL, read and written as they are, to copy stores elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from agentkit.local.vector_stores.moving import CarriedFile
from agentkit.local.vector_stores.postgres import attaching, indexing, nearest
from agentkit.local.vector_stores.postgres.records import CHUNK, as_chunk, storable, store_number
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
        self._connections = storage.connections
        self._written = 0

    def batches(self, store_id: str) -> list[BatchRecord]:
        """Return a store's batches."""
        query = """SELECT b.id, b.created_at, b.cancelled FROM batches AS b JOIN stores AS s ON s.number = b.store
            WHERE s.id = %s ORDER BY b.created_at, b.id"""
        rows = self._connections.read(lambda db: db.execute(query, (storable(store_id),)).fetchall())
        return [BatchRecord(batch_id, store_id, at, cancelled) for batch_id, at, cancelled in rows]

    def begin(self, store: StoreRecord, batches: Sequence[BatchRecord]) -> None:
        """Make a store, its embedder included, or bring one that is there up to this; and add batches it lacks."""
        if not self._storage.put_store(store):
            self._storage.create_store(store)

        def begin(db: psycopg.Connection[Any]) -> None:
            query = "UPDATE stores SET embedder = %s, dimensions = %s WHERE id = %s"
            db.execute(query, (store.embedder, store.dimensions, storable(store.id)))
            number = store_number(db, store.id)
            query = """INSERT INTO batches VALUES (%s, %s, %s, %s)
                ON CONFLICT (id) DO UPDATE SET cancelled = excluded.cancelled"""
            for batch in batches:
                db.execute(query, (storable(batch.id), number, batch.created_at, batch.cancelled))

        self._connections.write(begin)

    def read_file(self, store_id: str, file_id: str) -> CarriedFile | None:
        """Return all that there is of a file, of one moment; None where it isn't there."""
        return self._connections.read(lambda db: _read_file(db, store_id, file_id))

    def write_file(self, store: StoreRecord, file: CarriedFile) -> None:
        """Keep a file as it is, all or nothing, in place of the one that is there."""
        words = packed(file.chunks)
        home = self._storage.home_id()
        self._connections.write(lambda db: _write_file(db, store, file, words, home))
        self._written += 1
        if self._written % _MERGED_EVERY == 0:
            self._storage.merge(store.id)

    def finish(self, store_id: str) -> None:
        """Merge what words are found by, and make the index of vectors where they are many."""
        self._storage.merge(store_id)
        number = self._connections.read(lambda db: store_number(db, store_id))
        if number is not None:
            nearest.make_index(self._connections, number)


def _read_file(db: psycopg.Connection[Any], store_id: str, file_id: str) -> CarriedFile | None:
    record = attaching.get_file(db, store_id, file_id)
    if record is None:
        return None
    query = f"""SELECT c.key, {CHUNK} FROM files AS f
        JOIN chunks AS c ON c.key BETWEEN f.first_chunk AND f.first_chunk + f.chunks - 1
        WHERE f.number = %s ORDER BY c.key"""
    rows = db.execute(query, (record.revision,)).fetchall()
    query = """SELECT v.chunk, v.vector FROM vectors AS v JOIN files AS f ON f.store = v.store AND f.number = v.file
        WHERE f.number = %s ORDER BY v.chunk, v.position"""
    windows: dict[int, list[np.ndarray]] = {}
    for key, vector in db.cursor(binary=True).execute(query, (record.revision,)):
        windows.setdefault(key, []).append(vector.to_numpy())
    vectors = [np.array(windows[row[0]], np.float32) if row[0] in windows else None for row in rows]
    return CarriedFile(record, [as_chunk(row[1:]) for row in rows], vectors)


def _write_file(
    db: psycopg.Connection[Any], store: StoreRecord, file: CarriedFile, words: bytes, home: str | None
) -> None:
    record = file.record
    attached = replace(record, status="in_progress", error_code=None, error_message=None)
    follow = record.status == "in_progress" or any(one is not None for one in file.vectors)
    attaching.add_files(db, [attached], None, home)
    fresh = attaching.get_file(db, record.store_id, record.file_id)
    assert fresh is not None
    if record.content_hash is not None:
        indexing.put_chunks(db, fresh, file.chunks, words, record.content_hash, follow)
    row = db.execute("SELECT first_chunk FROM files WHERE number = %s", (fresh.revision,)).fetchone()
    first = 0 if row is None or row[0] is None else row[0]
    vectors = [(first + n, one) for n, one in enumerate(file.vectors) if one is not None]
    indexing.put_vectors(db, record.store_id, store.embedder or "", vectors)
    query = "UPDATE files SET status = %s, error_code = %s, error_message = %s, usage_bytes = %s WHERE number = %s"
    message = None if record.error_message is None else storable(record.error_message)
    db.execute(query, (record.status, record.error_code, message, record.usage_bytes, fresh.revision))
