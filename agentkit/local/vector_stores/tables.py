"""What both storages keep in tables of the same columns: stores, files, batches and chunks as rows, and pages of them.

Queries are written once, with `?` where a value goes, for SQLite as for PostgreSQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from agentkit import _json
from agentkit.local.vector_stores.passages import Chunk, Chunking
from agentkit.local.vector_stores.storage import (
    BatchRecord,
    FileCounts,
    FileRecord,
    FileStatus,
    Indexing,
    Page,
    StorageError,
    StoreRecord,
)

__all__ = ["CHUNK", "FILE", "Connected", "Tables", "dumped", "whole"]

T = TypeVar("T")

_STORE = """s.id, s.name, s.created_at, s.last_active_at, s.description, s.metadata, s.expires_after_days,
s.embedder, s.dimensions"""
FILE = """s.id, f.file_id, f.filename, f.created_at, f.status, f.error_code, f.error_message, f.usage_bytes,
f.attributes, f.max_tokens, f.overlap_tokens, f.auto_chunking, f.batch_id, f.content_hash, f.chunks, f.embedded,
f.number"""
"""Columns of a file `f` of a store `s`, for `Tables.as_file`."""
CHUNK = 'c.position, c.text, c.tokens, c.start, c."end", c.page, c.last_page, c.heading'
"""Columns of a chunk `c`, for `Tables.as_chunk`."""

_FILES = "FROM files AS f JOIN stores AS s ON s.number = f.store"
_CHUNKS = "JOIN chunks AS c ON c.key BETWEEN f.first_chunk AND f.first_chunk + f.chunks - 1"
_LONE = re.compile("[\ud800-\udfff]")


class Connected(Protocol):
    """A connection of `sqlite3` or `psycopg`."""

    def execute(self, query: str, values: Sequence[Any] = ..., /) -> Any:
        """Return a cursor: the two libraries' have no class in common."""
        ...


def whole(text: str) -> str:
    """Return a text with halves of surrogate pairs, which are no characters and can't be kept, replaced."""
    if text.isascii() or _LONE.search(text) is None:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def dumped(value: Mapping[str, Any]) -> str:
    """Return attributes or metadata as JSON."""
    return _json.dumps(value).decode()


