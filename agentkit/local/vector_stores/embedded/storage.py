"""Vector stores in a folder of this machine: SQLite holds the truth, indexes beside it are derived from it."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from agentkit.local.vector_stores.embedded import attaching, indexing
from agentkit.local.vector_stores.embedded.database import Database
from agentkit.local.vector_stores.embedded.found import Findable
from agentkit.local.vector_stores.embedded.records import (
    CHUNK,
    FILE,
    STORE,
    as_chunk,
    as_file,
    as_store,
    dumped,
    page_of,
    store_number,
)
from agentkit.local.vector_stores.passages import Attributes, Chunk, Match
from agentkit.local.vector_stores.storage import (
    BatchRecord,
    FileCounts,
    FileRecord,
    FileStatus,
    Page,
    StorageError,
    StoreRecord,
)

if TYPE_CHECKING:
    import numpy as np

    from agentkit.local.vector_stores.filters import Filter

__all__ = ["EmbeddedStorage"]

_CAUGHT_UP_AFTER = 5_000
"""Chunks that are kept before what is derived is brought up to them, unless somebody searches earlier."""


class EmbeddedStorage:
    """Vector stores kept in files. Several threads and processes may use one folder at once.

    Implements `agentkit.local.vector_stores.storage.VectorStorage`.

    Args:
        home: Folder of agentkit's files. What is kept lies in `vector_stores/` there, made when it is used first, for
            its user's eyes only: `stores.sqlite3` with everything, and a folder a store with indexes that are made
            anew whenever they don't fit it.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "vector_stores"
        self._database = Database(self._folder / "stores.sqlite3")
        self._lock = threading.Lock()
        self._open: dict[str, tuple[int, Findable]] = {}
        self._id = secrets.token_hex(8)
        self._claimed = False
        self._behind: dict[tuple[str, bool], int] = {}
        self._process = os.getpid()

    def close(self) -> None:
        """Let go of files, and of what was claimed and isn't done; they are opened again when needed."""
        self._after_fork()
        if self._claimed:
            self._claimed = False
            with suppress(StorageError), self._database.writing() as db:
                indexing.release(db, self._id)
        with self._lock:
            self._open.clear()
        self._database.close()

    # Stores

    def create_store(self, store: StoreRecord) -> None:
        """Keep a new store."""
        row = {
            "id": store.id,
            **_changeable(store),
            "embedder": store.embedder,
            "dimensions": store.dimensions,
        }
        query = f"INSERT INTO stores ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
        with self._database.writing() as db:
            db.execute(query, tuple(row.values()))

    def get_store(self, store_id: str) -> StoreRecord | None:
        """Return a store, or None."""
        with self._database.reading() as db:
            row = db.execute(f"SELECT {STORE} FROM stores AS s WHERE s.id = ?", (store_id,)).fetchone()
        return None if row is None else as_store(row)

    def put_store(self, store: StoreRecord) -> bool:
        """Replace what is kept of a store; return whether it is there. `embedder` and `dimensions` are left alone."""
        row = _changeable(store)
        query = f"UPDATE stores SET {', '.join(f'{column} = ?' for column in row)} WHERE id = ?"
        with self._database.writing() as db:
            return db.execute(query, (*row.values(), store.id)).rowcount > 0

    def touch_store(self, store_id: str, at: int) -> None:
        """Note that a store was used, which puts off its end."""
        query = "UPDATE stores SET last_active_at = ? WHERE id = ? AND last_active_at < ?"
        with self._database.reading() as db:
            known = db.execute("SELECT 1 FROM stores WHERE id = ? AND last_active_at < ?", (store_id, at)).fetchone()
        if known is not None:
            with self._database.writing() as db:
                db.execute(query, (at, store_id, at))

    def delete_store(self, store_id: str) -> bool:
        """Forget a store with all in it; return whether there was one."""
        with self._database.writing() as db:
            number = attaching.delete_store(db, store_id)
        if number is None:
            return False
        with self._lock:
            self._open.pop(store_id, None)
        shutil.rmtree(self._derived(number), ignore_errors=True)
        self._sweep()
        return True

    def _sweep(self) -> None:
        """Delete the chunks of deleted stores, a little at a time. What a killed process leaves, `add_files` sweeps."""
        more = True
        while more:
            with self._database.writing() as db:
                more = attaching.sweep(db)

    def list_stores(self, page: Page) -> list[StoreRecord]:
        """Return a page of stores, and one more, last, where there are more.

        Raises:
            KeyError: No store has the cursor's id.
        """
        cursor = "SELECT created_at, number FROM stores WHERE id = ?"
        with self._database.reading() as db:
            rows = page_of(db, f"SELECT {STORE} FROM stores AS s WHERE TRUE", (), page, table="s", cursor=cursor)
        return [as_store(row) for row in rows]

    def count_files(self, store_id: str, *, batch_id: str | None = None) -> FileCounts:
        """Return how many files of a store, or of a batch, are in which status."""
        with self._database.reading() as db:
            return attaching.count_files(db, store_id, batch_id)

    def usage_bytes(self, store_id: str) -> int:
        """Return the bytes of its files' texts and vectors."""
        with self._database.reading() as db:
            return attaching.usage_bytes(db, store_id)

    # Files in stores

    def add_files(self, files: Sequence[FileRecord], *, batch: BatchRecord | None = None) -> None:
        """Attach files, all or none, to be indexed. One that is there already is indexed anew, as it is given now.

        Raises:
            StorageError: There is no such store.
        """
        with self._database.writing() as db:
            attaching.add_files(db, files, batch)
            attaching.sweep(db)

    def get_file(self, store_id: str, file_id: str) -> FileRecord | None:
        """Return a file of a store, or None."""
        with self._database.reading() as db:
            return attaching.get_file(db, store_id, file_id)

    def list_files(
        self, store_id: str, page: Page, *, status: FileStatus | None = None, batch_id: str | None = None
    ) -> list[FileRecord]:
        """Return a page of files, and one more, last, where there are more.

        Raises:
            KeyError: No file of the store has the cursor's id.
        """
        with self._database.reading() as db:
            return attaching.list_files(db, store_id, page, status, batch_id)

    def set_attributes(self, store_id: str, file_id: str, attributes: Attributes) -> FileRecord | None:
        """Replace a file's attributes; searches see it at once. None where it isn't there."""
        with self._database.writing() as db:
            return attaching.set_attributes(db, store_id, file_id, attributes)

    def remove_file(self, store_id: str, file_id: str) -> bool:
        """Take a file with its chunks out of a store; return whether it was there."""
        query = (
            "SELECT f.number FROM files AS f JOIN stores AS s ON s.number = f.store WHERE s.id = ? AND f.file_id = ?"
        )
        with self._database.writing() as db:
            numbers = [number for (number,) in db.execute(query, (store_id, file_id)).fetchall()]
            return attaching.remove_files(db, numbers) > 0

    def remove_file_everywhere(self, file_id: str) -> int:
        """Take a file out of all stores; return of how many."""
        with self._database.writing() as db:
            rows = db.execute("SELECT number FROM files WHERE file_id = ?", (file_id,)).fetchall()
            return attaching.remove_files(db, [number for (number,) in rows])

    def get_batch(self, store_id: str, batch_id: str) -> BatchRecord | None:
        """Return a batch, or None."""
        with self._database.reading() as db:
            return attaching.get_batch(db, store_id, batch_id)

    def cancel_batch(self, store_id: str, batch_id: str) -> BatchRecord | None:
        """Cancel what of a batch isn't indexed yet. None where there is no such batch."""
        with self._database.writing() as db:
            return attaching.cancel_batch(db, store_id, batch_id)

    # Indexing

    def claim(self, worker: str, *, limit: int = 1) -> list[FileRecord]:
        """Return files without chunks that wait to be indexed, oldest first; they are the worker's until it is gone.

        They are also free again once this storage is closed.
        """
        with self._database.reading() as db:
            if not indexing.anything_to_claim(db, worker):
                return []
        self._after_fork()
        self._claimed = True
        with self._database.writing() as db:
            return indexing.claim(db, worker, limit, self._id)

    def put_chunks(self, file: FileRecord, chunks: Sequence[Chunk], *, content_hash: str, needs_vectors: bool) -> bool:
        """Keep a file's chunks, all or none, in place of those it had; words find them from now on.

        Returns:
            False where the file has been removed, cancelled or attached anew meanwhile: nothing is kept.
        """
        with self._database.writing() as db:
            kept = indexing.put_chunks(db, file, chunks, content_hash, needs_vectors)
        if kept:
            self._fall_behind(file.store_id, len(chunks), vectors=False)
        return kept

    def fail_file(self, file: FileRecord, code: str, message: str) -> bool:
        """Note why a file can't be indexed. False as for `put_chunks`: a completed one's chunks wait no more."""
        with self._database.writing() as db:
            return indexing.fail_file(db, file, code, message)

    def want_vectors(self, embedder: str) -> int:
        """Have the chunks of completed files that lack vectors wait for them; return how many do now that did not."""
        with self._database.reading() as db:
            if not indexing.lacks_vectors(db, embedder):
                return 0
        with self._database.writing() as db:
            return indexing.want_vectors(db, embedder)

    def claim_unembedded(
        self, worker: str, *, limit: int = 64, without_embedder: bool = False
    ) -> list[tuple[int, str, str]]:
        """Return `(key, store_id, text)` of chunks that wait for vectors; claimed as by `claim`.

        Those of files in progress come before those of completed ones, and oldest files first. `without_embedder` gives
        only those of files that a worker without one can complete: in stores that have none yet.
        """
        with self._database.reading() as db:
            if not indexing.anything_to_embed(db, worker, without_embedder):
                return []
        self._after_fork()
        self._claimed = True
        with self._database.writing() as db:
            return indexing.claim_unembedded(db, worker, limit, self._id, without_embedder)

    def put_vectors(self, store_id: str, embedder: str, vectors: Sequence[tuple[int, np.ndarray]]) -> None:
        """Keep the vectors of chunks, float32 of shape (windows, dimensions), each of length 1.

        A file whose last chunk gets its vectors is completed. Chunks that are gone, or have theirs, are passed over.

        Raises:
            StorageError: The store has vectors of another embedder.
        """
        with self._database.writing() as db:
            indexing.put_vectors(db, store_id, embedder, vectors)
        self._fall_behind(store_id, len(vectors), vectors=True)

    def _fall_behind(self, store_id: str, chunks: int, *, vectors: bool) -> None:
        """Bring what is derived up to the tables now and then, so that no search has to wait long for that."""
        self._after_fork()
        with self._lock:
            behind = self._behind.get((store_id, vectors), 0) + chunks
            self._behind[store_id, vectors] = 0 if behind >= _CAUGHT_UP_AFTER else behind
        if behind >= _CAUGHT_UP_AFTER and (findable := self._findable(store_id)) is not None:
            with suppress(StorageError):  # the chunks are kept: the next search says what is wrong
                findable.catch_up(vectors=vectors)

    # Searching

    def match_words(self, store_id: str, query: str, *, filters: Filter | None, limit: int) -> list[Match]:
        """Return the chunks with words of the query, best first by BM25. Any text is a query: it has no syntax."""
        findable = self._findable(store_id)
        return [] if findable is None else findable.match_words(query, filters, limit)

    def match_vector(self, store_id: str, vector: np.ndarray, *, filters: Filter | None, limit: int) -> list[Match]:
        """Return the chunks nearest to a vector, best first by the largest cosine over a chunk's windows.

        Raises:
            StorageError: The store's vectors have another length.
        """
        findable = self._findable(store_id)
        return [] if findable is None else findable.match_vector(vector, filters, limit)

    def read_chunks(self, keys: Sequence[int]) -> dict[int, tuple[FileRecord, Chunk]]:
        """Return the chunks that are still there, each with its file."""
        query = f"""SELECT c.key, {CHUNK}, {FILE} FROM json_each(?) AS n CROSS JOIN chunks AS c ON c.key = n.value
            CROSS JOIN files AS f ON f.number = c.file CROSS JOIN stores AS s ON s.number = f.store"""
        with self._database.reading() as db:
            rows = db.execute(query, (str(list(keys)),)).fetchall()
        return {row[0]: (as_file(row[9:]), as_chunk(row[1:9])) for row in rows}

    def file_chunks(self, store_id: str, file_id: str) -> list[Chunk]:
        """Return all chunks of a file in order."""
        query = f"""SELECT {CHUNK} FROM files AS f JOIN stores AS s ON s.number = f.store
            JOIN chunks AS c ON c.key BETWEEN f.first_chunk AND f.first_chunk + f.chunks - 1
            WHERE s.id = ? AND f.file_id = ? ORDER BY c.key"""
        with self._database.reading() as db:
            return [as_chunk(row) for row in db.execute(query, (store_id, file_id)).fetchall()]

    def _findable(self, store_id: str) -> Findable | None:
        self._after_fork()
        with self._database.reading() as db:
            number = store_number(db, store_id)
        if number is None:
            return None
        with self._lock:
            known = self._open.get(store_id)
            if known is None or known[0] != number:
                known = (number, Findable(self._derived(number), number, self._database))
                self._open[store_id] = known
            return known[1]

    def _after_fork(self) -> None:
        """Open everything anew in a forked child: what its parent has open, and claimed, is the parent's."""
        if self._process != os.getpid():
            self._process, self._lock, self._open, self._claimed = os.getpid(), threading.Lock(), {}, False
            self._id, self._behind = secrets.token_hex(8), {}

    def _derived(self, number: int) -> Path:
        return self._folder / f"store-{number}"


def _changeable(store: StoreRecord) -> dict[str, str | int | None]:
    return {
        "name": store.name,
        "created_at": store.created_at,
        "last_active_at": store.last_active_at,
        "description": store.description,
        "metadata": dumped(store.metadata),
        "expires_after_days": store.expires_after_days,
    }
