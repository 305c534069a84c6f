"""The vectors of one store: all of them as bytes in memory-mapped files, the few that count exactly from the tables."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentkit.local.vector_stores.embedded.coded import (
    ROW,
    Coded,
    Manifest,
    append,
    clear,
    open_coded,
    read_manifest,
    rewrite,
    write_manifest,
)
from agentkit.local.vector_stores.embedded.database import Database
from agentkit.local.vector_stores.embedded.derived import Derived
from agentkit.local.vector_stores.embedded.lock import locked
from agentkit.local.vector_stores.embedded.runs import Living, Runs
from agentkit.local.vector_stores.embedded.scanning import margin, nearest_rows, quantised, scores_of
from agentkit.local.vector_stores.passages import Match
from agentkit.local.vector_stores.storage import StorageError

__all__ = ["VectorIndex"]

_SLICE_ROWS = 4096
_MOST_RESCORED = 1_000
_FEWEST_DEAD = 1_000
_MOST_DEAD = 0.3


class VectorIndex(Derived):
    """Finds the chunks of one store by meaning. Made as `Derived` is."""

    def __init__(self, folder: Path, store: int, database: Database) -> None:
        super().__init__(folder, store, database)
        self._coded: Coded | None = None
        self._runs: Runs | None = None

    def match(
        self, vector: NDArray[np.float32], living: Living, among: frozenset[int] | None, limit: int
    ) -> list[Match]:
        """Return the chunks nearest to a vector, best first, equals in the order of their keys.

        Args:
            vector: float32 of shape (dimensions,), of length 1.
            living: Which files there are.
            among: Which of them to look in; None: all.
            limit: Most chunks to return.

        Raises:
            StorageError: The vectors have another length, or the index can't be brought up to date.
        """
        found = self._up_to_date(len(vector))
        if found is None:
            return []
        coded, runs = found
        rows = runs.rows(living, among)
        if not len(coded.codes) or (rows is not None and not len(rows)):
            return []
        codes, scales = quantised(np.asarray(vector, dtype=np.float32)[None, :])
        scale = float(scales[0])
        scores = scores_of(coded.codes, coded.scales, codes[0], scale, rows)
        chunks = coded.chunks if rows is None else coded.chunks[rows]
        allowance = margin(coded.scales if rows is None else coded.scales[rows], scale)
        places = nearest_rows(scores, chunks, limit, allowance, _MOST_RESCORED + 20 * limit)
        numbers = np.unique((coded.numbers if rows is None else coded.numbers[rows])[places])
        return self._exactly(numbers.tolist(), vector, limit)

    def _exactly(self, numbers: list[int], vector: NDArray[np.float32], limit: int) -> list[Match]:
        """Score chunks by their vectors as they were given, in double precision: equal vectors get equal scores."""
        query = "SELECT v.chunk, v.data FROM json_each(?) AS n CROSS JOIN vectors AS v ON v.number = n.value"
        with self._database.reading() as db:
            rows = db.execute(query, (str(numbers),)).fetchall()
        if not rows:
            return []
        keys, blobs = zip(*rows, strict=True)
        windows = np.frombuffer(b"".join(blobs), dtype="<f4").reshape(-1, len(vector)).astype(np.float64)
        lengths = np.array([len(data) for data in blobs]) // (4 * len(vector))
        first = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        best = np.maximum.reduceat(windows @ vector.astype(np.float64), first).astype(np.float32)
        order = np.lexsort((np.array(keys), -best))[:limit]
        return [Match(keys[at], float(best[at])) for at in order]

    def catch_up(self) -> None:
        """Bring the files up to the tables.

        Raises:
            StorageError: It can't be done.
        """
        self._up_to_date(None)

    def _wanted(self) -> tuple[str, int | None, int]:
        query = "SELECT id, dimensions, last_vector FROM stores WHERE number = ?"
        with self._database.reading() as db:
            row = db.execute(query, (self._store,)).fetchone()
        return row or ("", None, 0)

    def _up_to_date(self, length: int | None) -> tuple[Coded, Runs] | None:
        """Return what is there, brought up to the tables; None where the store has no vectors."""
        store_id, dimensions, last = self._wanted()
        if dimensions is None or not last:
            return None
        if length not in (None, dimensions):
            advice = "Set AGENTKIT_EMBEDDER to the embedder that made them, or add the files to a new store."
            raise StorageError(f"Vector store {store_id} has vectors of {dimensions} numbers, not {length}. {advice}")
        with self._lock:
            if (
                self._coded is not None
                and self._fits(self._coded.manifest, dimensions, last)
                and self._runs is not None
            ):
                return self._coded, self._runs
            try:
                with locked(self._folder / "vectors.lock"):
                    self._coded = self._caught_up(dimensions, last)
            except OSError as error:
                raise self._unusable("The files of vectors", error) from error
            self._runs = Runs(self._coded.files, self._coded.chunks)
            return self._coded, self._runs

    def _fits(self, manifest: Manifest, dimensions: int, last: int) -> bool:
        return manifest.dimensions == dimensions and manifest.last_vector >= last

    def _caught_up(self, dimensions: int, last: int) -> Coded:
        coded = self._opened(dimensions)
        if self._fits(coded.manifest, dimensions, last):
            return coded
        manifest = self._extended(coded.manifest, last)
        write_manifest(self._folder, manifest)
        extended = self._reopened(manifest, coded)
        alive = self._alive(extended)
        if len(extended.files) - len(alive) > max(_FEWEST_DEAD, _MOST_DEAD * len(extended.files)):
            extended = self._reopened(rewrite(self._folder, extended, alive), None)
        return extended

    def _opened(self, dimensions: int) -> Coded:
        """Open what there is; where it isn't usable, begin anew."""
        manifest = read_manifest(self._folder, self._store, dimensions)
        if manifest is not None:
            coded = open_coded(self._folder, manifest, self._coded) or open_coded(self._folder, manifest, None)
            if coded is not None:
                return coded
        self._coded = None
        clear(self._folder)
        return self._reopened(Manifest(self._store, dimensions, generation=secrets.randbits(32)), None)

    def _reopened(self, manifest: Manifest, earlier: Coded | None) -> Coded:
        coded = open_coded(self._folder, manifest, earlier)
        if coded is None:
            raise OSError(f"what was just written to {self._folder} reads otherwise")
        return coded

    def _extended(self, manifest: Manifest, last: int) -> Manifest:
        """Append what is new in the tables."""
        query = "SELECT number FROM files WHERE store = ? AND last_vector > ?"
        with self._database.reading() as db:
            files = [file for (file,) in db.execute(query, (self._store, manifest.last_vector)).fetchall()]
        seen, waiting = manifest.last_vector, list[tuple[int, int, int, bytes]]()
        for file in files:
            waiting += self._new(file, seen, last)
            if len(waiting) >= _SLICE_ROWS:
                manifest = self._append(manifest, waiting)
                waiting = []
        return replace(self._append(manifest, waiting), last_vector=last)

    def _new(self, file: int, seen: int, last: int) -> list[tuple[int, int, int, bytes]]:
        """Return `(number, chunk, file, vectors)` of what was put for a file since."""
        query = "SELECT number, chunk, data FROM vectors WHERE file = ? AND number > ? AND number <= ? ORDER BY number"
        with self._database.reading() as db:
            rows = db.execute(query, (file, seen, last)).fetchall()
        return [(number, chunk, file, data) for number, chunk, data in rows]

    def _append(self, manifest: Manifest, found: list[tuple[int, int, int, bytes]]) -> Manifest:
        if not found:
            return manifest
        size = 4 * manifest.dimensions
        windows = np.array([len(data) // size for *_, data in found])
        vectors = np.frombuffer(b"".join(data for *_, data in found), dtype="<f4").reshape(-1, manifest.dimensions)
        codes, scales = quantised(vectors)
        rows = np.empty(len(codes), dtype=ROW)
        for at, name in enumerate(("number", "chunk", "file")):
            rows[name] = np.repeat([one[at] for one in found], windows)
        rows["scale"] = scales
        return append(self._folder, manifest, codes, rows)

    def _alive(self, coded: Coded) -> NDArray[np.int64]:
        with self._database.reading() as db:
            query = "SELECT number, first_chunk FROM files WHERE store = ? AND last_vector > 0"
            living = Living(db.execute(query, (self._store,)).fetchall())
        rows = Runs(coded.files, coded.chunks).rows(living, None)
        return np.arange(len(coded.files)) if rows is None else rows
