"""The vector stores of one platform: their storage, what makes vectors, the worker that indexes, and searches."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit.local.errors import ApiError
from agentkit.local.files.store import FileStore
from agentkit.local.vector_stores.indexing import Indexer
from agentkit.local.vector_stores.objects import is_expired
from agentkit.local.vector_stores.passages import Found
from agentkit.local.vector_stores.storage import Page, StoreRecord, VectorStorage

if TYPE_CHECKING:
    import numpy as np

    from agentkit.local.embedding.embedder import Embedder
    from agentkit.local.vector_stores.filters import Filter
    from agentkit.local.vector_stores.ranking import Weights

__all__ = ["Retrieval", "ranking_of", "store_expired", "store_not_found"]

_NUDGE_S = 1.0
"""Another process's work is looked for at most this often."""
_TOUCH_S = 10
"""Seconds by which a store's last use may be older than it says."""
_TIDY_S = 60
_EMBEDDER_SETTINGS = ("AGENTKIT_EMBEDDER", "AGENTKIT_EMBEDDER_KEY")


class Retrieval:
    """What requests about vector stores are answered from. Storage and embedder are made when first needed.

    Those that the environment names are chosen anew when it names others.

    Args:
        home: Folder of the platform's storage.
        files: The uploaded files.
        storage: What keeps the stores; as the environment says when None.
        embedder: Gives what makes vectors, or None for none; as the environment says when None.
    """

    def __init__(
        self,
        home: Path,
        files: FileStore,
        *,
        storage: VectorStorage | None = None,
        embedder: Callable[[], Embedder | None] | None = None,
    ) -> None:
        self._home = home
        self._files = files
        self._given_storage = storage
        self._storage = storage
        self._storage_setting: str | None = None
        self._choose_embedder = embedder
        self._embedder: Embedder | None = None
        self._embedder_settings: list[str | None] = []
        self._lock = threading.RLock()
        self._indexer = Indexer(lambda: self.storage, lambda: self.embedder, files, self.tidy)
        self._nudged = -_NUDGE_S
        self._tidied = 0

    @property
    def storage(self) -> VectorStorage:
        """What keeps the stores.

        Raises:
            StorageError: The environment asks for one that there isn't.
        """
        from agentkit.local.vector_stores.choosing import VECTORS_VARIABLE, choose_storage

        if self._given_storage is not None:
            return self._given_storage
        setting = os.environ.get(VECTORS_VARIABLE, "")
        with self._lock:
            if self._storage is None or setting != self._storage_setting:
                if self._storage is not None:
                    self._storage.close()
                self._storage = None
                self._storage = choose_storage(self._home)
                self._storage_setting = setting
            return self._storage

    @property
    def embedder(self) -> Embedder | None:
        """What makes vectors; None where there is none, and words alone are ranked.

        Raises:
            EmbedderError: The environment asks for one that there isn't.
        """
        if self._choose_embedder is not None:
            return self._choose_embedder()
        settings = [os.environ.get(name) for name in _EMBEDDER_SETTINGS]
        with self._lock:
            if self._embedder is None or settings != self._embedder_settings:
                from agentkit.local.embedding import choose_embedder

                self._embedder, self._embedder_settings = choose_embedder(), settings
            return self._embedder

    def now(self) -> int:
        """Return the Unix time in seconds."""
        return self._files.now()

    def close(self) -> None:
        """Stop the worker and let go of the storage. Both are there again when they are needed."""
        self._indexer.stop()
        if self._storage is not None:
            self._storage.close()

    # -- indexing -----------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Begin to index what has been attached just now."""
        self._nudged = time.monotonic()
        self._indexer.wake()

    def nudge(self) -> None:
        """Look, now and then, for work that is left: by a process that is gone, or from before a stop."""
        if time.monotonic() - self._nudged >= _NUDGE_S:
            self.wake()

    def forget(self, file_ids: Sequence[str]) -> None:
        """Take files that are deleted out of all stores."""
        for file_id in file_ids:
            self.storage.remove_file_everywhere(file_id)

    def tidy(self) -> None:
        """Empty the stores whose time is up, and delete the files whose time is; at most once a minute."""
        if self.now() - self._tidied < _TIDY_S:
            return
        self._tidied = self.now()
        for file_id in self._files.expired():
            self.forget([file_id])
            self._files.delete(file_id)
        after, storage = None, self.storage
        while stores := storage.list_stores(Page(limit=100, after=after)):
            for store in stores[:100]:
                if is_expired(store, self.now()):
                    self._empty(store)
            if len(stores) <= 100:
                return
            after = stores[99].id

    def _empty(self, store: StoreRecord) -> None:
        while files := self.storage.list_files(store.id, Page(limit=100)):
            for file in files:
                self.storage.remove_file(store.id, file.file_id)

    # -- stores -------------------------------------------------------------------------------------------------------

    def store(self, store_id: str) -> StoreRecord:
        """Return a store.

        Raises:
            ApiError: There is none.
        """
        if (store := self.storage.get_store(store_id)) is None:
            raise store_not_found(store_id)
        return store

    def live_store(self, store_id: str) -> StoreRecord:
        """Return a store that is about to be used, which puts off its end.

        Raises:
            ApiError: There is none, or it has expired.
        """
        store = self.store(store_id)
        now = self.now()
        if is_expired(store, now):
            raise store_expired(store_id)
        if now - store.last_active_at >= _TOUCH_S:
            self.storage.touch_store(store_id, now)
        return store

    def search(
        self,
        store_ids: Sequence[str],
        queries: Sequence[str],
        *,
        filters: Filter | None,
        limit: int,
        weights: Weights,
        score_threshold: float,
    ) -> list[Found]:
        """Return the passages of some stores that answer the queries best, best first.

        A file that is in several of the stores is answered once.

        Raises:
            ApiError: A store isn't there, or has expired.
            StorageError: The storage can't do it.
        """
        from agentkit.local.vector_stores.ranking import search

        for store_id in store_ids:
            self.live_store(store_id)
        self.nudge()
        embedder = self.embedder
        vectors: dict[str, np.ndarray] = {}
        found: dict[tuple[str, int], Found] = {}
        for store_id in dict.fromkeys(store_ids):
            hits = search(
                self.storage,
                embedder,
                store_id,
                queries,
                filters=filters,
                limit=limit,
                weights=weights,
                score_threshold=score_threshold,
                vectors=vectors,
            )
            for hit in hits:
                place = hit.file_id, hit.chunk.position
                if place not in found or found[place].score < hit.score:
                    found[place] = hit
        ranked = sorted(found.values(), key=lambda hit: (-hit.score, hit.filename, hit.file_id, hit.chunk.position))
        return ranked[:limit]


def ranking_of(options: dict[str, Any] | None) -> tuple[Weights, float]:
    """Return the weights of the two rankings and the least score that checked `ranking_options` ask for."""
    from agentkit.local.vector_stores.ranking import Weights

    options = options or {}
    hybrid = options.get("hybrid_search")
    weights = Weights() if hybrid is None else Weights(hybrid["embedding_weight"], hybrid["text_weight"])
    return weights, options.get("score_threshold") or 0.0


def store_not_found(store_id: str) -> ApiError:
    """Return the error for an id that no vector store has."""
    message = f"Vector store with id '{store_id}' not found."
    return ApiError(message, status=404, param="vector_store_id", code="vector_store_not_found")


def store_expired(store_id: str) -> ApiError:
    """Return the error for a vector store whose time is up."""
    message = f"Vector store '{store_id}' has expired. Create a new one with the same files."
    return ApiError(message, param="vector_store_id", code="vector_store_expired")
