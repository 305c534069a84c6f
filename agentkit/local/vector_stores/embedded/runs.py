"""Which rows of the vectors' files belong to files that are there, or that a filter lets through."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Living", "Runs"]

_KEPT = 16
_MOST_KEPT_ROWS = 1_000_000


class Living:
    """The files of a store that may be found.

    Args:
        files: `(number, first_chunk)` of each: chunks with lower keys are of an earlier indexing.
    """

    def __init__(self, files: Sequence[tuple[int, int | None]]) -> None:
        table = np.array([(number, first) for number, first in files if first is not None], dtype=np.int64)
        table = table.reshape(-1, 2)
        table = table[np.argsort(table[:, 0])]
        self.numbers = table[:, 0]
        """int64 of shape (files,), ascending."""
        self.first_chunks = table[:, 1]
        """int64 of shape (files,)."""


class Runs:
    """Rows that follow each other and are of one file: there are few of them, so they are looked at instead of rows.

    Args:
        files: Each row's file, of shape (rows,).
        chunks: Each row's chunk, of shape (rows,).
    """

    def __init__(self, files: NDArray[np.int64], chunks: NDArray[np.int64]) -> None:
        self._chunks = chunks
        self._rows = len(files)
        starts = (
            np.flatnonzero(np.concatenate(([True], files[1:] != files[:-1]))) if len(files) else np.empty(0, np.int64)
        )
        self._starts = starts.astype(np.int64)
        self._lengths = np.diff(np.append(self._starts, len(files)))
        self._files = files[self._starts]
        self._lowest = np.minimum.reduceat(chunks, self._starts) if len(files) else chunks
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, frozenset[int] | None], tuple[Living, NDArray[np.int64] | None]] = (
            OrderedDict()
        )

    def rows(self, living: Living, among: frozenset[int] | None) -> NDArray[np.int64] | None:
        """Return which rows may be found, ascending; None for all.

        Args:
            living: Which files there are.
            among: Which of them to look in; None: all.
        """
        key = (id(living), among)
        with self._lock:
            if (known := self._kept.get(key)) is not None and known[0] is living:
                return known[1]
        rows = self._found(living, among)
        if rows is None or len(rows) <= _MOST_KEPT_ROWS:
            with self._lock:
                self._kept[key] = (living, rows)
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return rows

    def _found(self, living: Living, among: frozenset[int] | None) -> NDArray[np.int64] | None:
        if not len(living.numbers):
            return np.empty(0, dtype=np.int64)
        at = np.minimum(np.searchsorted(living.numbers, self._files), len(living.numbers) - 1)
        wanted = living.numbers[at] == self._files
        if among is not None:
            wanted &= np.isin(self._files, np.fromiter(among, dtype=np.int64, count=len(among)))
        first = living.first_chunks[at]
        mixed = bool((wanted & (self._lowest < first)).any())
        if wanted.all() and not mixed:
            return None
        lengths = self._lengths[wanted]
        before = np.cumsum(lengths) - lengths
        rows = np.repeat(self._starts[wanted] - before, lengths) + np.arange(int(lengths.sum()))
        if mixed:
            rows = rows[self._chunks[rows] >= np.repeat(first[wanted], lengths)]
        return rows.astype(np.int64)
