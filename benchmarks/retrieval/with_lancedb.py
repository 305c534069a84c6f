"""LanceDB: HNSW over vectors in bytes with its words index, and the same without an index of vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa

from benchmarks.retrieval.contender import CANDIDATES, fused
from benchmarks.retrieval.data import DIMENSIONS, PARTS

__all__ = ["WithLancedb", "WithLancedbFlat"]


class WithLancedbFlat:
    name = "lancedb-flat"
    has_words = True
    indexed = False

    def __init__(self, folder: Path) -> None:
        database = lancedb.connect(str(folder))
        schema = pa.schema(
            [
                ("chunk", pa.int64()),
                ("part", pa.int64()),
                ("text", pa.string()),
                ("vector", pa.list_(pa.float32(), DIMENSIONS)),
            ]
        )
        self._table = database.create_table("chunks", schema=schema, exist_ok=True)

    def add(self, first: int, texts: list[str], vectors: np.ndarray, parts: list[int]) -> None:
        flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), DIMENSIONS)
        numbers = list(range(first, first + len(texts)))
        self._table.add(pa.table({"chunk": numbers, "part": parts, "text": texts, "vector": flat}))

    def finish(self) -> None:
        self._table.optimize()
        self._table.create_scalar_index("part", index_type="BITMAP")
        self._table.create_scalar_index("chunk")
        self._table.create_fts_index("text", use_tantivy=False, stem=True, with_position=False)
        if self.indexed:
            self._table.create_index(
                metric="dot", index_type="IVF_HNSW_SQ", num_partitions=1, m=16, ef_construction=150
            )

    def _narrowed(self, query: Any, most: int, limit: int) -> Any:
        if most < PARTS:
            query = query.where(f"part < {most}", prefilter=True)
        return query.limit(limit)

    def _near(self, vector: np.ndarray, most: int, limit: int, columns: list[str]) -> Any:
        query = self._table.search(vector, vector_column_name="vector").distance_type("dot")
        if self.indexed:
            query = query.ef(max(100, 2 * limit))
        return self._narrowed(query, most, limit).select([*columns, "_distance"]).to_arrow()

    def nearest(self, vector: np.ndarray, most: int, limit: int) -> list[int]:
        found: list[int] = self._near(vector, most, limit, ["chunk"])["chunk"].to_pylist()
        return found

    def _worded(self, words: str, most: int, limit: int, columns: list[str]) -> Any:
        query = self._table.search(words, query_type="fts")
        return self._narrowed(query, most, limit).select([*columns, "_score"]).to_arrow()

    def with_words(self, words: str, most: int, limit: int) -> list[int]:
        found: list[int] = self._worded(words, most, limit, ["chunk"])["chunk"].to_pylist()
        return found

    def hybrid(self, words: str, vector: np.ndarray, most: int, limit: int) -> list[str]:
        texts: dict[int, str] = {}
        rankings = []
        columns = ["chunk", "text"]
        for found in (self._near(vector, most, CANDIDATES, columns), self._worded(words, most, CANDIDATES, columns)):
            rankings.append(found["chunk"].to_pylist())
            texts |= dict(zip(rankings[-1], found["text"].to_pylist(), strict=True))
        return [texts[chunk] for chunk in fused(rankings, limit)]

    def close(self) -> None:
        pass


class WithLancedb(WithLancedbFlat):
    name = "lancedb"
    indexed = True
