"""Nearest vectors by looking at all of them, a byte a number: as fast as memory is read, and nothing is missed."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Codes", "margin", "nearest_rows", "quantised", "scores_of"]

Codes = NDArray[np.int8]

_MOST_GATHERED = 0.4
"""Share of the rows from which on it is faster to scan all than to pick those that are wanted."""
_BLOCK_ROWS = 4096
_SIGMAS = 7.0
"""Five of the difference of two rows' errors: one in three million is larger."""


def quantised(vectors: NDArray[np.float32]) -> tuple[Codes, NDArray[np.float32]]:
    """Return vectors as whole numbers, and what to multiply them by.

    Args:
        vectors: Of shape (rows, dimensions).

    Returns:
        Codes of the same shape, -127 to 127, and scales of shape (rows,).
    """
    scales = np.abs(vectors).max(axis=1) / np.float32(127)
    scales[scales == 0] = 1
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def margin(scales: NDArray[np.float32], scale: float) -> float:
    """Return how wrong the difference of two rows' scores may be, to any practical certainty.

    Rounding to codes adds a twelfth of a squared scale to a score's variance; vectors have length 1.
    """
    largest = float(scales.max(initial=0.0))
    return _SIGMAS * float(np.sqrt((largest**2 + scale**2) / 12))


def scores_of(
    codes: Codes, scales: NDArray[np.float32], query: Codes, scale: float, rows: NDArray[np.int64] | None
) -> NDArray[np.float32]:
    """Return about the cosines of a query with rows.

    Args:
        codes: Of shape (all rows, dimensions).
        scales: Of shape (all rows,).
        query: The query's codes, of shape (dimensions,).
        scale: The query's.
        rows: Which rows, ascending; None: all. Then the result is in the order of rows.

    Returns:
        float32 of shape (wanted rows,).
    """
    if rows is None:
        scores = _products(codes, query)
        scores *= scales
    elif len(rows) > _MOST_GATHERED * len(codes):
        return scores_of(codes, scales, query, scale, None)[rows]
    else:
        scores = np.empty(len(rows), dtype=np.float32)
        for begin in range(0, len(rows), _BLOCK_ROWS):
            part = rows[begin : begin + _BLOCK_ROWS]
            scores[begin : begin + len(part)] = _products(codes.take(part, axis=0), query)
        scores *= scales[rows]
    scores *= np.float32(scale)
    return scores


def _products(codes: Codes, query: Codes) -> NDArray[np.float32]:
    kernel = _kernel()
    if kernel is None:
        return _products_without_kernel(codes, query)
    return np.asarray(kernel.cdist(query[None, :], codes, "dot", out_dtype="f32"), dtype=np.float32).reshape(-1)


@lru_cache(maxsize=1)
def _kernel() -> Any:
    """Return the package whose products of bytes are fifteen times as fast as numpy's, if it is installed."""
    try:
        return import_module("simsimd")
    except ImportError:
        return None


def _products_without_kernel(codes: Codes, query: Codes) -> NDArray[np.float32]:
    found, wide = np.empty(len(codes), dtype=np.float32), query.astype(np.float32)
    for begin in range(0, len(codes), _BLOCK_ROWS):
        part = codes[begin : begin + _BLOCK_ROWS]
        found[begin : begin + len(part)] = part.astype(np.float32) @ wide
    return found


def nearest_rows(
    scores: NDArray[np.float32], chunks: NDArray[np.int64], limit: int, allowance: float, most: int
) -> NDArray[np.int64]:
    """Return the places of all scores that may belong to one of the best chunks.

    Args:
        scores: Of shape (rows,), about right.
        chunks: Each row's chunk; several rows may have the same.
        limit: How many chunks are wanted.
        allowance: How wrong the difference of two scores may be.
        most: Most places to return, the best and of equals those of the lowest chunks; at least `limit` chunks' worth.
    """
    wanted = limit
    while True:
        if wanted >= len(scores):
            places = np.arange(len(scores))
            break
        least = np.partition(scores, len(scores) - wanted)[len(scores) - wanted]
        places = np.flatnonzero(scores >= least - allowance)
        certain = places[scores[places] >= least]
        if len(np.unique(chunks[certain])) >= limit:
            break
        wanted *= 2
    if len(places) > most:
        places = places[np.lexsort((chunks[places], -scores[places]))[:most]]
    return places.astype(np.int64)
