"""What workers do: claim files, keep their chunks, claim chunks, keep their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentkit._process import is_gone
from agentkit.local.vector_stores.passages import Chunk
from agentkit.local.vector_stores.postgres.attaching import discard_chunks
from agentkit.local.vector_stores.postgres.records import TABLES, readable, storable
from agentkit.local.vector_stores.postgres.schema import CHUNKS_A_FILE
from agentkit.local.vector_stores.storage import FileRecord, StorageError
from agentkit.local.vector_stores.tables import FILE
from agentkit.local.vector_stores.workers import COMPLETABLE, WAITS, checked_vectors, other_embedder, text_bytes

if TYPE_CHECKING:
    import numpy as np
    import psycopg

__all__ = [
    "anything_to_claim",
    "anything_to_embed",
    "claim",
    "claim_unembedded",
    "fail_file",
    "lacks_vectors",
    "put_chunks",
    "put_vectors",
    "want_vectors",
]

_MINE = "(%(home)s::text IS NULL OR f.home IS NULL OR f.home = %(home)s)"
_LACKING = f"""FROM files AS f JOIN stores AS s ON s.number = f.store
    WHERE f.status = 'completed' AND f.embedded < f.chunks AND (s.embedder IS NULL OR s.embedder = %(embedder)s)
    AND {_MINE} AND NOT EXISTS (SELECT 1 FROM waiting AS w WHERE w.file = f.number)"""
_FREE = "NOT EXISTS (SELECT 1 FROM leases AS l WHERE l.holder = {}.holder)"


def anything_to_claim(db: psycopg.Connection[Any], worker: str, home: str | None) -> bool:
    """Return whether `claim` may find something; without writing."""
    query = f"SELECT 1 FROM files AS f WHERE {WAITS} AND {_MINE} AND f.holder IS NULL LIMIT 1"
    if db.execute(query, {"home": home}).fetchone():
        return True
    query = f"""SELECT DISTINCT l.worker, coalesce(l.until < now(), TRUE) FROM files AS f
        LEFT JOIN leases AS l ON l.holder = f.holder WHERE f.holder IS NOT NULL AND {WAITS} AND {_MINE}"""
    return _any_free(db.execute(query, {"home": home}).fetchall(), worker)


def _any_free(held: Sequence[tuple[str | None, bool]], worker: str) -> bool:
    return any(over or (other is not None and other != worker and is_gone(other)) for other, over in held)


def claim(db: psycopg.Connection[Any], limit: int, home: str | None, holder: str) -> list[FileRecord]:
    """Return files that wait to be indexed and whose bytes are here, oldest first, and make them the holder's."""
    query = f"""UPDATE files SET holder = %(holder)s WHERE number IN (
        SELECT f.number FROM files AS f WHERE {WAITS} AND {_MINE} AND {_FREE.format("f")}
        ORDER BY f.created_at, f.number LIMIT %(limit)s FOR UPDATE SKIP LOCKED) RETURNING number"""
    numbers = db.execute(query, {"holder": holder, "home": home, "limit": limit}).fetchall()
    query = f"""SELECT {FILE} FROM files AS f JOIN stores AS s ON s.number = f.store
        WHERE f.number = ANY(%s) ORDER BY f.created_at, f.number"""
    return [TABLES.as_file(row) for row in db.execute(query, ([number for (number,) in numbers],)).fetchall()]


def _still_wanted(db: psycopg.Connection[Any], file: FileRecord) -> int | None:
    """Return the store of a file that is still to be indexed, and keep others from changing it; None for others."""
    query = "SELECT store FROM files WHERE number = %s AND status = 'in_progress' FOR UPDATE"
    row = db.execute(query, (file.revision,)).fetchone()
    return None if row is None else row[0]


def put_chunks(
    db: psycopg.Connection[Any],
    file: FileRecord,
    chunks: Sequence[Chunk],
    words: bytes,
    content_hash: str,
    needs_vectors: bool,
) -> bool:
    """Keep a file's chunks in place of those it had. False where it isn't wanted any more.

    Args:
        db: In a transaction.
        file: As it was claimed.
        chunks: All of them.
        words: What they are found by, of `segments.packed`.
        content_hash: SHA-256 of the file's bytes.
        needs_vectors: Whether vectors follow.
    """
    store = _still_wanted(db, file)
    if store is None:
        return False
    discard_chunks(db, [file.revision])
    first = _insert_chunks(db, store, file.revision, chunks, words)
    follows = needs_vectors and bool(chunks)
    if follows:
        with db.cursor().copy("COPY waiting (file, chunk) FROM STDIN") as copy:
            for n in range(len(chunks)):
                copy.write_row((file.revision, first + n))
    query = """UPDATE files SET first_chunk = %s, chunks = %s, content_hash = %s, usage_bytes = %s, holder = NULL,
        status = %s WHERE number = %s"""
    status = "in_progress" if follows else "completed"
    values = (first if chunks else None, len(chunks), content_hash, text_bytes(chunks), status, file.revision)
    db.execute(query, values)
    db.execute("UPDATE stores SET changes = changes + 1 WHERE number = %s", (store,))
    return True


