"""Searches in one database: which files fulfil a filter, and what is found among them."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from agentkit.local.vector_stores.passages import Match
from agentkit.local.vector_stores.postgres import nearest
from agentkit.local.vector_stores.postgres.filters import condition
from agentkit.local.vector_stores.postgres.nearest import Among, StoreRow
from agentkit.local.vector_stores.postgres.records import storable
from agentkit.local.vector_stores.postgres.segments import living
from agentkit.local.vector_stores.postgres.words import WordSearch

if TYPE_CHECKING:
    import psycopg

    from agentkit.local.vector_stores.filters import Filter

__all__ = ["Found"]

_KEPT_FILTERS = 64


class Found:
    """Searches, and keeps of what it has read what doesn't change. Any thread may use it."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._process = os.getpid()
        self._words = WordSearch()
        self._lock = threading.Lock()
        self._among: OrderedDict[tuple[int, int, str], Among] = OrderedDict()

    def match_words(
        self, db: psycopg.Connection[Any], store_id: str, terms: Sequence[str], filters: Filter | None, limit: int
    ) -> list[Match]:
        """Return the chunks with some of the terms, best first."""
        self._after_fork()
        store = _store_row(db, store_id)
        if store is None or not terms:
            return []
        if filters is not None:
            among = self._fulfilling(db, store, filters)
            return self._words.match(db, store.number, terms, lambda keys: _within(keys, among), limit)
        checked = (lambda keys: living(db, keys)) if store.dead else None
        return self._words.match(db, store.number, terms, checked, limit)

    def match_vector(
        self, db: psycopg.Connection[Any], store_id: str, vector: np.ndarray, filters: Filter | None, limit: int
    ) -> list[Match]:
        """Return the chunks nearest to a vector, best first.

        Raises:
            StorageError: The store's vectors have another length.
        """
        self._after_fork()
        store = _store_row(db, store_id)
        if store is None:
            return []
        among = None if filters is None else self._fulfilling(db, store, filters)
        return nearest.match(db, store, vector, among, limit)

    def _fulfilling(self, db: psycopg.Connection[Any], store: StoreRow, filters: Filter) -> Among:
        name = (store.number, store.changes, repr(filters))  # equal filters may differ: 1 == True
        with self._lock:
            if name in self._among:
                self._among.move_to_end(name)
                return self._among[name]
        text, values = condition(filters)
        query = f"""SELECT f.number, f.first_chunk, f.chunks, f.windows FROM files AS f
            WHERE f.store = %s AND f.first_chunk IS NOT NULL AND ({text}) ORDER BY f.first_chunk"""
        rows = db.execute(query, (store.number, *values)).fetchall()
        table = np.array(rows, np.int64).reshape(len(rows), 4)
        among = Among(table[:, 0].tolist(), table[:, 1], table[:, 1] + table[:, 2], int(table[:, 3].sum()))
        with self._lock:
            self._among[name] = among
            if len(self._among) > _KEPT_FILTERS:
                self._among.popitem(last=False)
        return among

    def _after_fork(self) -> None:
        if self._process != os.getpid():  # another thread of the parent may have held the locks
            self._forget()


def _store_row(db: psycopg.Connection[Any], store_id: str) -> StoreRow | None:
    query = "SELECT number, id, embedder, dimensions, changes, windows, dead, near FROM stores WHERE id = %s"
    row = db.execute(query, (storable(store_id),)).fetchone()
    return None if row is None else StoreRow(*row)


def _within(keys: np.ndarray, among: Among) -> np.ndarray:
    """Tell which chunks are those of some files."""
    if not len(among.first):
        return np.zeros(len(keys), bool)
    places = np.searchsorted(among.first, keys, side="right") - 1
    inside: np.ndarray = (places >= 0) & (keys < among.end[places])
    return inside
