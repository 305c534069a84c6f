"""What workers do: claim files, keep their chunks, claim chunks, keep their vectors."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentkit._process import is_gone
from agentkit.local.vector_stores.embedded.attaching import discard_chunks
from agentkit.local.vector_stores.embedded.records import TABLES
from agentkit.local.vector_stores.passages import Chunk
from agentkit.local.vector_stores.storage import FileRecord
from agentkit.local.vector_stores.tables import FILE, whole
from agentkit.local.vector_stores.workers import COMPLETABLE, WAITS, checked_vectors, other_embedder, text_bytes

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "anything_to_claim",
    "anything_to_embed",
    "claim",
    "claim_unembedded",
    "fail_file",
    "lacks_vectors",
    "put_chunks",
    "put_vectors",
    "release",
    "want_vectors",
]

_LACKING = """FROM files AS f JOIN stores AS s ON s.number = f.store
    WHERE f.status = 'completed' AND f.embedded < f.chunks AND (s.embedder IS NULL OR s.embedder = ?)
    AND NOT EXISTS (SELECT 1 FROM waiting AS w WHERE w.file = f.number)"""


def anything_to_claim(db: sqlite3.Connection, worker: str) -> bool:
    """Return whether `claim` may find something; without locking anybody out."""
    query = f"SELECT 1 FROM files AS f INDEXED BY files_waiting WHERE {WAITS} AND f.worker IS NULL LIMIT 1"
    return db.execute(query).fetchone() is not None or bool(_gone(db, "files", worker))


def _gone(db: sqlite3.Connection, table: str, worker: str) -> list[str]:
    """Return the workers that have ended and had claimed something."""
    others = db.execute(f"SELECT DISTINCT worker FROM {table} WHERE worker IS NOT NULL").fetchall()
    return [other for (other,) in others if other != worker and is_gone(other)]


def claim(db: sqlite3.Connection, worker: str, limit: int, storage: str) -> list[FileRecord]:
    """Return files that wait to be indexed, oldest first, and make them the worker's."""
    for other in _gone(db, "files", worker):
        db.execute("UPDATE files SET worker = NULL WHERE worker = ?", (other,))
    query = f"""SELECT {FILE} FROM files AS f JOIN stores AS s ON s.number = f.store
        WHERE {WAITS} AND f.worker IS NULL ORDER BY f.created_at, f.number LIMIT ?"""
    files = [TABLES.as_file(row) for row in db.execute(query, (limit,)).fetchall()]
    mine = [(worker, storage, file.revision) for file in files]
    db.executemany("UPDATE files SET worker = ?, storage = ? WHERE number = ?", mine)
    return files


def _still_wanted(db: sqlite3.Connection, file: FileRecord) -> bool:
    query = "SELECT 1 FROM files WHERE number = ? AND status = 'in_progress'"
    return db.execute(query, (file.revision,)).fetchone() is not None


def put_chunks(
    db: sqlite3.Connection, file: FileRecord, chunks: Sequence[Chunk], content_hash: str, needs_vectors: bool
) -> bool:
    """Keep a file's chunks in place of those it had. False where it isn't wanted any more."""
    if not _still_wanted(db, file):
        return False
    discard_chunks(db, file.revision)
    first = _insert_chunks(db, file.revision, chunks)
    follows = needs_vectors and bool(chunks)
    if follows:
        keys = range(first, first + len(chunks))
        db.executemany("INSERT INTO waiting (file, chunk) VALUES (?, ?)", [(file.revision, key) for key in keys])
    query = """UPDATE files SET first_chunk = ?, chunks = ?, content_hash = ?, usage_bytes = ?, worker = NULL,
        status = ? WHERE number = ?"""
    status = "in_progress" if follows else "completed"
    db.execute(query, (first if chunks else None, len(chunks), content_hash, text_bytes(chunks), status, file.revision))
    query = """UPDATE stores SET chunks = chunks + ?, last_chunk = MAX(last_chunk, ?), changes = changes + 1
        WHERE number = (SELECT store FROM files WHERE number = ?)"""
    db.execute(query, (len(chunks), first + len(chunks) - 1, file.revision))
    return True


