"""sqlite-vec beside SQLite's own FTS5, through apsw: the sqlite3 of many Pythons loads no extensions."""

from __future__ import annotations

from pathlib import Path

import apsw
import numpy as np
import sqlite_vec

from benchmarks.retrieval.contender import CANDIDATES, fused
from benchmarks.retrieval.data import DIMENSIONS, PARTS

__all__ = ["WithSqliteVec"]


class WithSqliteVec:
    name = "sqlite-vec"
    has_words = True

    def __init__(self, folder: Path) -> None:
        self._db = apsw.Connection(str(folder / "chunks.sqlite3"))
        self._db.enable_load_extension(True)
        self._db.load_extension(sqlite_vec.loadable_path())
        self._db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        self._db.execute(
            f"""CREATE TABLE IF NOT EXISTS chunks (chunk INTEGER PRIMARY KEY, part INTEGER, text TEXT);
            CREATE VIRTUAL TABLE IF NOT EXISTS near USING vec0(
                chunk INTEGER PRIMARY KEY, part INTEGER, vector float[{DIMENSIONS}] distance_metric=cosine);
            CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
                text, content='chunks', content_rowid='chunk', tokenize='porter unicode61')"""
        )

    def add(self, first: int, texts: list[str], vectors: np.ndarray, parts: list[int]) -> None:
        rows = list(enumerate(zip(texts, parts, strict=True), start=first))
        with self._db:
            self._db.executemany("INSERT INTO chunks VALUES (?, ?, ?)", [(n, part, text) for n, (text, part) in rows])
            self._db.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", [(n, text) for n, (text, _) in rows])
            blobs = [(n, part, vectors[n - first].tobytes()) for n, (_, part) in rows]
            self._db.executemany("INSERT INTO near (chunk, part, vector) VALUES (?, ?, ?)", blobs)

    def finish(self) -> None:
        self._db.execute("INSERT INTO words (words) VALUES ('optimize')")

    def nearest(self, vector: np.ndarray, most: int, limit: int) -> list[int]:
        narrowed = f"AND part < {most}" if most < PARTS else ""
        query = f"SELECT chunk FROM near WHERE vector MATCH ? AND k = ? {narrowed} ORDER BY distance"
        return [chunk for (chunk,) in self._db.execute(query, (vector.tobytes(), limit))]

    def with_words(self, words: str, most: int, limit: int) -> list[int]:
        narrowed = f"CROSS JOIN chunks ON chunk = words.rowid AND part < {most}" if most < PARTS else ""
        query = f"SELECT words.rowid FROM words {narrowed} WHERE words MATCH ? ORDER BY rank LIMIT ?"
        asked = " OR ".join(f'"{word}"' for word in words.split())
        return [chunk for (chunk,) in self._db.execute(query, (asked, limit))]

    def hybrid(self, words: str, vector: np.ndarray, most: int, limit: int) -> list[str]:
        best = fused([self.nearest(vector, most, CANDIDATES), self.with_words(words, most, CANDIDATES)], limit)
        query = f"SELECT chunk, text FROM chunks WHERE chunk IN ({','.join('?' * len(best))})"
        texts = dict(self._db.execute(query, best))
        return [texts[chunk] for chunk in best]

    def close(self) -> None:
        self._db.close()
