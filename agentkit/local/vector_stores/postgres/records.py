"""Rows of the tables as records, texts as PostgreSQL takes them, and pages."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentkit import _json
from agentkit.local.vector_stores.passages import Attributes, Chunk, Chunking
from agentkit.local.vector_stores.storage import FileRecord, Page, StoreRecord

if TYPE_CHECKING:
    import psycopg

__all__ = [
    "CHUNK",
    "FILE",
    "STORE",
    "as_chunk",
    "as_file",
    "as_store",
    "compared",
    "dumped",
    "page_of",
    "readable",
    "storable",
    "store_number",
]

STORE = """s.id, s.name, s.created_at, s.last_active_at, s.description, s.metadata, s.expires_after_days,
s.embedder, s.dimensions"""
FILE = """s.id, f.file_id, f.filename, f.created_at, f.status, f.error_code, f.error_message, f.usage_bytes,
f.attributes, f.max_tokens, f.overlap_tokens, f.auto_chunking, f.batch_id, f.content_hash, f.chunks, f.embedded,
f.number"""
CHUNK = 'c.position, c.text, c.tokens, c.start, c."end", c.page, c.last_page, c.heading'

_ESCAPED = re.compile("\x01[\x01\x02]")
_LONE = re.compile("[\ud800-\udfff]")


def storable(text: str) -> str:
    """Return a text as PostgreSQL can keep it, which has no place for NUL. The order of texts stays what it was.

    Halves of surrogate pairs, which are no characters, are replaced.
    """
    if "\x00" in text or "\x01" in text:
        text = text.replace("\x01", "\x01\x02").replace("\x00", "\x01\x01")
    return text if text.isascii() else _whole(text)


def _whole(text: str) -> str:
    if _LONE.search(text) is None:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def readable(text: str) -> str:
    """Return a text as it was before `storable`."""
    return _ESCAPED.sub(lambda match: chr(ord(match[0][1]) - 1), text) if "\x01" in text else text


def dumped(value: Mapping[str, Any]) -> str:
    """Return attributes or metadata as JSON."""
    return _json.dumps(value).decode()


def compared(attributes: Attributes) -> str:
    """Return attributes as JSON in the form that filters compare.

    Numbers are exact in it: jsonb's are decimal, so a float that is whole becomes the integer that it is.
    """
    return dumped({storable(key): compared_value(value) for key, value in attributes.items()})


def compared_value(value: str | float | bool) -> str | float | bool:
    """Return one attribute's value in that form."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value


def as_store(row: Sequence[Any]) -> StoreRecord:
    """Make a record of the columns `STORE`."""
    store_id, name, created_at, last_active_at, description, metadata, days, embedder, dimensions = row
    return StoreRecord(
        id=store_id,
        name=readable(name),
        created_at=created_at,
        last_active_at=last_active_at,
        description=None if description is None else readable(description),
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
        filename=readable(filename),
        created_at=created_at,
        status=status,
        error_code=error_code,
        error_message=None if error_message is None else readable(error_message),
        usage_bytes=usage_bytes,
        attributes=_json.loads(attributes),
        chunking=Chunking(max_tokens, overlap_tokens),
        auto_chunking=auto_chunking,
        batch_id=batch_id,
        content_hash=content_hash,
        chunks=chunks,
        embedded=embedded,
        revision=revision,
    )


def as_chunk(row: Sequence[Any]) -> Chunk:
    """Make a chunk of the columns `CHUNK`."""
    position, text, tokens, start, end, page, last_page, heading = row
    return Chunk(position, readable(text), tokens, start, end, page, last_page, readable(heading))


def store_number(db: psycopg.Connection[Any], store_id: str) -> int | None:
    """Return how rows name a store, or None where it isn't there."""
    row = db.execute("SELECT number FROM stores WHERE id = %s", (storable(store_id),)).fetchone()
    return None if row is None else row[0]


def page_of(
    db: psycopg.Connection[Any],
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
        found = db.execute(cursor, (*among, storable(object_id))).fetchone()
        if found is None:
            raise KeyError(object_id)
        query += f" AND {order} {'>' if further else '<'} (%s, %s)"
        parameters += found
    direction = "ASC" if page.ascending is forwards else "DESC"
    query += f" ORDER BY {table}.created_at {direction}, {table}.number {direction} LIMIT %s"
    rows = db.execute(query, (*parameters, page.limit + 1)).fetchall()
    if forwards:
        return rows
    return rows[: page.limit][::-1] + rows[page.limit :]
