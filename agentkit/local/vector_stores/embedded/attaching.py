"""Files in stores: attached, listed, changed and taken out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from agentkit.local.vector_stores.embedded.records import FILE, as_file, dumped, page_of, store_number
from agentkit.local.vector_stores.passages import Attributes
from agentkit.local.vector_stores.storage import (
    BatchRecord,
    FileCounts,
    FileRecord,
    FileStatus,
    Page,
    StorageError,
)

__all__ = [
    "add_files",
    "cancel_batch",
    "count_files",
    "delete_store",
    "discard_chunks",
    "get_batch",
    "get_file",
    "list_files",
    "note_change",
    "remove_files",
    "set_attributes",
    "sweep",
    "usage_bytes",
]

_SWEPT_AT_ONCE = 5_000
_FROM = f"SELECT {FILE} FROM files AS f JOIN stores AS s ON s.number = f.store"


def get_file(db: sqlite3.Connection, store_id: str, file_id: str) -> FileRecord | None:
    """Return a file of a store, or None."""
    row = db.execute(f"{_FROM} WHERE s.id = ? AND f.file_id = ?", (store_id, file_id)).fetchone()
    return None if row is None else as_file(row)


def list_files(
    db: sqlite3.Connection, store_id: str, page: Page, status: FileStatus | None, batch_id: str | None
) -> list[FileRecord]:
    """Return a page of files.

    Raises:
        KeyError: No file of the store has the cursor's id.
    """
    store = store_number(db, store_id)
    query, values = f"{_FROM} WHERE f.store = ?", [store, *(one for one in (status, batch_id) if one is not None)]
    query += "" if status is None else " AND f.status = ?"
    query += "" if batch_id is None else " AND f.batch_id = ?"
    # A file that has gone over to another status since the page before is still a cursor.
    cursor = "SELECT created_at, number FROM files WHERE store = ? AND file_id = ?"
    rows = page_of(db, query, values, page, table="f", cursor=cursor, among=(store,))
    return [as_file(row) for row in rows]


def count_files(db: sqlite3.Connection, store_id: str, batch_id: str | None) -> FileCounts:
    """Return how many files of a store, or of a batch, are in which status."""
    values: tuple[object, ...] = (store_number(db, store_id),)
    query = "SELECT status, COUNT(*) FROM files WHERE store = ?"
    if batch_id is not None:
        query, values = f"{query} AND batch_id = ?", (*values, batch_id)
    return FileCounts(**dict(db.execute(f"{query} GROUP BY status", values).fetchall()))


def usage_bytes(db: sqlite3.Connection, store_id: str) -> int:
    """Return the bytes of the files' texts and vectors."""
    query = "SELECT COALESCE(SUM(usage_bytes), 0) FROM files WHERE store = ?"
    used: int = db.execute(query, (store_number(db, store_id),)).fetchone()[0]
    return used


def add_files(db: sqlite3.Connection, files: Sequence[FileRecord], batch: BatchRecord | None) -> None:
    """Attach files to be indexed.

    Raises:
        StorageError: A store isn't there.
    """
    numbers: dict[str, int] = {}
    for store_id in {file.store_id for file in files} | ({batch.store_id} if batch else set()):
        number = store_number(db, store_id)
        if number is None:
            raise StorageError(f"There is no vector store {store_id!r} to attach files to. Create it first.")
        numbers[store_id] = number
    if batch is not None:
        row = (batch.id, numbers[batch.store_id], batch.created_at, batch.cancelled)
        db.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", row)
    for file in files:
        store = numbers[file.store_id]
        query = "SELECT number FROM files WHERE store = ? AND file_id = ?"
        remove_files(db, [number for (number,) in db.execute(query, (store, file.file_id)).fetchall()])
        _insert(db, store, file)


def _insert(db: sqlite3.Connection, store: int, file: FileRecord) -> None:
    row = {
        "store": store,
        "file_id": file.file_id,
        "filename": file.filename,
        "created_at": file.created_at,
        "status": file.status,
        "error_code": file.error_code,
        "error_message": file.error_message,
        "attributes": dumped(file.attributes),
        "max_tokens": file.chunking.max_tokens,
        "overlap_tokens": file.chunking.overlap_tokens,
        "auto_chunking": file.auto_chunking,
        "batch_id": file.batch_id,
    }
    db.execute(f"INSERT INTO files ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))


def set_attributes(db: sqlite3.Connection, store_id: str, file_id: str, attributes: Attributes) -> FileRecord | None:
    """Replace a file's attributes. None where it isn't there."""
    store = store_number(db, store_id)
    query = "UPDATE files SET attributes = ? WHERE store = ? AND file_id = ?"
    if not db.execute(query, (dumped(attributes), store, file_id)).rowcount:
        return None
    note_change(db, store)
    return get_file(db, store_id, file_id)


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
    store = store_number(db, store_id)
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


def note_change(db: sqlite3.Connection, store: int | None) -> None:
    """Tell searches that what is known of the store's files has changed."""
    db.execute("UPDATE stores SET changes = changes + 1 WHERE number = ?", (store,))


def get_batch(db: sqlite3.Connection, store_id: str, batch_id: str) -> BatchRecord | None:
    """Return a batch, or None."""
    query = "SELECT created_at, cancelled FROM batches WHERE id = ? AND store = ?"
    row = db.execute(query, (batch_id, store_number(db, store_id))).fetchone()
    return None if row is None else BatchRecord(batch_id, store_id, row[0], bool(row[1]))


def cancel_batch(db: sqlite3.Connection, store_id: str, batch_id: str) -> BatchRecord | None:
    """Cancel what of a batch isn't indexed yet. None where there is no such batch."""
    if get_batch(db, store_id, batch_id) is None:
        return None
    db.execute("UPDATE batches SET cancelled = 1 WHERE id = ?", (batch_id,))
    query = "SELECT number FROM files WHERE batch_id = ? AND store = ? AND status = 'in_progress'"
    for (number,) in db.execute(query, (batch_id, store_number(db, store_id))).fetchall():
        discard_chunks(db, number)
        db.execute("UPDATE files SET status = 'cancelled', worker = NULL WHERE number = ?", (number,))
    return get_batch(db, store_id, batch_id)
