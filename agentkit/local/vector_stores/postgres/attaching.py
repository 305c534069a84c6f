"""Files in stores: attached, changed and taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agentkit.local.vector_stores.passages import Attributes
from agentkit.local.vector_stores.postgres.records import TABLES, compared, readable, storable
from agentkit.local.vector_stores.storage import BatchRecord, FileRecord
from agentkit.local.vector_stores.tables import dumped

if TYPE_CHECKING:
    import psycopg

__all__ = ["add_files", "cancel_batch", "discard_chunks", "remove_files", "set_attributes"]


def add_files(
    db: psycopg.Connection[Any], files: Sequence[FileRecord], batch: BatchRecord | None, home: str | None
) -> None:
    """Attach files to be indexed.

    Raises:
        StorageError: A store isn't there.
    """
    numbers = TABLES.number_stores(db, files, batch)
    for store_id, store in numbers.items():
        some = {file.file_id: file for file in files if file.store_id == store_id}
        query = "SELECT number FROM files WHERE store = %s AND file_id = ANY(%s) ORDER BY number FOR UPDATE"
        there = db.execute(query, (store, list(some))).fetchall()
        known = _known_elsewhere(db, [file.file_id for file in some.values() if file.filename == file.file_id])
        remove_files(db, [number for (number,) in there])
        for file in some.values():
            filename, place = known.get(file.file_id, (file.filename, home))
            row = TABLES.file_row(store, replace(file, filename=filename))
            TABLES.insert(db, "files", {**row, "compared": compared(file.attributes), "home": place})


def _known_elsewhere(db: psycopg.Connection[Any], file_ids: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Return the names and homes of files that aren't here, of which only the id is known: where they were attached."""
    if not file_ids:
        return {}
    query = "SELECT file_id, filename, home FROM files WHERE file_id = ANY(%s) AND filename <> file_id ORDER BY number"
    rows = db.execute(query, (list(file_ids),)).fetchall()
    return {file_id: (readable(filename), home) for file_id, filename, home in rows}


def set_attributes(
    db: psycopg.Connection[Any], store_id: str, file_id: str, attributes: Attributes
) -> FileRecord | None:
    """Replace a file's attributes. None where it isn't there."""
    store = TABLES.store_number(db, store_id)
    query = "UPDATE files SET attributes = %s, compared = %s WHERE store = %s AND file_id = %s"
    values = (dumped(attributes), compared(attributes), store, storable(file_id))
    if not db.execute(query, values).rowcount:
        return None
    db.execute("UPDATE stores SET changes = changes + 1 WHERE number = %s", (store,))
    return TABLES.get_file(db, store_id, file_id)


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


def cancel_batch(db: psycopg.Connection[Any], store_id: str, batch_id: str) -> BatchRecord | None:
    """Cancel what of a batch isn't indexed yet. None where there is no such batch."""
    if TABLES.get_batch(db, store_id, batch_id) is None:
        return None
    db.execute("UPDATE batches SET cancelled = TRUE WHERE id = %s", (batch_id,))
    query = """SELECT number FROM files WHERE batch_id = %s AND store = %s AND status = 'in_progress'
        ORDER BY number FOR UPDATE"""
    numbers = [number for (number,) in db.execute(query, (batch_id, TABLES.store_number(db, store_id))).fetchall()]
    discard_chunks(db, numbers)
    db.execute("UPDATE files SET status = 'cancelled', holder = NULL WHERE number = ANY(%s)", (numbers,))
    return TABLES.get_batch(db, store_id, batch_id)
