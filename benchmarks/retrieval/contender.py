"""What is asked of an engine that is measured."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np

__all__ = ["CANDIDATES", "Contender", "fused"]

CANDIDATES = 40
"""Chunks of each ranking that are fused."""


class Contender(Protocol):
    """An engine that keeps chunks in a folder. Chunks have numbers from 0, and are of parts from 0 to 99.

    `most` of a search: only chunks of the first so many parts; 100 is no filter.
    """

    name: str
    has_words: bool
    """Whether it ranks by words."""

    def __init__(self, folder: Path) -> None:
        """Open what is there, or make it."""
        ...

    def add(self, first: int, texts: list[str], vectors: np.ndarray, parts: list[int]) -> None:
        """Keep chunks, durably."""
        ...

    def finish(self) -> None:
        """Do what is to be done before searching."""
        ...

    def nearest(self, vector: np.ndarray, most: int, limit: int) -> list[int]:
        """Return the chunks nearest to a vector."""
        ...

    def with_words(self, words: str, most: int, limit: int) -> list[int]:
        """Return the chunks with those words."""
        ...

    def hybrid(self, words: str, vector: np.ndarray, most: int, limit: int) -> list[str]:
        """Return the texts of the best chunks by both."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


def fused(rankings: Iterable[list[int]], limit: int) -> list[int]:
    """Return the best of some rankings by reciprocal rank fusion."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, chunk in enumerate(ranking, start=61):
            scores[chunk] = scores.get(chunk, 0.0) + 1 / rank
    return sorted(scores, key=lambda chunk: -scores[chunk])[:limit]
