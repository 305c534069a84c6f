"""Files in stores: attached, listed, changed and taken out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentkit.local.vector_stores.passages import Attributes
from agentkit.local.vector_stores.postgres.records import (
    FILE,
    as_file,
    compared,
    dumped,
    page_of,
    readable,
    storable,
    store_number,
)
from agentkit.local.vector_stores.storage import BatchRecord, FileCounts, FileRecord, FileStatus, Page, StorageError

if TYPE_CHECKING:
    import psycopg

__all__ = [
    "add_files",
    "cancel_batch",
    "count_files",
    "discard_chunks",
    "file_row",
    "get_batch",
    "get_file",
    "insert_row",
    "list_files",
    "remove_files",
    "set_attributes",
]

_FROM = f"SELECT {FILE} FROM files AS f JOIN stores AS s ON s.number = f.store"


def insert_row(db: psycopg.Connection[Any], table: str, row: dict[str, object], returning: str = "1") -> Any:
    """Insert a row, and return what is asked for of it."""
    marks = ", ".join(["%s"] * len(row))
    query = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks}) RETURNING {returning}"
    inserted = db.execute(query, tuple(row.values())).fetchone()
    assert inserted is not None
    return inserted[0]


def get_file(db: psycopg.Connection[Any], store_id: str, file_id: str) -> FileRecord | None:
    """Return a file of a store, or None."""
    values = (storable(store_id), storable(file_id))
    row = db.execute(f"{_FROM} WHERE s.id = %s AND f.file_id = %s", values).fetchone()
    return None if row is None else as_file(row)


def list_files(
    db: psycopg.Connection[Any], store_id: str, page: Page, status: FileStatus | None, batch_id: str | None
) -> list[FileRecord]:
    """Return a page of files.

    Raises:
        KeyError: No file of the store has the cursor's id.
    """
    store = store_number(db, store_id)
    query, values = f"{_FROM} WHERE f.store = %s", [store, *(one for one in (status, batch_id) if one is not None)]
    query += "" if status is None else " AND f.status = %s"
    query += "" if batch_id is None else " AND f.batch_id = %s"
    # A file that has gone over to another status since the page before is still a cursor.
    cursor = "SELECT created_at, number FROM files WHERE store = %s AND file_id = %s"
    rows = page_of(db, query, values, page, table="f", cursor=cursor, among=(store,))
    return [as_file(row) for row in rows]


def count_files(db: psycopg.Connection[Any], store_id: str, batch_id: str | None) -> FileCounts:
    """Return how many files of a store, or of a batch, are in which status."""
    values: tuple[object, ...] = (store_number(db, store_id),)
    query = "SELECT status, count(*) FROM files WHERE store = %s"
    if batch_id is not None:
        query, values = f"{query} AND batch_id = %s", (*values, batch_id)
    return FileCounts(**dict(db.execute(f"{query} GROUP BY status", values).fetchall()))


def add_files(
    db: psycopg.Connection[Any], files: Sequence[FileRecord], batch: BatchRecord | None, home: str | None
) -> None:
    """Attach files to be indexed.

    Raises:
        StorageError: A store isn't there.
    """
    numbers: dict[str, int] = {}
    for store_id in sorted({file.store_id for file in files} | ({batch.store_id} if batch else set())):
        number = store_number(db, store_id)
        if number is None:
            raise StorageError(f"There is no vector store {store_id!r} to attach files to. Create it first.")
        numbers[store_id] = number
    if batch is not None:
        row = (batch.id, numbers[batch.store_id], batch.created_at, batch.cancelled)
        db.execute("INSERT INTO batches VALUES (%s, %s, %s, %s)", row)
    for store_id, store in numbers.items():
        some = {file.file_id: file for file in files if file.store_id == store_id}
        query = "SELECT number FROM files WHERE store = %s AND file_id = ANY(%s) ORDER BY number FOR UPDATE"
        there = db.execute(query, (store, list(some))).fetchall()
        known = _known_elsewhere(db, [file.file_id for file in some.values() if file.filename == file.file_id])
        remove_files(db, [number for (number,) in there])
        for file in some.values():
            filename, place = known.get(file.file_id, (file.filename, home))
            insert_row(db, "files", {**file_row(store, file, place), "filename": storable(filename)})


def _known_elsewhere(db: psycopg.Connection[Any], file_ids: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Return the names and homes of files that aren't here, of which only the id is known: where they were attached."""
    if not file_ids:
        return {}
    query = "SELECT file_id, filename, home FROM files WHERE file_id = ANY(%s) AND filename <> file_id ORDER BY number"
    rows = db.execute(query, (list(file_ids),)).fetchall()
    return {file_id: (readable(filename), home) for file_id, filename, home in rows}


