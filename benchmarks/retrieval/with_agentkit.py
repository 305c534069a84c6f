"""agentkit's embedded engine, driven as the platform drives it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from agentkit._process import this_process
from agentkit.local.vector_stores import ranking
from agentkit.local.vector_stores.embedded import EmbeddedStorage
from agentkit.local.vector_stores.filters import Comparison
from agentkit.local.vector_stores.passages import Chunk
from agentkit.local.vector_stores.storage import FileRecord, StoreRecord

__all__ = ["WithAgentkit"]

_STORE = "vs_1"


class _Given:
    """An embedder that has the question's vector already."""

    name, dimensions = "benchmark", 384

    def __init__(self, vector: np.ndarray) -> None:
        self._vector = vector

    def windows(self, text: str) -> list[str]:
        return [text]

    def embed(self, texts: object) -> np.ndarray:
        raise NotImplementedError

    def embed_query(self, text: str) -> np.ndarray:
        return self._vector


class WithAgentkit:
    name = "agentkit"
    has_words = True

    def __init__(self, folder: Path) -> None:
        self._storage = EmbeddedStorage(folder)
        if self._storage.get_store(_STORE) is None:
            self._storage.create_store(StoreRecord(_STORE, "benchmark", 1, 1))

    def add(self, first: int, texts: list[str], vectors: np.ndarray, parts: list[int]) -> None:
        size = self._chunks_a_file(parts)
        files = [
            FileRecord(_STORE, f"file-{first + begin:09}", f"{first + begin}.txt", 1, attributes={"part": parts[begin]})
            for begin in range(0, len(texts), size)
        ]
        self._storage.add_files(files)
        for file in self._storage.claim(this_process(), limit=len(files)):
            begin = int(file.file_id.removeprefix("file-")) - first
            own = texts[begin : begin + size]
            chunks = [Chunk(n, text, 250, 1000 * n, 1000 * n + len(text)) for n, text in enumerate(own)]
            self._storage.put_chunks(file, chunks, content_hash="", needs_vectors=True)
        done = 0
        while waiting := self._storage.claim_unembedded(this_process(), limit=256):
            found = [(key, vectors[done + n][None]) for n, (key, *_) in enumerate(waiting)]
            self._storage.put_vectors(_STORE, "benchmark", found)
            done += len(waiting)

    def _chunks_a_file(self, parts: list[int]) -> int:
        """Files are the runs of equal parts."""
        return next((n for n, part in enumerate(parts) if part != parts[0]), len(parts))

    def finish(self) -> None:
        self.with_words("first", 100, 1)
        self._storage.match_vector(_STORE, np.eye(1, 384, dtype=np.float32)[0], filters=None, limit=1)

    def nearest(self, vector: np.ndarray, most: int, limit: int) -> list[int]:
        matches = self._storage.match_vector(_STORE, vector, filters=_filter(most), limit=limit)
        return [match.key - 1 for match in matches]  # keys are counted from 1, in the order of adding

    def with_words(self, words: str, most: int, limit: int) -> list[int]:
        return [match.key - 1 for match in self._storage.match_words(_STORE, words, filters=_filter(most), limit=limit)]

    def hybrid(self, words: str, vector: np.ndarray, most: int, limit: int) -> list[str]:
        found = ranking.search(self._storage, _Given(vector), _STORE, [words], filters=_filter(most), limit=limit)
        return [one.chunk.text for one in found]

    def close(self) -> None:
        self._storage.close()


def _filter(most: int) -> Comparison | None:
    return None if most == 100 else Comparison("lt", "part", most)
