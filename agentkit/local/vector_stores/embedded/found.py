"""One store as searches see it: which of its files may be found, its index of words, its vectors."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agentkit import _json
from agentkit.local.vector_stores.embedded.database import Database
from agentkit.local.vector_stores.embedded.derived import Derived
from agentkit.local.vector_stores.embedded.words import WordIndex
from agentkit.local.vector_stores.filters import Filter, holds
from agentkit.local.vector_stores.passages import Attributes, Match

if TYPE_CHECKING:
    import numpy as np

    from agentkit.local.vector_stores.embedded.runs import Living
    from agentkit.local.vector_stores.embedded.vectors import VectorIndex

__all__ = ["Findable"]

_KEPT_FILTERS = 64


@dataclass(slots=True)
class _Files:
    """A store's files that have chunks, as they were after a change."""

    changes: int
    """How many changes there had been."""
    chunks: dict[int, tuple[int, int]]
    """By their numbers: the first chunk's key, and how many chunks."""
    attributes: dict[int, Attributes]
    """By their numbers."""
    count: int
    """How many chunks all of them have."""
    fulfilling: OrderedDict[str, tuple[frozenset[int], float]] = field(default_factory=OrderedDict)
    """Which of them fulfil the filters that were used last, and how much of all chunks they have."""
    living: Living | None = None
    """The same for vectors, once those are looked for."""


class Findable(Derived):
    """What can be found in one store. Made as `Derived` is."""

    def __init__(self, folder: Path, store: int, database: Database) -> None:
        super().__init__(folder, store, database)
        self._words = WordIndex(folder, store, database)
        self._vectors: VectorIndex | None = None
        self._files: _Files | None = None

    def match_words(self, query: str, filters: Filter | None, limit: int) -> list[Match]:
        """Return the chunks with words of the query, best first.

        Raises:
            StorageError: The index can't be brought up to date.
        """
        if filters is None:
            return self._words.match(query, None, 1.0, limit)
        with self._lock:
            files = self._known_files()
            among, share = _fulfilling(files, filters)
        return self._words.match(query, among, share, limit)

    def match_vector(self, vector: np.ndarray, filters: Filter | None, limit: int) -> list[Match]:
        """Return the chunks nearest to a vector, best first.

        Raises:
            StorageError: The store's vectors have another length, or can't be brought up to date.
        """
        from agentkit.local.vector_stores.embedded.runs import Living

        with self._lock:
            files = self._known_files()
            if files.living is None:
                files.living = Living([(number, first) for number, (first, _) in files.chunks.items()])
            living, among = files.living, None if filters is None else _fulfilling(files, filters)[0]
            index = self._vector_index()
        return index.match(vector, living, among, limit)

    def catch_up(self, *, vectors: bool) -> None:
        """Bring what is derived up to the tables: the index of words, or the vectors.

        Raises:
            StorageError: It can't be done.
        """
        if not vectors:
            self._words.catch_up()
            return
        with self._lock:
            index = self._vector_index()
        index.catch_up()

    def _vector_index(self) -> VectorIndex:
        if self._vectors is None:
            from agentkit.local.vector_stores.embedded.vectors import VectorIndex

            self._vectors = VectorIndex(self._folder, self._store, self._database)
        return self._vectors

    def _known_files(self) -> _Files:
        with self._database.reading() as db:
            row = db.execute("SELECT changes FROM stores WHERE number = ?", (self._store,)).fetchone()
            changes = -1 if row is None else row[0]
            if self._files is not None and self._files.changes == changes:
                return self._files
            query = """SELECT number, first_chunk, chunks, attributes FROM files
                WHERE store = ? AND first_chunk IS NOT NULL"""
            rows = db.execute(query, (self._store,)).fetchall()
        chunks = {number: (first, count) for number, first, count, _ in rows}
        attributes = {number: _json.loads(text) for number, *_, text in rows}
        self._files = _Files(changes, chunks, attributes, sum(count for _, count in chunks.values()))
        return self._files


def _fulfilling(files: _Files, filters: Filter) -> tuple[frozenset[int], float]:
    name = repr(filters)  # equal filters may differ: 1 == True
    found = files.fulfilling.get(name)
    if found is None:
        among = frozenset(number for number, attributes in files.attributes.items() if holds(filters, attributes))
        found = (among, sum(files.chunks[number][1] for number in among) / max(1, files.count))
        files.fulfilling[name] = found
        if len(files.fulfilling) > _KEPT_FILTERS:
            files.fulfilling.popitem(last=False)
    return found
