"""What workers wait for and bring, as both storages see it: files and chunks to claim, chunks and vectors to keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentkit.local.vector_stores.passages import Chunk
from agentkit.local.vector_stores.storage import StorageError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["COMPLETABLE", "WAITS", "checked_vectors", "other_embedder", "text_bytes"]

WAITS = "f.status = 'in_progress' AND f.content_hash IS NULL"
"""Condition on a file `f`: it is to be read and cut."""
COMPLETABLE = "f.status = 'in_progress' AND s.embedder IS NULL"
"""Condition on a file `f` of a store `s`: a worker without an embedder can complete it."""


def text_bytes(chunks: Sequence[Chunk]) -> int:
    """Return the bytes of chunks' texts."""
    return sum(len(chunk.text.encode(errors="surrogatepass")) for chunk in chunks)


def checked_vectors(vectors: Sequence[tuple[int, np.ndarray]]) -> dict[int, np.ndarray]:
    """Return the vectors of chunks, by their keys, as float32 of shape (windows, dimensions), little-endian.

    Raises:
        ValueError: An array isn't of that shape, or has something that is no number.
    """
    import numpy as np

    checked = [(key, np.ascontiguousarray(array, dtype="<f4")) for key, array in vectors]
    length = checked[0][1].shape[-1] if checked and checked[0][1].ndim else 0
    for key, array in checked:
        if array.ndim != 2 or 0 in array.shape or array.shape[1] != length or not np.isfinite(array).all():
            shape = f"{array.dtype} of shape {array.shape}"
            raise ValueError(f"Vectors of chunk {key}: {shape}, not finite float32 of shape (windows, {length}).")
    return dict(checked)


def other_embedder(
    store_id: str, earlier: str, length: int, embedder: str, dimensions: int, *, back: str
) -> StorageError:
    """Return the error for vectors that don't mix with those a store has.

    Args:
        store_id: The store.
        earlier: What made the vectors that it has.
        length: How many numbers each of those has.
        embedder: What made the others.
        dimensions: How many numbers each of those has.
        back: What to set AGENTKIT_EMBEDDER to.
    """
    return StorageError(
        f"Vector store {store_id} has vectors of {earlier!r} ({length} numbers each), which don't mix with those "
        f"of {embedder!r} ({dimensions}). Set AGENTKIT_EMBEDDER {back}, or add its files to a new store."
    )
