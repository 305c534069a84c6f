"""Vector stores in a PostgreSQL database with pgvector, which many users and machines share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agentkit.local.vector_stores.embedded.terms import query_terms
from agentkit.local.vector_stores.passages import Attributes, Chunk, Match
from agentkit.local.vector_stores.postgres import attaching, indexing, nearest
from agentkit.local.vector_stores.postgres.connections import Connections, NoServerError
from agentkit.local.vector_stores.postgres.found import Found
from agentkit.local.vector_stores.postgres.homes import identity_of
from agentkit.local.vector_stores.postgres.leases import Leases, begin_lease, free_from_the_dead
from agentkit.local.vector_stores.postgres.records import TABLES, storable
from agentkit.local.vector_stores.postgres.segments import merge_files, merge_segments, packed, to_merge
from agentkit.local.vector_stores.storage import BatchRecord, FileRecord, StorageError
from agentkit.local.vector_stores.table_storage import TableStorage
from agentkit.local.vector_stores.tables import CHUNK, FILE

if TYPE_CHECKING:
    import numpy as np
    import psycopg

    from agentkit.local.vector_stores.filters import Filter

__all__ = ["PostgresStorage"]

T = TypeVar("T")

_PATIENCE_S = 30.0
"""How long what a worker has made is held ready for a primary to come back."""


class PostgresStorage(TableStorage["psycopg.Connection[Any]"]):
    """Vector stores kept in PostgreSQL. Several threads, processes and machines may use one database at once.

    Implements `agentkit.local.vector_stores.storage.VectorStorage`.

    Args:
        dsn: `postgresql://user@host/database`; of a primary and its replicas with all of their hosts, separated by
            commas. The tables are made, in a schema `agentkit`, when it is used first.
        home: The home folder whose files can be read here: only those that were attached through the same home are
            claimed. None claims all.

    Raises:
        StorageError: `dsn` is no such address.
    """

    tables = TABLES

    def __init__(self, dsn: str, *, home: Path | None = None) -> None:
        self.connections = Connections(dsn)
        self._folder = home
        self._home_id: str | None = None
        self._leases = Leases(self.connections)
        self._found = Found()

    def close(self) -> None:
        """Let go of connections, and of what was claimed and isn't done; they are opened again when needed."""
        self._leases.release()
        self.connections.close()

    def read(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Return what `work` finds over a connection that sees one state of the database. It may be called again."""
        return self.connections.read(work)

    def write(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Return what `work` does in a transaction, kept whole or not at all. It may be called again."""
        return self.connections.write(work)

    def _remove(self, db: psycopg.Connection[Any], numbers: Sequence[int]) -> int:
        return attaching.remove_files(db, numbers)

    # Stores

    def touch_store(self, store_id: str, at: int) -> None:
        """Note that a store was used, which puts off its end. Without a primary, nothing is noted."""
        query = "UPDATE stores SET last_active_at = %s WHERE id = %s AND last_active_at < %s"
        if not self.connections.has_no_primary:
            with suppress(NoServerError):
                self.connections.write(lambda db: db.execute(query, (at, storable(store_id), at)))

    def delete_store(self, store_id: str) -> bool:
        """Forget a store with all in it; return whether there was one."""
        found = self.connections.write(lambda db: _delete_store(db, store_id))
        if found is None:
            return False
        with suppress(StorageError):
            nearest.drop_index(self.connections, *found)
        return True

    # Files in stores

    def add_files(self, files: Sequence[FileRecord], *, batch: BatchRecord | None = None) -> None:
        """Attach files, all or none, to be indexed. One that is there already is indexed anew, as it is given now.

        Raises:
            StorageError: There is no such store.
        """
        home = self.home_id()
        self.connections.write(lambda db: attaching.add_files(db, files, batch, home))

    def set_attributes(self, store_id: str, file_id: str, attributes: Attributes) -> FileRecord | None:
        """Replace a file's attributes; searches see it at once. None where it isn't there."""
        return self.connections.write(lambda db: attaching.set_attributes(db, store_id, file_id, attributes))

    def cancel_batch(self, store_id: str, batch_id: str) -> BatchRecord | None:
        """Cancel what of a batch isn't indexed yet. None where there is no such batch."""
        return self.connections.write(lambda db: attaching.cancel_batch(db, store_id, batch_id))

    # Indexing

    def home_id(self) -> str | None:
        """Return what tells the home folder, whose files can be read here, from other machines'; None for none.

        Raises:
            StorageError: It can't be written down.
        """
        if self._folder is not None and self._home_id is None:
            self._home_id = identity_of(self._folder / "vector_stores" / "home.id")
        return self._home_id

    def claim(self, worker: str, *, limit: int = 1) -> list[FileRecord]:
        """Return files without chunks that wait to be indexed, oldest first; they are the worker's until it is gone.

        Only those that were attached through this home: no other machine has their bytes. A worker of another machine
        is gone once it hasn't been heard of for a minute. They are also free again once this storage is closed.
        """
        home = self.home_id()
        if not self.connections.read(lambda db: indexing.anything_to_claim(db, worker, home)):
            return []
        holder = self._leases.holder(worker)

        def claim(db: psycopg.Connection[Any]) -> list[FileRecord]:
            free_from_the_dead(db, worker)
            begin_lease(db, holder, worker)
            return indexing.claim(db, limit, home, holder)

        claimed = self.connections.write(claim)
        if claimed:
            self._leases.keep()
        return claimed

    def put_chunks(self, file: FileRecord, chunks: Sequence[Chunk], *, content_hash: str, needs_vectors: bool) -> bool:
        """Keep a file's chunks, all or none, in place of those it had; words find them from now on.

        Returns:
            False where the file has been removed, cancelled or attached anew meanwhile: nothing is kept.
        """
        words = packed(chunks)
        kept = self.connections.write(
            lambda db: indexing.put_chunks(db, file, chunks, words, content_hash, needs_vectors),
            patience_s=_PATIENCE_S,
        )
        if kept and chunks:
            with suppress(StorageError):  # the chunks are kept: the next file's worker tries again
                self.merge(file.store_id)
        return kept

    def merge(self, store_id: str) -> None:
        """Bring together what chunks of a store are found by, where it lies about in many pieces.

        Raises:
            StorageError: It can't be done now.
        """
        while (store := self.connections.read(lambda db: to_merge(db, storable(store_id)))) is not None:
            if not self.connections.write(partial(merge_files, store=store)):
                return
            while self.connections.write(partial(merge_segments, store=store)):
                pass

    def fail_file(self, file: FileRecord, code: str, message: str) -> bool:
        """Note why a file can't be indexed. False as for `put_chunks`: a completed one's chunks wait no more."""
        return self.connections.write(lambda db: indexing.fail_file(db, file, code, message))

    def want_vectors(self, embedder: str) -> int:
        """Have the chunks of completed files that lack vectors wait for them; return how many do now that did not.

        Only those that were attached through this home.
        """
        home = self.home_id()
        if not self.connections.read(lambda db: indexing.lacks_vectors(db, embedder, home)):
            return 0
        return self.connections.write(lambda db: indexing.want_vectors(db, embedder, home))

    def claim_unembedded(
        self, worker: str, *, limit: int = 64, without_embedder: bool = False
    ) -> list[tuple[int, str, str]]:
        """Return `(key, store_id, text)` of chunks that wait for vectors; claimed as by `claim`.

        Those of files in progress come before those of completed ones, and oldest files first. `without_embedder` gives
        only those of files that a worker without one can complete: in stores that have none yet.
        """
        home = self.home_id()
        if not self.connections.read(lambda db: indexing.anything_to_embed(db, worker, home, without_embedder)):
            return []
        holder = self._leases.holder(worker)

        def claim(db: psycopg.Connection[Any]) -> list[tuple[int, str, str]]:
            free_from_the_dead(db, worker)
            begin_lease(db, holder, worker)
            return indexing.claim_unembedded(db, limit, home, holder, without_embedder)

        claimed = self.connections.write(claim)
        if claimed:
            self._leases.keep()
        return claimed

    def put_vectors(self, store_id: str, embedder: str, vectors: Sequence[tuple[int, np.ndarray]]) -> None:
        """Keep the vectors of chunks, float32 of shape (windows, dimensions), each of length 1.

        A file whose last chunk gets its vectors is completed. Chunks that are gone, or have theirs, are passed over.

        Raises:
            StorageError: The store has vectors of another embedder.
        """
        now = self.connections.write(
            lambda db: indexing.put_vectors(db, store_id, embedder, vectors), patience_s=_PATIENCE_S
        )
        if now is not None and now[1] > nearest.MOST_LOOKED_AT and not now[2]:
            with suppress(StorageError):  # the vectors are kept, and found without it
                nearest.make_index(self.connections, now[0])

    # Searching

    def match_words(self, store_id: str, query: str, *, filters: Filter | None, limit: int) -> list[Match]:
        """Return the chunks with words of the query, best first by BM25. Any text is a query: it has no syntax."""
        terms = query_terms(query)
        return self.connections.read(lambda db: self._found.match_words(db, store_id, terms, filters, limit))

    def match_vector(self, store_id: str, vector: np.ndarray, *, filters: Filter | None, limit: int) -> list[Match]:
        """Return the chunks nearest to a vector, best first by the largest cosine over a chunk's windows.

        Of up to 10,000 vectors in the store, or 30,000 in the files that fulfil the filter, none is missed. Of more, an
        index gives the candidates; there are as many results as with fewer.

        Raises:
            StorageError: The store's vectors have another length.
        """
        return self.connections.read(lambda db: self._found.match_vector(db, store_id, vector, filters, limit))

    def read_chunks(self, keys: Sequence[int]) -> dict[int, tuple[FileRecord, Chunk]]:
        """Return the chunks that are still there, each with its file."""
        query = f"""SELECT c.key, {CHUNK}, {FILE} FROM chunks AS c JOIN files AS f ON f.number = c.file
            JOIN stores AS s ON s.number = f.store WHERE c.key = ANY(%s)"""
        rows = self.connections.read(lambda db: db.execute(query, (list(keys),)).fetchall())
        return {row[0]: (TABLES.as_file(row[9:]), TABLES.as_chunk(row[1:9])) for row in rows}


def _delete_store(db: psycopg.Connection[Any], store_id: str) -> tuple[int, int | None] | None:
    query = "SELECT number, dimensions FROM stores WHERE id = %s FOR UPDATE"
    row = db.execute(query, (storable(store_id),)).fetchone()
    if row is None:
        return None
    number: int = row[0]
    query = """DELETE FROM chunks AS c USING files AS f WHERE f.store = %s
        AND c.key BETWEEN f.first_chunk AND f.first_chunk + f.chunks - 1"""
    db.execute(query, (number,))
    db.execute("DELETE FROM waiting WHERE file IN (SELECT number FROM files WHERE store = %s)", (number,))
    db.execute("DELETE FROM vectors WHERE store = %s", (number,))
    db.execute("DELETE FROM postings WHERE segment IN (SELECT number FROM segments WHERE store = %s)", (number,))
    db.execute("DELETE FROM stores WHERE number = %s", (number,))  # the rest by cascade
    return number, row[1]
