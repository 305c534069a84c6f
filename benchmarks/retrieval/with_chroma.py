"""Chroma in this process. It doesn't rank by words there: only its vectors are measured, with the texts fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import chromadb
import numpy as np

from benchmarks.retrieval.data import PARTS

__all__ = ["WithChroma"]


class WithChroma:
    name = "chroma"
    has_words = False

    def __init__(self, folder: Path) -> None:
        settings = chromadb.Settings(anonymized_telemetry=False)
        client = chromadb.PersistentClient(str(folder), settings=settings)
        configuration: Any = {
            "hnsw": {"space": "cosine", "ef_search": 100, "ef_construction": 100, "max_neighbors": 16}
        }
        self._collection = client.get_or_create_collection(
            "chunks", configuration=configuration, embedding_function=None
        )

    def add(self, first: int, texts: list[str], vectors: np.ndarray, parts: list[int]) -> None:
        numbers = [str(first + n) for n in range(len(texts))]
        metadatas: Any = [{"part": part} for part in parts]
        self._collection.add(ids=numbers, documents=texts, embeddings=vectors, metadatas=metadatas)

    def finish(self) -> None:
        pass

    def nearest(self, vector: np.ndarray, most: int, limit: int) -> list[int]:
        where: Any = {"part": {"$lt": most}} if most < PARTS else None
        found = self._collection.query(
            query_embeddings=vector[None], n_results=limit, where=where, include=["documents"]
        )
        return [int(number) for number in found["ids"][0]]

    def with_words(self, words: str, most: int, limit: int) -> list[int]:
        raise NotImplementedError

    def hybrid(self, words: str, vector: np.ndarray, most: int, limit: int) -> list[str]:
        raise NotImplementedError

    def close(self) -> None:
        pass