def _insert_chunks(db: sqlite3.Connection, file: int, chunks: Sequence[Chunk]) -> int:
    """Insert them under keys that follow each other, and were never used before; return the first."""
    last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'chunks'").fetchone()
    first: int = (0 if last is None else last[0]) + 1
    rows = (
        (
            first + n,
            file,
            c.position,
            whole(c.text),
            c.tokens,
            c.start,
            c.end,
            c.page,
            c.last_page,
            whole(c.heading),
        )
        for n, c in enumerate(chunks)
    )
    db.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return first


def fail_file(db: sqlite3.Connection, file: FileRecord, code: str, message: str) -> bool:
    """Note why a file can't be indexed. False where it isn't wanted any more."""
    if not _still_wanted(db, file):
        db.execute("DELETE FROM waiting WHERE file = ?", (file.revision,))  # a completed one's
        return False
    discard_chunks(db, file.revision)
    query = "UPDATE files SET status = 'failed', error_code = ?, error_message = ?, worker = NULL WHERE number = ?"
    db.execute(query, (code, whole(message), file.revision))
    return True


def lacks_vectors(db: sqlite3.Connection, embedder: str) -> bool:
    """Return whether `want_vectors` finds something; without locking anybody out."""
    return db.execute(f"SELECT 1 {_LACKING} LIMIT 1", (embedder,)).fetchone() is not None


def want_vectors(db: sqlite3.Connection, embedder: str) -> int:
    """Have the chunks of completed files that lack vectors wait for them; return how many do."""
    wanted = 0
    query = f"SELECT f.number, f.first_chunk, f.chunks, f.embedded {_LACKING}"
    for file, first, count, embedded in db.execute(query, (embedder,)).fetchall():
        rows = db.execute("SELECT chunk FROM vectors WHERE file = ?", (file,)) if embedded else ()
        there = {chunk for (chunk,) in rows}
        keys = [key for key in range(first, first + count) if key not in there]
        db.executemany("INSERT INTO waiting (file, chunk) VALUES (?, ?)", [(file, key) for key in keys])
        wanted += len(keys)
    return wanted


def anything_to_embed(db: sqlite3.Connection, worker: str, without_embedder: bool) -> bool:
    """Return whether `claim_unembedded` may find something; without locking anybody out."""
    query = "SELECT 1 FROM waiting AS w WHERE w.worker IS NULL LIMIT 1"
    if without_embedder:
        query = f"""SELECT 1 FROM waiting AS w JOIN files AS f ON f.number = w.file
            JOIN stores AS s ON s.number = f.store WHERE w.worker IS NULL AND {COMPLETABLE} LIMIT 1"""
    return db.execute(query).fetchone() is not None or bool(_gone(db, "waiting", worker))


def claim_unembedded(
    db: sqlite3.Connection, worker: str, limit: int, storage: str, without_embedder: bool
) -> list[tuple[int, str, str]]:
    """Return `(key, store_id, text)` of chunks that wait for vectors, and make them the worker's."""
    for other in _gone(db, "waiting", worker):
        db.execute("UPDATE waiting SET worker = NULL WHERE worker = ?", (other,))
    rows: list[tuple[int, int, str, str]] = []
    for which in (COMPLETABLE,) if without_embedder else ("f.status = 'in_progress'", "f.status = 'completed'"):
        # CROSS: file by file, so that no more of what waits is looked at than is taken
        query = f"""SELECT w.file, w.chunk, s.id, c.text FROM files AS f CROSS JOIN waiting AS w ON w.file = f.number
            CROSS JOIN chunks AS c ON c.key = w.chunk CROSS JOIN stores AS s ON s.number = f.store
            WHERE w.worker IS NULL AND {which} ORDER BY f.number, w.chunk LIMIT ?"""
        rows += db.execute(query, (limit - len(rows),)).fetchall()
    query = "UPDATE waiting SET worker = ?, storage = ? WHERE file = ? AND chunk = ?"
    db.executemany(query, [(worker, storage, file, chunk) for file, chunk, _, _ in rows])
    return [(chunk, store_id, text) for _, chunk, store_id, text in rows]