def _insert_chunks(db: psycopg.Connection[Any], store: int, file: int, chunks: Sequence[Chunk], words: bytes) -> int:
    """Insert a file's chunks under keys that follow each other, and were never used before; return the first.

    Raises:
        StorageError: There are too many.
    """
    if len(chunks) > CHUNKS_A_FILE:
        raise StorageError(f"A file can have {CHUNKS_A_FILE:,} chunks, and not {len(chunks):,}. Split it.")
    row = db.execute("SELECT nextval('generations')").fetchone()
    assert row is not None
    first: int = row[0] * CHUNKS_A_FILE
    query = 'COPY chunks (key, file, position, text, tokens, start, "end", page, last_page, heading) FROM STDIN'
    with db.cursor().copy(query) as copy:
        for n, c in enumerate(chunks):
            texts = storable(c.text), storable(c.heading)
            copy.write_row(
                (first + n, file, c.position, texts[0], c.tokens, c.start, c.end, c.page, c.last_page, texts[1])
            )
    if chunks:
        query = "INSERT INTO words (store, file, chunks, data) VALUES (%s, %s, %s, %s)"
        db.execute(query, (store, file, len(chunks), words))
    return first


def fail_file(db: psycopg.Connection[Any], file: FileRecord, code: str, message: str) -> bool:
    """Note why a file can't be indexed. False where it isn't wanted any more."""
    if _still_wanted(db, file) is None:
        db.execute("DELETE FROM waiting WHERE file = %s", (file.revision,))  # a completed one's
        return False
    discard_chunks(db, [file.revision])
    query = """UPDATE files SET status = 'failed', error_code = %s, error_message = %s, holder = NULL
        WHERE number = %s"""
    db.execute(query, (code, storable(message), file.revision))
    return True


def lacks_vectors(db: psycopg.Connection[Any], embedder: str, home: str | None) -> bool:
    """Return whether `want_vectors` finds something; without writing."""
    values = {"embedder": storable(embedder), "home": home}
    return db.execute(f"SELECT 1 {_LACKING} LIMIT 1", values).fetchone() is not None


def want_vectors(db: psycopg.Connection[Any], embedder: str, home: str | None) -> int:
    """Have the chunks of completed files that lack vectors wait for them; return how many do now that did not."""
    query = f"""SELECT f.number, f.store, f.first_chunk, f.chunks {_LACKING}
        ORDER BY f.number FOR UPDATE OF f SKIP LOCKED"""
    found = db.execute(query, {"embedder": storable(embedder), "home": home}).fetchall()
    query = """INSERT INTO waiting (file, chunk) SELECT %s, key FROM generate_series(%s::bigint, %s::bigint) AS key
        WHERE key NOT IN (SELECT v.chunk FROM vectors AS v WHERE v.store = %s AND v.file = %s)
        ON CONFLICT DO NOTHING"""
    wanted = 0
    for number, store, first, count in found:
        wanted += db.execute(query, (number, first, first + count - 1, store, number)).rowcount
    return wanted


def anything_to_embed(db: psycopg.Connection[Any], worker: str, home: str | None, without_embedder: bool) -> bool:
    """Return whether `claim_unembedded` may find something; without writing."""
    waiting = f"""FROM waiting AS w JOIN files AS f ON f.number = w.file AND {_MINE}
        JOIN stores AS s ON s.number = f.store AND {COMPLETABLE if without_embedder else "TRUE"}"""
    if db.execute(f"SELECT 1 {waiting} WHERE w.holder IS NULL LIMIT 1", {"home": home}).fetchone():
        return True
    query = f"""SELECT DISTINCT l.worker, coalesce(l.until < now(), TRUE) {waiting}
        LEFT JOIN leases AS l ON l.holder = w.holder WHERE w.holder IS NOT NULL"""
    return _any_free(db.execute(query, {"home": home}).fetchall(), worker)


