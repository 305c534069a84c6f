"""Files in stores: attached, changed and taken out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from agentkit.local.vector_stores.embedded.records import TABLES
from agentkit.local.vector_stores.passages import Attributes
from agentkit.local.vector_stores.storage import BatchRecord, FileRecord
from agentkit.local.vector_stores.tables import dumped

__all__ = [
    "add_files",
    "cancel_batch",
    "delete_store",
    "discard_chunks",
    "remove_files",
    "set_attributes",
    "sweep",
]

_SWEPT_AT_ONCE = 5_000


def add_files(db: sqlite3.Connection, files: Sequence[FileRecord], batch: BatchRecord | None) -> None:
    """Attach files to be indexed.

    Raises:
        StorageError: A store isn't there.
    """
    numbers = TABLES.number_stores(db, files, batch)
    for file in files:
        store = numbers[file.store_id]
        query = "SELECT number FROM files WHERE store = ? AND file_id = ?"
        remove_files(db, [number for (number,) in db.execute(query, (store, file.file_id)).fetchall()])
        TABLES.insert(db, "files", TABLES.file_row(store, file))


def set_attributes(db: sqlite3.Connection, store_id: str, file_id: str, attributes: Attributes) -> FileRecord | None:
    """Replace a file's attributes. None where it isn't there."""
    store = TABLES.store_number(db, store_id)
    query = "UPDATE files SET attributes = ? WHERE store = ? AND file_id = ?"
    if not db.execute(query, (dumped(attributes), store, file_id)).rowcount:
        return None
    db.execute("UPDATE stores SET changes = changes + 1 WHERE number = ?", (store,))
    return TABLES.get_file(db, store_id, file_id)


def remove_files(db: sqlite3.Connection, numbers: Iterable[int]) -> int:
    """Forget files with their chunks; return how many there were."""
    removed = 0
    for number in numbers:
        discard_chunks(db, number)
        removed += db.execute("DELETE FROM files WHERE number = ?", (number,)).rowcount
    return removed


def discard_chunks(db: sqlite3.Connection, number: int) -> None:
    """Forget a file's chunks and vectors, and see to it that the indexes do so too."""
    query = "SELECT store, first_chunk, chunks FROM files WHERE number = ?"
    row = db.execute(query, (number,)).fetchone()
    if row is None or row[1] is None:
        return
    store, first, count = row
    _delete_chunks(db, number, first, count)
    query = """UPDATE files SET first_chunk = NULL, chunks = 0, embedded = 0, usage_bytes = 0, last_vector = 0
        WHERE number = ?"""
    db.execute(query, (number,))
    removal = db.execute("INSERT INTO removals (store, file) VALUES (?, ?)", (store, number)).lastrowid
    query = "UPDATE stores SET chunks = chunks - ?, last_removal = ?, changes = changes + 1 WHERE number = ?"
    db.execute(query, (count, removal, store))


def delete_store(db: sqlite3.Connection, store_id: str) -> int | None:
    """Forget a store with all in it; its chunks are left to `sweep`. Return its number, or None if it wasn't there."""
    store = TABLES.store_number(db, store_id)
    if store is None:
        return None
    query = "SELECT number, first_chunk, chunks FROM files WHERE store = ? AND first_chunk IS NOT NULL"
    db.execute(f"INSERT INTO litter {query}", (store,))
    for table, column in (("files", "store"), ("batches", "store"), ("removals", "store"), ("stores", "number")):
        db.execute(f"DELETE FROM {table} WHERE {column} = ?", (store,))
    return store


def sweep(db: sqlite3.Connection) -> bool:
    """Delete chunks of stores that are gone, but not so many that others wait long; return whether there are more."""
    swept = 0
    for file, first, count in db.execute("SELECT file, first_chunk, chunks FROM litter LIMIT 500").fetchall():
        if swept >= _SWEPT_AT_ONCE:
            break
        _delete_chunks(db, file, first, count)
        db.execute("DELETE FROM litter WHERE file = ?", (file,))
        swept += count
    return db.execute("SELECT 1 FROM litter LIMIT 1").fetchone() is not None


def _delete_chunks(db: sqlite3.Connection, file: int, first: int, count: int) -> None:
    db.execute("DELETE FROM chunks WHERE key BETWEEN ? AND ?", (first, first + count - 1))
    db.execute("DELETE FROM vectors WHERE file = ?", (file,))
    db.execute("DELETE FROM waiting WHERE file = ?", (file,))


def cancel_batch(db: sqlite3.Connection, store_id: str, batch_id: str) -> BatchRecord | None:
    """Cancel what of a batch isn't indexed yet. None where there is no such batch."""
    if TABLES.get_batch(db, store_id, batch_id) is None:
        return None
    db.execute("UPDATE batches SET cancelled = 1 WHERE id = ?", (batch_id,))
    query = "SELECT number FROM files WHERE batch_id = ? AND store = ? AND status = 'in_progress'"
    for (number,) in db.execute(query, (batch_id, TABLES.store_number(db, store_id))).fetchall():
        discard_chunks(db, number)
        db.execute("UPDATE files SET status = 'cancelled', worker = NULL WHERE number = ?", (number,))
    return TABLES.get_batch(db, store_id, batch_id)
