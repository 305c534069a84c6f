"""Qdrant's engine in this process: HNSW over vectors in bytes, BM25 as sparse vectors, fused by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import qdrant_edge as edge

from benchmarks.retrieval.contender import CANDIDATES, fused
from benchmarks.retrieval.data import DIMENSIONS, PARTS

__all__ = ["WithQdrantEdge"]


class WithQdrantEdge:
    name = "qdrant-edge"
    has_words = True

    def __init__(self, folder: Path) -> None:
        path = folder / "shard"
        bytes_ = edge.ScalarQuantizationConfig(edge.ScalarType.Int8, always_ram=True)
        config = edge.EdgeConfig(
            vectors={"near": edge.EdgeVectorParams(DIMENSIONS, edge.Distance.Dot)},
            sparse_vectors={"words": edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
            hnsw_config=edge.HnswIndexConfig(16, 100, 10_000),
            quantization_config=bytes_,
        )
        self._shard = edge.EdgeShard.load(str(path)) if path.exists() else edge.EdgeShard.create(str(path), config)
        self._words = edge.Bm25()

    def add(self, first: int, texts: list[str], vectors: np.ndarray, parts: list[int]) -> None:
        points = [
            edge.Point(
                first + n,
                {"near": vectors[n].tolist(), "words": self._words.embed_document(text)},
                {"part": parts[n], "text": text},
            )
            for n, text in enumerate(texts)
        ]
        self._shard.update(edge.UpdateOperation.upsert_points(points))
        self._shard.flush()

    def finish(self) -> None:
        index = edge.UpdateOperation.create_field_index("part", edge.PayloadSchemaType.Integer)
        self._shard.update(index)
        self._shard.optimize()
        self._shard.flush()

    def _filter(self, most: int) -> edge.Filter | None:
        if most == PARTS:
            return None
        return edge.Filter(must=[edge.FieldCondition("part", range=edge.RangeFloat(lt=most))])

    def _asked(self, query: edge.Query, most: int, limit: int, *, texts: bool = False) -> list[edge.ScoredPoint]:
        parameters = edge.SearchParams(
            hnsw_ef=100, quantization=edge.QuantizationSearchParams(rescore=True, oversampling=2.0)
        )
        asked = edge.QueryRequest(
            limit=limit,
            query=query,
            filter=self._filter(most),
            params=parameters,
            with_payload=texts,
            with_vector=False,
        )
        found: list[edge.ScoredPoint] = self._shard.query(asked)
        return found

    def nearest(self, vector: np.ndarray, most: int, limit: int) -> list[int]:
        return [int(one.id) for one in self._asked(self._near(vector), most, limit)]

    def _near(self, vector: np.ndarray) -> edge.Query:
        return edge.Query.Nearest(vector.tolist(), using="near")

    def _sparse(self, words: str) -> edge.Query:
        return edge.Query.Nearest(self._words.embed_query(words), using="words")

    def with_words(self, words: str, most: int, limit: int) -> list[int]:
        return [int(one.id) for one in self._asked(self._sparse(words), most, limit)]

    def hybrid(self, words: str, vector: np.ndarray, most: int, limit: int) -> list[str]:
        rankings, texts = [], {}
        for query in (self._near(vector), self._sparse(words)):
            found = self._asked(query, most, CANDIDATES, texts=True)
            rankings.append([int(one.id) for one in found])
            texts |= {int(one.id): one.payload["text"] for one in found}
        return [texts[chunk] for chunk in fused(rankings, limit)]

    def close(self) -> None:
        self._shard.close()
