"""Chunks found by their words, best first by BM25, from what the database has of them packed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agentkit.local.vector_stores.passages import Match
from agentkit.local.vector_stores.postgres.segments import Words, posting, unpacked

if TYPE_CHECKING:
    import psycopg

__all__ = ["WordSearch"]

_K1 = 1.2
_B = 0.75
_KEPT_BYTES = 64_000_000
_FIRST_LOOKED_AT = 256

Posting = tuple[NDArray[np.uint32], NDArray[np.uint16]]
Checked = Callable[[NDArray[np.int64]], NDArray[np.bool_]]
"""Tells which of some chunks may be found."""

_NOWHERE: Posting = (np.empty(0, np.uint32), np.empty(0, np.uint16))


@dataclass(frozen=True, slots=True)
class _Part:
    """A segment's chunks, or a file's."""

    number: int
    keys: NDArray[np.int64]
    lengths: NDArray[np.float64]
    total: float
    """Sum of the lengths."""
    postings: dict[str, Posting] | None
    """By terms, for a file; a segment's are read when they are needed."""


class WordSearch:
    """Finds the chunks of stores by words. It keeps what it has read, which never changes, up to 64 MB of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int, str], tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def match(
        self,
        db: psycopg.Connection[Any],
        store: int,
        terms: Sequence[str],
        checked: Checked | None,
        limit: int,
    ) -> list[Match]:
        """Return the chunks with some of the terms, best first, equals in the order of their keys.

        Args:
            db: In a transaction, so that everything is of one state.
            store: The store's number.
            terms: The words, each once.
            checked: Tells which chunks may be found; None: all.
            limit: Most chunks to return.

        Source: BM25 as of Robertson and Zaragoza 2009, with Lucene's never negative weights of terms.
        """
        if not terms or limit < 1:
            return []
        parts = self._parts(db, store)
        found = self._postings(db, parts, terms)
        count = sum(len(part.keys) for part in parts)
        if not count:
            return []
        average = max(1e-9, sum(part.total for part in parts) / count)
        weights = [_weight(count, sum(len(some[n][0]) for some in found)) for n in range(len(terms))]
        keys, scores = [], []
        for part, some in zip(parts, found, strict=True):
            mine = _scores(part, some, weights, average)
            places = np.flatnonzero(mine)
            keys.append(part.keys[places])
            scores.append(mine[places])
        most = (_K1 + 1) * sum(weights)  # which no chunk reaches
        return _best(np.concatenate(keys), np.concatenate(scores) / most, checked, limit)

    def _parts(self, db: psycopg.Connection[Any], store: int) -> list[_Part]:
        query = """SELECT 'segment', number FROM segments WHERE store = %(store)s
            UNION ALL SELECT 'file', number FROM words WHERE store = %(store)s"""
        there = db.execute(query, {"store": store}).fetchall()
        known = {(kind, number): self._get((kind, number, "")) for kind, number in there}
        self._read_segments(db, [n for (kind, n), part in known.items() if kind == "segment" and part is None], known)
        self._read_files(db, [n for (kind, n), part in known.items() if kind == "file" and part is None], known)
        return [part for part in known.values() if part is not None]

    def _read_segments(self, db: psycopg.Connection[Any], numbers: list[int], known: dict[Any, Any]) -> None:
        if not numbers:
            return
        cursor = db.cursor(binary=True)
        cursor.execute("SELECT number, keys, lengths FROM segments WHERE number = ANY(%s)", (numbers,))
        for number, keys, lengths in cursor.fetchall():
            sizes = np.frombuffer(lengths, np.uint32).astype(np.float64)
            part = _Part(number, np.frombuffer(keys, np.int64), sizes, float(sizes.sum()), None)
            known["segment", number] = part
            self._keep(("segment", number, ""), part, 16 * len(sizes))

    def _read_files(self, db: psycopg.Connection[Any], numbers: list[int], known: dict[Any, Any]) -> None:
        if not numbers:
            return
        cursor = db.cursor(binary=True)
        query = """SELECT w.number, w.data, f.first_chunk FROM words AS w JOIN files AS f ON f.number = w.file
            WHERE w.number = ANY(%s)"""
        cursor.execute(query, (numbers,))
        for number, data, first in cursor.fetchall():
            words = unpacked(data, first)
            sizes = words.lengths.astype(np.float64)
            part = _Part(number, words.keys, sizes, float(sizes.sum()), _by_term(words))
            known["file", number] = part
            self._keep(("file", number, ""), part, len(data) + 300 * len(words.terms))

    def _postings(
        self, db: psycopg.Connection[Any], parts: Sequence[_Part], terms: Sequence[str]
    ) -> list[list[Posting]]:
        """Return of each part, in which of its chunks each of the terms is."""
        found: dict[tuple[int, str], Posting | None] = {}
        for part in parts:
            if part.postings is None:
                found.update({(part.number, term): self._get(("posting", part.number, term)) for term in terms})
        missing = [place for place, some in found.items() if some is None]
        if missing:
            cursor = db.cursor(binary=True)
            query = "SELECT segment, term, data FROM postings WHERE segment = ANY(%s) AND term = ANY(%s)"
            cursor.execute(query, (sorted({n for n, _ in missing}), sorted({term for _, term in missing})))
            read = {(segment, term): posting(data) for segment, term, data in cursor.fetchall()}
            for segment, term in missing:
                some = read.get((segment, term), _NOWHERE)
                found[segment, term] = some
                self._keep(("posting", segment, term), some, 200 + 6 * len(some[0]))
        return [
            [(found[part.number, term] if part.postings is None else part.postings.get(term)) or _NOWHERE
             for term in terms]
            for part in parts
        ]  # fmt: skip

    def _get(self, name: tuple[str, int, str]) -> Any:
        with self._lock:
            known = self._kept.get(name)
            if known is None:
                return None
            self._kept.move_to_end(name)
            return known[0]

    def _keep(self, name: tuple[str, int, str], value: Any, size: int) -> None:
        with self._lock:
            if name not in self._kept:
                self._bytes += size
            self._kept[name] = (value, size)
            while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
                _, (_, gone) = self._kept.popitem(last=False)
                self._bytes -= gone


def _by_term(words: Words) -> dict[str, Posting]:
    ends: Iterable[int] = np.cumsum(words.counts).tolist()
    made, begin = {}, 0
    for term, end in zip(words.terms, ends, strict=True):
        made[term] = (words.chunks[begin:end], words.times[begin:end])
        begin = end
    return made


def _weight(count: int, having: int) -> float:
    return float(np.log1p((count - having + 0.5) / (having + 0.5)))


def _scores(part: _Part, postings: Sequence[Posting], weights: Sequence[float], average: float) -> NDArray[np.float64]:
    scores = np.zeros(len(part.keys))
    for (places, times), weight in zip(postings, weights, strict=True):
        if len(places):
            often = times.astype(np.float64)
            norms = _K1 * (1 - _B + _B / average * part.lengths[places])
            scores[places] += weight * (_K1 + 1) * often / (often + norms)
    return scores


def _best(keys: NDArray[np.int64], scores: NDArray[np.float64], checked: Checked | None, limit: int) -> list[Match]:
    """Return the best chunks that may be found, looking at more and more of them until there are enough."""
    look = max(_FIRST_LOOKED_AT, 4 * limit) if checked is not None else limit
    while True:
        chosen = np.arange(len(scores))
        if look < len(scores):
            least = np.partition(scores, len(scores) - look)[len(scores) - look]
            chosen = np.flatnonzero(scores >= least)
        order = chosen[np.lexsort((keys[chosen], -scores[chosen]))]
        if checked is not None:
            order = order[checked(keys[order])]
        if len(order) >= limit or len(chosen) == len(scores):
            return [Match(int(keys[n]), float(scores[n])) for n in order[:limit]]
        look *= 8
