"""Chunks found by their vectors: all looked at where they are few, through pgvector's index where they are many."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agentkit.local.vector_stores.passages import Match
from agentkit.local.vector_stores.storage import StorageError

if TYPE_CHECKING:
    import psycopg

    from agentkit.local.vector_stores.postgres.connections import Connections

__all__ = ["MOST_LOOKED_AT", "Among", "StoreRow", "drop_index", "make_index", "match"]

MOST_LOOKED_AT = 10_000
"""Vectors of a store up to which all are looked at: nothing is missed then."""
_MOST_FILTERED = 30_000
"""Likewise of the files that fulfil a filter: an index is slow, and misses more, where few of its hits count."""

_MOST_DIMENSIONS = 4_000
"""Of an index's 16-bit vectors; longer ones are all looked at, however many there are."""
_LEAST_EFFORT = 200
_MOST_EFFORT = 1_000
_MOST_VISITED = 200_000
_LOCK = 0x6E656172


@dataclass(frozen=True, slots=True)
class StoreRow:
    """What a search has to know of a store."""

    number: int
    store_id: str
    embedder: str | None
    dimensions: int | None
    changes: int
    windows: int
    """How many vectors it has."""
    dead: int
    near: bool
    """Whether its vectors have an index."""


@dataclass(frozen=True, slots=True)
class Among:
    """The files that fulfil a filter and have chunks."""

    numbers: list[int]
    first: np.ndarray
    """int64: the first key of each, ascending."""
    end: np.ndarray
    """int64: likewise the key behind the last."""
    windows: int
    """How many vectors they have."""


def match(
    db: psycopg.Connection[Any], store: StoreRow, vector: np.ndarray, among: Among | None, limit: int
) -> list[Match]:
    """Return the chunks nearest to a vector, best first, equals in the order of their keys.

    Raises:
        StorageError: The store's vectors have another length.
    """
    windows = store.windows if among is None else min(store.windows, among.windows)
    if not windows or limit < 1:
        return []
    if len(vector) != store.dimensions:
        raise StorageError(
            f"Vector store {store.store_id} has vectors of {store.embedder!r} with {store.dimensions} numbers, and was "
            f"asked with {len(vector)}. Set AGENTKIT_EMBEDDER to what it was made with."
        )
    query = np.ascontiguousarray(vector, dtype=np.float32)
    if store.near and windows > (MOST_LOOKED_AT if among is None else _MOST_FILTERED):
        found = _through_index(db, store, query, among, limit)
        if len(found) >= limit:
            return found
    return _all_looked_at(db, store, query, among, limit)


def _all_looked_at(
    db: psycopg.Connection[Any], store: StoreRow, vector: np.ndarray, among: Among | None, limit: int
) -> list[Match]:
    only, values = _only(among)
    query = f"""SELECT chunk, max(-(vector <#> %b)) AS score FROM vectors WHERE store = {store.number:d}{only}
        GROUP BY chunk ORDER BY score DESC, chunk LIMIT %s"""
    return _matches(db.execute(query, (vector, *values, limit)).fetchall())


def _through_index(
    db: psycopg.Connection[Any], store: StoreRow, vector: np.ndarray, among: Among | None, limit: int
) -> list[Match]:
    """Let the index give candidates by 16-bit numbers, and rank them by the exact ones."""
    only, values = _only(among)
    wanted = max(_LEAST_EFFORT, 8 * limit)
    db.execute(f"SET LOCAL hnsw.ef_search = {min(wanted, _MOST_EFFORT):d}")
    db.execute("SET LOCAL hnsw.iterative_scan = strict_order")
    db.execute(f"SET LOCAL hnsw.max_scan_tuples = {_MOST_VISITED:d}")
    db.execute("SET LOCAL enable_sort = off")
    db.execute("SET LOCAL enable_seqscan = off")
    half = f"halfvec({store.dimensions:d})"
    query = f"""SELECT chunk, max(score) AS best FROM (
        SELECT chunk, -(vector <#> %b) AS score FROM vectors
        WHERE store = {store.number:d} AND vector_dims(vector) = {store.dimensions:d}{only}
        ORDER BY (vector::{half}) <#> (%b::vector::{half}) LIMIT %s) AS near
        GROUP BY chunk ORDER BY best DESC, chunk LIMIT %s"""
    return _matches(db.execute(query, (vector, *values, vector, wanted, limit)).fetchall())


def _only(among: Among | None) -> tuple[str, list[object]]:
    return ("", []) if among is None else (" AND file = ANY(%s)", [among.numbers])


def _matches(rows: Sequence[tuple[int, float]]) -> list[Match]:
    return [Match(chunk, score) for chunk, score in rows]


def _name(store: int, dimensions: int) -> str:
    return f"vectors_near_{store:d}_{dimensions:d}"


def make_index(connections: Connections, store: int) -> None:
    """Give a store's vectors an index, where they are many and nobody else is at it. Others go on meanwhile.

    Source: hierarchical navigable small worlds, Malkov and Yashunin 2016, as pgvector has them.
    """
    import psycopg

    with connections.alone() as db:
        query = "SELECT dimensions, windows, near FROM stores WHERE number = %s"
        row = db.execute(query, (store,)).fetchone()
        if row is None or row[2] or row[1] <= MOST_LOOKED_AT or not 0 < (row[0] or 0) <= _MOST_DIMENSIONS:
            return
        dimensions = row[0]
        locked = db.execute("SELECT pg_try_advisory_lock(%s, %s::bigint::int)", (_LOCK, store % 2**31)).fetchone()
        if locked is None or not locked[0]:
            return
        try:
            with contextlib.suppress(psycopg.errors.InsufficientPrivilege):  # the tables' owner alone may: no index
                _make_index(db, store, dimensions)
                db.execute("UPDATE stores SET near = TRUE WHERE number = %s AND dimensions = %s", (store, dimensions))
        finally:
            db.execute("SELECT pg_advisory_unlock(%s, %s::bigint::int)", (_LOCK, store % 2**31))


def _make_index(db: psycopg.Connection[Any], store: int, dimensions: int) -> None:
    name = _name(store, dimensions)
    query = "SELECT i.indisvalid FROM pg_index AS i WHERE i.indexrelid = to_regclass(%s)"
    row = db.execute(query, (name,)).fetchone()
    if row is not None and row[0]:
        return
    if row is not None:  # of somebody who was killed while making it
        db.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    db.execute("SET maintenance_work_mem = '512MB'")
    try:
        db.execute(
            f"""CREATE INDEX CONCURRENTLY {name} ON vectors
            USING hnsw ((vector::halfvec({dimensions:d})) halfvec_ip_ops) WITH (m = 16, ef_construction = 100)
            WHERE store = {store:d} AND vector_dims(vector) = {dimensions:d}"""
        )
    finally:
        db.execute("RESET maintenance_work_mem")


def drop_index(connections: Connections, store: int, dimensions: int | None) -> None:
    """Remove the index of a store that is gone."""
    if dimensions:
        with connections.alone() as db:
            db.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_name(store, dimensions)}")
