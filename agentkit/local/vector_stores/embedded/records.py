"""Rows of the tables as records, records as rows, and pages of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from agentkit import _json
from agentkit.local.vector_stores.passages import Attributes, Chunk, Chunking
from agentkit.local.vector_stores.storage import FileRecord, Page, StoreRecord

__all__ = [
    "CHUNK",
    "FILE",
    "STORE",
    "as_chunk",
    "as_file",
    "as_store",
    "dumped",
    "loaded_attributes",
    "page_of",
    "store_number",
]

STORE = """s.id, s.name, s.created_at, s.last_active_at, s.description, s.metadata, s.expires_after_days,
s.embedder, s.dimensions"""
FILE = """s.id, f.file_id, f.filename, f.created_at, f.status, f.error_code, f.error_message, f.usage_bytes,
f.attributes, f.max_tokens, f.overlap_tokens, f.auto_chunking, f.batch_id, f.content_hash, f.chunks, f.embedded,
f.number"""
CHUNK = 'c.position, c.text, c.tokens, c.start, c."end", c.page, c.last_page, c.heading'


def as_store(row: Sequence[Any]) -> StoreRecord:
    """Make a record of the columns `STORE`."""
    store_id, name, created_at, last_active_at, description, metadata, days, embedder, dimensions = row
    return StoreRecord(
        id=store_id,
        name=name,
        created_at=created_at,
        last_active_at=last_active_at,
        description=description,
        metadata=_json.loads(metadata),
        expires_after_days=days,
        embedder=embedder,
        dimensions=dimensions,
    )


def as_file(row: Sequence[Any]) -> FileRecord:
    """Make a record of the columns `FILE`."""
    store_id, file_id, filename, created_at, status, error_code, error_message, usage_bytes, attributes = row[:9]
    max_tokens, overlap_tokens, auto_chunking, batch_id, content_hash, chunks, embedded, revision = row[9:]
    return FileRecord(
        store_id=store_id,
        file_id=file_id,
        filename=filename,
        created_at=created_at,
        status=status,
        error_code=error_code,
        error_message=error_message,
        usage_bytes=usage_bytes,
        attributes=loaded_attributes(attributes),
        chunking=Chunking(max_tokens, overlap_tokens),
        auto_chunking=bool(auto_chunking),
        batch_id=batch_id,
        content_hash=content_hash,
        chunks=chunks,
        embedded=embedded,
        revision=revision,
    )


def as_chunk(row: Sequence[Any]) -> Chunk:
    """Make a chunk of the columns `CHUNK`."""
    return Chunk(*row)


def dumped(value: dict[str, Any]) -> str:
    """Return attributes or metadata as JSON."""
    return _json.dumps(value).decode()


def loaded_attributes(text: str) -> Attributes:
    """Return the attributes in a column."""
    attributes: Attributes = _json.loads(text)
    return attributes


def store_number(db: sqlite3.Connection, store_id: str) -> int | None:
    """Return how rows name a store, or None where it isn't there."""
    row = db.execute("SELECT number FROM stores WHERE id = ?", (store_id,)).fetchone()
    return None if row is None else row[0]


def page_of(
    db: sqlite3.Connection,
    query: str,
    values: Sequence[object],
    page: Page,
    *,
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
        found = db.execute(cursor, (*among, object_id)).fetchone()
        if found is None:
            raise KeyError(object_id)
        query += f" AND {order} {'>' if further else '<'} (?, ?)"
        parameters += found
    direction = "ASC" if page.ascending is forwards else "DESC"
    query += f" ORDER BY {table}.created_at {direction}, {table}.number {direction} LIMIT ?"
    rows = db.execute(query, (*parameters, page.limit + 1)).fetchall()
    if forwards:
        return rows
    return rows[: page.limit][::-1] + rows[page.limit :]