def claim_unembedded(
    db: psycopg.Connection[Any], limit: int, home: str | None, holder: str, without_embedder: bool
) -> list[tuple[int, str, str]]:
    """Return `(key, store_id, text)` of chunks that wait for vectors, and make them the holder's.

    Only of files that were attached here: another machine's embedder need not be this one's.
    """
    keys: list[tuple[int]] = []
    for which in (COMPLETABLE,) if without_embedder else ("f.status = 'in_progress'", "f.status = 'completed'"):
        query = f"""UPDATE waiting AS u SET holder = %(holder)s FROM (
            SELECT w.file, w.chunk FROM waiting AS w JOIN files AS f ON f.number = w.file
            JOIN stores AS s ON s.number = f.store WHERE {which} AND {_MINE} AND {_FREE.format("w")}
            ORDER BY w.file, w.chunk LIMIT %(limit)s FOR UPDATE OF w SKIP LOCKED
            ) AS free WHERE u.file = free.file AND u.chunk = free.chunk RETURNING u.chunk"""
        if limit > len(keys):
            keys += db.execute(query, {"holder": holder, "home": home, "limit": limit - len(keys)}).fetchall()
    query = """SELECT c.key, s.id, c.text FROM chunks AS c JOIN files AS f ON f.number = c.file
        JOIN stores AS s ON s.number = f.store WHERE c.key = ANY(%s)
        ORDER BY f.status = 'completed', f.number, c.key"""
    rows = db.execute(query, ([key for (key,) in keys],)).fetchall()
    return [(key, store_id, readable(text)) for key, store_id, text in rows]


def put_vectors(
    db: psycopg.Connection[Any], store_id: str, embedder: str, vectors: Sequence[tuple[int, np.ndarray]]
) -> tuple[int, int, bool] | None:
    """Keep the vectors of chunks that wait for them; complete the files that have all.

    Returns:
        The store's number, how many vectors it has now, and whether they have an index. None for no such store.

    Raises:
        StorageError: The store has vectors of another embedder.
        ValueError: An array isn't of shape (windows, dimensions), or has something that is no number.
    """
    if not vectors:
        return None
    arrays = checked_vectors(vectors)
    store = _adopt(db, store_id, embedder, next(iter(arrays.values())).shape[1])
    if store is None:
        return None
    query = """SELECT f.number FROM files AS f WHERE f.store = %s AND f.number IN
        (SELECT c.file FROM chunks AS c WHERE c.key = ANY(%s)) ORDER BY f.number FOR UPDATE"""
    files = [number for (number,) in db.execute(query, (store, list(arrays))).fetchall()]
    query = "DELETE FROM waiting WHERE file = ANY(%s) AND chunk = ANY(%s) RETURNING file, chunk"
    wanted = sorted(db.execute(query, (files, list(arrays))).fetchall())
    _copy_vectors(db, store, [(file, chunk, arrays[chunk]) for file, chunk in wanted])
    for number in files:
        some = [arrays[chunk] for file, chunk in wanted if file == number]
        _count_vectors(db, number, some)
    query = "UPDATE stores SET windows = windows + %s, changes = changes + 1 WHERE number = %s RETURNING windows, near"
    row = db.execute(query, (sum(len(arrays[chunk]) for _, chunk in wanted), store)).fetchone()
    return None if row is None else (store, *row)


def _copy_vectors(db: psycopg.Connection[Any], store: int, vectors: Sequence[tuple[int, int, np.ndarray]]) -> None:
    """Insert the vectors of chunks: `(file, chunk, array)`."""
    query = "COPY vectors (store, file, chunk, position, vector) FROM STDIN (FORMAT BINARY)"
    with db.cursor().copy(query) as copy:
        copy.set_types(["int8", "int8", "int8", "int4", "vector"])
        for file, chunk, array in vectors:
            for position, vector in enumerate(array):
                copy.write_row((store, file, chunk, position, vector))


def _adopt(db: psycopg.Connection[Any], store_id: str, embedder: str, dimensions: int) -> int | None:
    """Note whose vectors a store has, or refuse those of another; return its number."""
    query = "SELECT number, embedder, dimensions, windows FROM stores WHERE id = %s"
    row = db.execute(query, (storable(store_id),)).fetchone()
    if row is None:
        return None
    store, earlier, length, windows = row
    if windows and (earlier, length) == (embedder, dimensions):
        return int(store)
    row = db.execute(f"{query} FOR NO KEY UPDATE", (storable(store_id),)).fetchone()
    if row is None:
        return None
    store, earlier, length, windows = row
    if windows and (earlier, length) != (embedder, dimensions):
        raise other_embedder(store_id, earlier, length, embedder, dimensions, back="to what the others use")
    query = "UPDATE stores SET embedder = %s, dimensions = %s, near = FALSE WHERE number = %s"
    db.execute(query, (embedder, dimensions, store))
    return int(store)


def _count_vectors(db: psycopg.Connection[Any], file: int, arrays: Sequence[np.ndarray]) -> None:
    query = """UPDATE files SET embedded = embedded + %s, windows = windows + %s, usage_bytes = usage_bytes + %s,
        status = CASE WHEN embedded + %s = chunks AND status = 'in_progress' THEN 'completed' ELSE status END
        WHERE number = %s"""
    count, windows, size = len(arrays), sum(len(array) for array in arrays), sum(array.nbytes for array in arrays)
    db.execute(query, (count, windows, size, count, file))