def release(db: sqlite3.Connection, storage: str) -> None:
    """Give back what was claimed through a storage object and isn't done."""
    db.execute(f"UPDATE files AS f SET worker = NULL WHERE {WAITS} AND f.storage = ?", (storage,))
    db.execute("UPDATE waiting SET worker = NULL WHERE worker IS NOT NULL AND storage = ?", (storage,))


def put_vectors(
    db: sqlite3.Connection, store_id: str, embedder: str, vectors: Sequence[tuple[int, np.ndarray]]
) -> None:
    """Keep the vectors of chunks that wait for them; complete the files that have all.

    Raises:
        StorageError: The store has vectors of another embedder.
        ValueError: An array isn't of shape (windows, dimensions), or has something that is no number.
    """
    if not vectors:
        return
    arrays = checked_vectors(vectors)
    store = _adopt(db, store_id, embedder, next(iter(arrays.values())).shape[1])
    if store is None:
        return
    owners = _waiting(db, store, list(arrays))  # without those that were removed meanwhile, or have their vectors
    db.executemany("DELETE FROM waiting WHERE file = ? AND chunk = ?", [(file, key) for key, file in owners])
    last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'vectors'").fetchone()
    before = 0 if last is None else last[0]
    rows, added = [], dict[int, tuple[int, int, int]]()
    for number, (key, file) in enumerate(owners, start=before + 1):
        rows.append((number, key, file, arrays[key].data))
        count, size, _ = added.get(file, (0, 0, 0))
        added[file] = (count + 1, size + arrays[key].nbytes, number)
    db.executemany("INSERT INTO vectors (number, chunk, file, data) VALUES (?, ?, ?, ?)", rows)
    for file, (count, size, highest) in added.items():
        _count_vectors(db, file, count, size, highest)
    if added:
        db.execute("UPDATE stores SET last_vector = MAX(last_vector, ?) WHERE number = ?", (before + len(rows), store))


def _waiting(db: sqlite3.Connection, store: int, keys: Sequence[int]) -> list[tuple[int, int]]:
    """Return `(key, file)` of those chunks that wait for vectors, in the order of `keys`."""
    # CROSS: the planner may not begin with all that wait
    query = """SELECT c.key, c.file FROM json_each(?) AS n CROSS JOIN chunks AS c ON c.key = n.value
        CROSS JOIN waiting AS w ON w.file = c.file AND w.chunk = c.key
        CROSS JOIN files AS f ON f.number = c.file WHERE f.store = ?"""
    found = dict(db.execute(query, (str(list(keys)), store)).fetchall())
    return [(key, found[key]) for key in keys if key in found]


def _adopt(db: sqlite3.Connection, store_id: str, embedder: str, dimensions: int) -> int | None:
    """Note whose vectors a store has, or refuse those of another; return its number."""
    row = db.execute("SELECT number, embedder, dimensions FROM stores WHERE id = ?", (store_id,)).fetchone()
    if row is None:
        return None
    store, earlier, length = row
    if (earlier, length) != (embedder, dimensions):
        query = "SELECT 1 FROM files WHERE store = ? AND last_vector > 0 LIMIT 1"
        if earlier is not None and db.execute(query, (store,)).fetchone():
            raise other_embedder(store_id, earlier, length, embedder, dimensions, back="back")
        db.execute("UPDATE stores SET embedder = ?, dimensions = ? WHERE number = ?", (embedder, dimensions, store))
    return int(store)


def _count_vectors(db: sqlite3.Connection, file: int, count: int, size: int, number: int) -> None:
    query = """UPDATE files SET embedded = embedded + ?, usage_bytes = usage_bytes + ?, last_vector = ?,
        status = CASE WHEN embedded + ? = chunks AND status = 'in_progress' THEN 'completed' ELSE status END
        WHERE number = ?"""
    db.execute(query, (count, size, number, count, file))