def file_row(store: int, file: FileRecord, home: str | None) -> dict[str, object]:
    """Return the row of a file as it is attached."""
    return {
        "store": store,
        "file_id": file.file_id,
        "filename": storable(file.filename),
        "created_at": file.created_at,
        "status": file.status,
        "error_code": file.error_code,
        "error_message": None if file.error_message is None else storable(file.error_message),
        "attributes": dumped(file.attributes),
        "compared": compared(file.attributes),
        "max_tokens": file.chunking.max_tokens,
        "overlap_tokens": file.chunking.overlap_tokens,
        "auto_chunking": file.auto_chunking,
        "batch_id": file.batch_id,
        "home": home,
    }


def set_attributes(
    db: psycopg.Connection[Any], store_id: str, file_id: str, attributes: Attributes
) -> FileRecord | None:
    """Replace a file's attributes. None where it isn't there."""
    store = store_number(db, store_id)
    query = "UPDATE files SET attributes = %s, compared = %s WHERE store = %s AND file_id = %s"
    values = (dumped(attributes), compared(attributes), store, storable(file_id))
    if not db.execute(query, values).rowcount:
        return None
    db.execute("UPDATE stores SET changes = changes + 1 WHERE number = %s", (store,))
    return get_file(db, store_id, file_id)


def remove_files(db: psycopg.Connection[Any], numbers: Sequence[int]) -> int:
    """Forget files with their chunks; return how many there were."""
    if not numbers:
        return 0
    discard_chunks(db, numbers)
    return db.execute("DELETE FROM files WHERE number = ANY(%s)", (list(numbers),)).rowcount


def discard_chunks(db: psycopg.Connection[Any], numbers: Sequence[int]) -> None:
    """Forget the chunks and vectors of files."""
    query = """SELECT number, store, first_chunk, chunks, windows FROM files
        WHERE number = ANY(%s) AND first_chunk IS NOT NULL ORDER BY number FOR UPDATE"""
    found = db.execute(query, (list(numbers),)).fetchall()
    if not found:
        return
    files = [number for number, *_ in found]
    words = db.execute("DELETE FROM words WHERE file = ANY(%s) RETURNING file", (files,)).fetchall()
    unmerged = {file for (file,) in words}
    for _, _, first, count, _ in found:
        db.execute("DELETE FROM chunks WHERE key BETWEEN %s AND %s", (first, first + count - 1))
    stores = sorted({store for _, store, *_ in found})
    db.execute("DELETE FROM vectors WHERE store = ANY(%s) AND file = ANY(%s)", (stores, files))
    db.execute("DELETE FROM waiting WHERE file = ANY(%s)", (files,))
    query = """UPDATE files SET first_chunk = NULL, chunks = 0, embedded = 0, windows = 0, usage_bytes = 0
        WHERE number = ANY(%s)"""
    db.execute(query, (files,))
    for store in stores:
        rows = [row for row in found if row[1] == store]
        dead = sum(count for number, _, _, count, _ in rows if number not in unmerged)
        query = "UPDATE stores SET changes = changes + 1, dead = dead + %s, windows = windows - %s WHERE number = %s"
        db.execute(query, (dead, sum(row[4] for row in rows), store))


def get_batch(db: psycopg.Connection[Any], store_id: str, batch_id: str) -> BatchRecord | None:
    """Return a batch, or None."""
    query = "SELECT created_at, cancelled FROM batches WHERE id = %s AND store = %s"
    row = db.execute(query, (storable(batch_id), store_number(db, store_id))).fetchone()
    return None if row is None else BatchRecord(batch_id, store_id, row[0], row[1])


def cancel_batch(db: psycopg.Connection[Any], store_id: str, batch_id: str) -> BatchRecord | None:
    """Cancel what of a batch isn't indexed yet. None where there is no such batch."""
    if get_batch(db, store_id, batch_id) is None:
        return None
    db.execute("UPDATE batches SET cancelled = TRUE WHERE id = %s", (batch_id,))
    query = """SELECT number FROM files WHERE batch_id = %s AND store = %s AND status = 'in_progress'
        ORDER BY number FOR UPDATE"""
    numbers = [number for (number,) in db.execute(query, (batch_id, store_number(db, store_id))).fetchall()]
    discard_chunks(db, numbers)
    db.execute("UPDATE files SET status = 'cancelled', holder = NULL WHERE number = ANY(%s)", (numbers,))
    return get_batch(db, store_id, batch_id)
