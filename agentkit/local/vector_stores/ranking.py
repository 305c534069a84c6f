"""Searching a store by words and by meaning at once, and what a hit's score says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentkit.local.vector_stores.passages import Found, Match
from agentkit.local.vector_stores.question_words import telling_words
from agentkit.local.vector_stores.storage import StorageError

if TYPE_CHECKING:
    import numpy as np

    from agentkit.local.embedding.embedder import Embedder
    from agentkit.local.vector_stores.filters import Filter
    from agentkit.local.vector_stores.storage import VectorStorage

__all__ = ["Weights", "search"]

_FEWEST_CANDIDATES = 40
_CANDIDATES_PER_HIT = 4
_DIGITS = 9
"""Of a score: what differs by less is equal, however its parts were added up."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each ranking counts, 0 or more; only their ratio matters."""

    embedding: float = 0.7
    """Of meaning. Both defaults were chosen with questions for development (docs/file-search-quality.md)."""
    text: float = 0.3
    """Of words."""


@dataclass(slots=True)
class _Candidate:
    """What the rankings say of one chunk."""

    gained: float = 0.0
    """Over what it would have, did it stand in none of them."""
    semantic: float | None = None
    keyword: float | None = None


def search(
    storage: VectorStorage,
    embedder: Embedder | None,
    store_id: str,
    queries: Sequence[str],
    *,
    filters: Filter | None = None,
    limit: int = 10,
    weights: Weights | None = None,
    score_threshold: float = 0.0,
    vectors: dict[str, np.ndarray] | None = None,
) -> list[Found]:
    """Return the chunks of a store that answer the queries best, best first; equals by file name, file and position.

    Each query is ranked by words and, with an embedder, by meaning. A hit's score is the weighted mean of the two: of
    the cosine (nothing below 0) and of BM25 as a part of the most there can be. So it runs from 0 to 1 and means the
    same in every search: who asks for what isn't there gets low scores. What a ranking has no room for gets the score
    of the last in it. Fusing by rank instead (reciprocal rank fusion) loses how far ahead a chunk is, and was measured
    to be worse by a fifteenth of nDCG@10 (docs/file-search-quality.md).

    Args:
        storage: Where the store is.
        embedder: Makes the queries' vectors; None ranks by words alone.
        store_id: The store.
        queries: One text, or several ways to ask for the same.
        filters: What files' attributes have to fulfil.
        limit: Most hits, 1 or more.
        weights: How much each ranking counts; None: as `Weights` has them. One of weight 0 isn't made, unless the other
            can't be made either.
        score_threshold: Least score of a hit, 0 to 1.
        vectors: Those of queries that were made before, for another store; this search's are added.

    Raises:
        StorageError: The storage can't do it, or its vectors are another embedder's.

    Source: convex combination of scores, Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid
    Retrieval".
    """
    weights = weights or Weights()
    depth = max(_FEWEST_CANDIDATES, _CANDIDATES_PER_HIT * limit)
    by_meaning = embedder is not None and weights.embedding > 0
    by_words = weights.text > 0 or not by_meaning
    if embedder is not None and by_meaning:
        _check_embedder(storage, store_id, embedder)
    fusion, vectors = _Fusion(), {} if vectors is None else vectors
    for query in queries:
        if embedder is not None and by_meaning:
            if query not in vectors:
                vectors[query] = embedder.embed_query(query)
            matches = storage.match_vector(store_id, vectors[query], filters=filters, limit=depth)
            fusion.add(matches, "semantic", weights.embedding, depth)
        if by_words:
            matches = storage.match_words(store_id, telling_words(query), filters=filters, limit=depth)
            fusion.add(matches, "keyword", weights.text or 1.0, depth)
    return _best(storage, fusion.scored(), limit, score_threshold)


def _check_embedder(storage: VectorStorage, store_id: str, embedder: Embedder) -> None:
    """Refuse to compare a question's vector with those of another embedder: the cosines would mean nothing."""
    store = storage.get_store(store_id)
    if store is not None and store.embedder not in (None, embedder.name):
        raise StorageError(
            f"Vector store {store_id} has vectors of {store.embedder!r}, not of {embedder.name!r}. Set "
            "AGENTKIT_EMBEDDER back to the embedder that made them, or add its files to a new store."
        )


class _Fusion:
    """Rankings joined by their scores."""

    def __init__(self) -> None:
        self._candidates: dict[int, _Candidate] = {}
        self._weight = 0.0
        self._floor = 0.0
        """What a chunk has that stands in no ranking."""

    def add(self, matches: Sequence[Match], kind: str, weight: float, depth: int) -> None:
        """Join a ranking of at most `depth` chunks."""
        last = max(0.0, matches[-1].score) if len(matches) >= depth else 0.0  # else it has all there are
        self._weight += weight
        self._floor += weight * last
        for match in matches:
            candidate = self._candidates.setdefault(match.key, _Candidate())
            candidate.gained += weight * (max(0.0, match.score) - last)
            earlier = getattr(candidate, kind)
            setattr(candidate, kind, match.score if earlier is None else max(earlier, match.score))

    def scored(self) -> list[tuple[int, float, _Candidate]]:
        """Return the key of each chunk, its score from 0 to 1 and what the rankings say of it, best first."""
        scored = [
            (key, round(min(1.0, (self._floor + one.gained) / self._weight), _DIGITS), one)
            for key, one in self._candidates.items()
        ]
        return sorted(scored, key=lambda found: -found[1])


def _best(
    storage: VectorStorage, scored: Sequence[tuple[int, float, _Candidate]], limit: int, threshold: float
) -> list[Found]:
    kept = [found for found in scored if found[1] >= threshold]
    if len(kept) > limit:  # equals of the last that fits are ordered by their files, so all of them are needed
        least = kept[limit - 1][1]
        kept = [found for found in kept if found[1] >= least]
    read = storage.read_chunks([key for key, _, _ in kept])
    found = []
    for key, score, one in kept:
        if key not in read:  # removed meanwhile
            continue
        file, chunk = read[key]
        found.append(Found(file.file_id, file.filename, file.attributes, chunk, score, one.semantic, one.keyword))
    found.sort(key=lambda hit: (-hit.score, hit.filename, hit.file_id, hit.chunk.position))
    return found[:limit]
