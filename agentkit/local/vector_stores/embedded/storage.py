"""Vector stores in a folder of this machine: SQLite holds the truth, indexes beside it are derived from it."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from agentkit.local.vector_stores.embedded import attaching, indexing
from agentkit.local.vector_stores.embedded.database import Database
from agentkit.local.vector_stores.embedded.found import Findable
from agentkit.local.vector_stores.embedded.records import TABLES
from agentkit.local.vector_stores.passages import Attributes, Chunk, Match
from agentkit.local.vector_stores.storage import BatchRecord, FileRecord, StorageError
from agentkit.local.vector_stores.table_storage import TableStorage
from agentkit.local.vector_stores.tables import CHUNK, FILE

if TYPE_CHECKING:
    import numpy as np

    from agentkit.local.vector_stores.filters import Filter

__all__ = ["EmbeddedStorage"]

T = TypeVar("T")

_CAUGHT_UP_AFTER = 5_000
"""Chunks that are kept before what is derived is brought up to them, unless somebody searches earlier."""


class EmbeddedStorage(TableStorage[sqlite3.Connection]):
    """Vector stores kept in files. Several threads and processes may use one folder at once.

    Implements `agentkit.local.vector_stores.storage.VectorStorage`.

    Args:
        home: Folder of agentkit's files. What is kept lies in `vector_stores/` there, made when it is used first, for
            its user's eyes only: `stores.sqlite3` with everything, and a folder a store with indexes that are made
            anew whenever they don't fit it.
    """

    tables = TABLES

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

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` finds over a connection that sees one state of the database."""
        with self._database.reading() as db:
            return work(db)

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` does in a transaction, kept whole or not at all."""
        with self._database.writing() as db:
            return work(db)

    def _remove(self, db: sqlite3.Connection, numbers: Sequence[int]) -> int:
        return attaching.remove_files(db, numbers)

    # Stores

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

    # Files in stores

    def add_files(self, files: Sequence[FileRecord], *, batch: BatchRecord | None = None) -> None:
        """Attach files, all or none, to be indexed. One that is there already is indexed anew, as it is given now.

        Raises:
            StorageError: There is no such store.
        """
        with self._database.writing() as db:
            attaching.add_files(db, files, batch)
            attaching.sweep(db)

    def set_attributes(self, store_id: str, file_id: str, attributes: Attributes) -> FileRecord | None:
        """Replace a file's attributes; searches see it at once. None where it isn't there."""
        with self._database.writing() as db:
            return attaching.set_attributes(db, store_id, file_id, attributes)

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
        return {row[0]: (TABLES.as_file(row[9:]), TABLES.as_chunk(row[1:9])) for row in rows}

    def _findable(self, store_id: str) -> Findable | None:
        self._after_fork()
        with self._database.reading() as db:
            number = TABLES.store_number(db, store_id)
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