@dataclass(frozen=True, slots=True)
class Tables:
    """Reads and writes the tables of one kind of database. Methods take a connection, which has a transaction open."""

    mark: str
    """What stands for a value in a query."""
    storable: Callable[[str], str]
    """Gives a text as the database can keep it."""
    readable: Callable[[str], str]
    """Gives such a text as it was."""

    def run(self, db: Connected, query: str, values: Sequence[object] = ()) -> Any:
        """Execute a query, with `?` for each value, and return its cursor."""
        return db.execute(query.replace("?", self.mark), values)

    def insert(self, db: Connected, table: str, row: Mapping[str, object]) -> None:
        """Insert a row."""
        query = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
        self.run(db, query, tuple(row.values()))

    def _kept(self, text: str | None) -> str | None:
        return None if text is None else self.storable(text)

    def _read(self, text: str | None) -> str | None:
        return None if text is None else self.readable(text)

    # Stores

    def create_store(self, db: Connected, store: StoreRecord) -> None:
        """Keep a new store."""
        row = {"id": self.storable(store.id), **self._changeable(store)}
        self.insert(db, "stores", {**row, "embedder": store.embedder, "dimensions": store.dimensions})

    def put_store(self, db: Connected, store: StoreRecord) -> bool:
        """Replace what is kept of a store, but for its embedder; return whether it is there."""
        row = self._changeable(store)
        query = f"UPDATE stores SET {', '.join(f'{column} = ?' for column in row)} WHERE id = ?"
        found: int = self.run(db, query, (*row.values(), self.storable(store.id))).rowcount
        return found > 0

    def _changeable(self, store: StoreRecord) -> dict[str, object]:
        return {
            "name": self.storable(store.name),
            "created_at": store.created_at,
            "last_active_at": store.last_active_at,
            "description": self._kept(store.description),
            "metadata": dumped(store.metadata),
            "expires_after_days": store.expires_after_days,
        }

    def get_store(self, db: Connected, store_id: str) -> StoreRecord | None:
        """Return a store, or None."""
        row = self.run(db, f"SELECT {_STORE} FROM stores AS s WHERE s.id = ?", (self.storable(store_id),)).fetchone()
        return None if row is None else self._as_store(row)

    def store_number(self, db: Connected, store_id: str) -> int | None:
        """Return how rows name a store, or None where it isn't there."""
        row = self.run(db, "SELECT number FROM stores WHERE id = ?", (self.storable(store_id),)).fetchone()
        return None if row is None else row[0]

    def list_stores(self, db: Connected, page: Page) -> list[StoreRecord]:
        """Return a page of stores, and one more, last, where there are more.

        Raises:
            KeyError: No store has the cursor's id.
        """
        query, cursor = f"SELECT {_STORE} FROM stores AS s WHERE TRUE", "SELECT created_at, number FROM stores"
        return [self._as_store(row) for row in self._page(db, query, (), page, "s", f"{cursor} WHERE id = ?")]

    def _as_store(self, row: Sequence[Any]) -> StoreRecord:
        store_id, name, created_at, last_active_at, description, metadata, days, embedder, dimensions = row
        return StoreRecord(
            id=store_id,
            name=self.readable(name),
            created_at=created_at,
            last_active_at=last_active_at,
            description=self._read(description),
            metadata=_json.loads(metadata),
            expires_after_days=days,
            embedder=embedder,
            dimensions=dimensions,
        )

    # Files in stores

    def number_stores(self, db: Connected, files: Sequence[FileRecord], batch: BatchRecord | None) -> dict[str, int]:
        """Return how rows name the stores that files are being attached to, in order; keep the files' batch.

        Raises:
            StorageError: A store isn't there.
        """
        numbers: dict[str, int] = {}
        for store_id in sorted({file.store_id for file in files} | ({batch.store_id} if batch else set())):
            number = self.store_number(db, store_id)
            if number is None:
                raise StorageError(f"There is no vector store {store_id!r} to attach files to. Create it first.")
            numbers[store_id] = number
        if batch is not None:
            row = (batch.id, numbers[batch.store_id], batch.created_at, batch.cancelled)
            self.run(db, "INSERT INTO batches VALUES (?, ?, ?, ?)", row)
        return numbers

    def file_row(self, store: int, file: FileRecord) -> dict[str, object]:
        """Return the row of a file as it is attached."""
        return {
            "store": store,
            "file_id": file.file_id,
            "filename": self.storable(file.filename),
            "created_at": file.created_at,
            "status": file.status,
            "error_code": file.error_code,
            "error_message": self._kept(file.error_message),
            "attributes": dumped(file.attributes),
            "max_tokens": file.chunking.max_tokens,
            "overlap_tokens": file.chunking.overlap_tokens,
            "auto_chunking": file.auto_chunking,
            "batch_id": file.batch_id,
        }

    def get_file(self, db: Connected, store_id: str, file_id: str) -> FileRecord | None:
        """Return a file of a store, or None."""
        query, values = f"SELECT {FILE} {_FILES} WHERE s.id = ? AND f.file_id = ?", (store_id, file_id)
        row = self.run(db, query, [self.storable(one) for one in values]).fetchone()
        return None if row is None else self.as_file(row)

    def file_numbers(self, db: Connected, file_id: str, store_id: str | None = None) -> list[int]:
        """Return how rows name a file of one store, or of all."""
        query, values = f"SELECT f.number {_FILES} WHERE f.file_id = ?", [self.storable(file_id)]
        if store_id is not None:
            query, values = f"{query} AND s.id = ?", [*values, self.storable(store_id)]
        return [number for (number,) in self.run(db, f"{query} ORDER BY f.number", values).fetchall()]

    def list_files(
        self, db: Connected, store_id: str, page: Page, status: FileStatus | None, batch_id: str | None
    ) -> list[FileRecord]:
        """Return a page of files, and one more, last, where there are more.

        Raises:
            KeyError: No file of the store has the cursor's id.
        """
        store = self.store_number(db, store_id)
        query, values = f"SELECT {FILE} {_FILES} WHERE f.store = ?", list[object]([store])
        for column, value in (("status", status), ("batch_id", batch_id)):
            if value is not None:
                query, values = f"{query} AND f.{column} = ?", [*values, value]
        # A file that has gone over to another status since the page before is still a cursor.
        cursor = "SELECT created_at, number FROM files WHERE store = ? AND file_id = ?"
        return [self.as_file(row) for row in self._page(db, query, values, page, "f", cursor, (store,))]

    def count_files(self, db: Connected, store_id: str, batch_id: str | None) -> FileCounts:
        """Return how many files of a store, or of a batch, are in which status."""
        query = "SELECT status, COUNT(*) FROM files WHERE store = ?"
        values: list[object] = [self.store_number(db, store_id)]
        if batch_id is not None:
            query, values = f"{query} AND batch_id = ?", [*values, batch_id]
        return FileCounts(**dict(self.run(db, f"{query} GROUP BY status", values).fetchall()))

    def indexing(self, db: Connected, store_id: str, batch_id: str) -> Indexing:
        """Return how far the files of a batch are."""
        query = """SELECT COUNT(*) - COUNT(content_hash), COALESCE(SUM(chunks), 0),
            COALESCE(SUM(CASE WHEN status = 'completed' THEN chunks ELSE embedded END), 0)
            FROM files WHERE store = ? AND batch_id = ? AND status IN ('in_progress', 'completed')"""
        values = (self.store_number(db, store_id), self.storable(batch_id))
        return Indexing(*map(int, self.run(db, query, values).fetchone()))

    def usage_bytes(self, db: Connected, store_id: str) -> int:
        """Return the bytes of the files' texts and vectors."""
        query = "SELECT COALESCE(SUM(usage_bytes), 0) FROM files WHERE store = ?"
        return int(self.run(db, query, (self.store_number(db, store_id),)).fetchone()[0])

    def as_file(self, row: Sequence[Any]) -> FileRecord:
        """Make a record of the columns `FILE`."""
        store_id, file_id, filename, created_at, status, error_code, error_message, usage_bytes, attributes = row[:9]
        max_tokens, overlap_tokens, auto_chunking, batch_id, content_hash, chunks, embedded, revision = row[9:]
        return FileRecord(
            store_id=store_id,
            file_id=file_id,
            filename=self.readable(filename),
            created_at=created_at,
            status=status,
            error_code=error_code,
            error_message=self._read(error_message),
            usage_bytes=usage_bytes,
            attributes=_json.loads(attributes),
            chunking=Chunking(max_tokens, overlap_tokens),
            auto_chunking=bool(auto_chunking),
            batch_id=batch_id,
            content_hash=content_hash,
            chunks=chunks,
            embedded=embedded,
            revision=revision,
        )

    # Batches and chunks

    def get_batch(self, db: Connected, store_id: str, batch_id: str) -> BatchRecord | None:
        """Return a batch, or None."""
        query = "SELECT created_at, cancelled FROM batches WHERE id = ? AND store = ?"
        row = self.run(db, query, (self.storable(batch_id), self.store_number(db, store_id))).fetchone()
        return None if row is None else BatchRecord(batch_id, store_id, row[0], bool(row[1]))

    def batches(self, db: Connected, store_id: str) -> list[BatchRecord]:
        """Return a store's batches."""
        query = "SELECT id, created_at, cancelled FROM batches WHERE store = ? ORDER BY created_at, id"
        rows = self.run(db, query, (self.store_number(db, store_id),)).fetchall()
        return [BatchRecord(batch_id, store_id, at, bool(cancelled)) for batch_id, at, cancelled in rows]

    def take_over(self, db: Connected, store: StoreRecord, batches: Sequence[BatchRecord]) -> None:
        """Make a store, or bring one that is there up to this, its embedder included; and add batches it lacks."""
        if not self.put_store(db, store):
            self.create_store(db, store)
        query = "UPDATE stores SET embedder = ?, dimensions = ? WHERE id = ?"
        self.run(db, query, (store.embedder, store.dimensions, self.storable(store.id)))
        number = self.store_number(db, store.id)
        query = """INSERT INTO batches VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
            store = excluded.store, created_at = excluded.created_at, cancelled = excluded.cancelled"""
        for batch in batches:
            self.run(db, query, (self.storable(batch.id), number, batch.created_at, batch.cancelled))

    def put_state(self, db: Connected, number: int, file: FileRecord) -> None:
        """Note how far a file, as rows name it, is, or why it has failed."""
        query = "UPDATE files SET status = ?, error_code = ?, error_message = ?, usage_bytes = ? WHERE number = ?"
        state = (file.status, file.error_code, self._kept(file.error_message), file.usage_bytes)
        self.run(db, query, (*state, number))

    def keyed(self, db: Connected, number: int, values: Sequence[T | None]) -> list[tuple[int, T]]:
        """Return what there is for each of a file's chunks, in their order, with the chunk's key."""
        first = self.run(db, "SELECT first_chunk FROM files WHERE number = ?", (number,)).fetchone()[0]
        return [(first + n, value) for n, value in enumerate(values) if value is not None]

    def file_chunks(self, db: Connected, store_id: str, file_id: str) -> list[Chunk]:
        """Return all chunks of a file in order."""
        values = (self.storable(store_id), self.storable(file_id))
        return list(self._chunks(db, "s.id = ? AND f.file_id = ?", values).values())

    def keyed_chunks(self, db: Connected, number: int) -> dict[int, Chunk]:
        """Return all chunks of a file, as rows name it, in order, by their keys."""
        return self._chunks(db, "f.number = ?", (number,))

    def _chunks(self, db: Connected, condition: str, values: Sequence[object]) -> dict[int, Chunk]:
        query = f"SELECT c.key, {CHUNK} {_FILES} {_CHUNKS} WHERE {condition} ORDER BY c.key"
        return {row[0]: self.as_chunk(row[1:]) for row in self.run(db, query, values).fetchall()}

    def as_chunk(self, row: Sequence[Any]) -> Chunk:
        """Make a chunk of the columns `CHUNK`."""
        position, text, tokens, start, end, page, last_page, heading = row
        return Chunk(position, self.readable(text), tokens, start, end, page, last_page, self.readable(heading))

    def _page(
        self,
        db: Connected,
        query: str,
        values: Sequence[object],
        page: Page,
        table: str,
        cursor: str,
        among: Sequence[object] = (),
    ) -> list[Any]:
        """Return a page of rows, and one more, last, where there are more.

        Args:
            db: The database.
            query: A SELECT up to and with its first condition.
            values: Of its parameters.
            page: Which part.
            table: Short name of the table in the query whose `created_at` and `number` give the order.
            cursor: A SELECT of those two columns of the object whose id is its last parameter.
            among: Its parameters before that.

        Raises:
            KeyError: There is no object with the cursor's id.
        """
        forwards, parameters = page.before is None or page.after is not None, list(values)
        order = f"({table}.created_at, {table}.number)"
        for object_id, further in ((page.after, page.ascending), (page.before, not page.ascending)):
            if object_id is None:
                continue
            found = self.run(db, cursor, (*among, self.storable(object_id))).fetchone()
            if found is None:
                raise KeyError(object_id)
            query += f" AND {order} {'>' if further else '<'} (?, ?)"
            parameters += found
        direction = "ASC" if page.ascending is forwards else "DESC"
        query += f" ORDER BY {table}.created_at {direction}, {table}.number {direction} LIMIT ?"
        rows: list[Any] = self.run(db, query, (*parameters, page.limit + 1)).fetchall()
        if forwards:
            return rows
        return rows[: page.limit][::-1] + rows[page.limit :]
