"""Rankings measured: nDCG@10, recall@10 and MRR of files, and whether a difference is more than chance."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentkit.local.vector_stores.ranking import Weights, search
from agentkit.local.vector_stores.storage import VectorStorage
from benchmarks.retrieval_quality.indexed import STORE
from benchmarks.retrieval_quality.labelled import Question

if TYPE_CHECKING:
    from agentkit.local.embedding.embedder import Embedder

__all__ = ["RANKINGS", "Scores", "gain", "ranks", "scores"]

RANKINGS: dict[str, Weights] = {
    "keyword": Weights(embedding=0.0, text=1.0),
    "embedding": Weights(embedding=1.0, text=0.0),
    "hybrid": Weights(),
}
_DEPTH = 10
_PASSAGES = 50
"""Passages asked for; the platform's most. Of several of one file the best counts."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over questions that have one right file each."""

    ndcg: float
    recall: float
    mrr: float
    questions: int


def ranks(
    storage: VectorStorage, embedder: Embedder, questions: Sequence[Question], weights: Weights
) -> list[int | None]:
    """Return at which place, from 1, each question's file is found; None where it isn't among the first ten."""
    found: list[int | None] = []
    for question in questions:
        hits = search(storage, embedder, STORE, [question.text], limit=_PASSAGES, weights=weights)
        files = list(dict.fromkeys(hit.filename for hit in hits))[:_DEPTH]
        found.append(files.index(question.answer) + 1 if question.answer in files else None)
    return found


def scores(places: Sequence[int | None]) -> Scores:
    """Return the means. With one right file nDCG is 1 / log2(1 + its place)."""
    count = max(1, len(places))
    return Scores(
        sum(_ndcg(place) for place in places) / count,
        sum(place is not None for place in places) / count,
        sum(1 / place for place in places if place) / count,
        len(places),
    )


def gain(ours: Sequence[int | None], theirs: Sequence[int | None]) -> tuple[float, float, float]:
    """Return by which part our nDCG@10 is better than theirs, and the ends of the 95 % interval of that.

    Source: paired bootstrap over questions, 2,000 samples, a fixed seed.
    """
    pairs = [(_ndcg(a), _ndcg(b)) for a, b in zip(ours, theirs, strict=True)]
    drawn = random.Random(6)
    ratios = sorted(_ratio([drawn.choice(pairs) for _ in pairs]) for _ in range(2_000))
    return _ratio(pairs), ratios[50], ratios[1_949]


def _ndcg(place: int | None) -> float:
    return 1 / math.log2(1 + place) if place else 0.0


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    return sum(a for a, _ in pairs) / max(1e-9, sum(b for _, b in pairs)) - 1
