"""One engine in a process of its own: `child ENGINE DATA FOLDER ingest|search`, results as JSON on the last line.

Runs in the engine's own environment, so it imports nothing but numpy and the engine.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.retrieval.contender import Contender
from benchmarks.retrieval.data import FILTERS, TOP, Data

__all__ = ["ENGINES", "main"]

ENGINES = {
    "agentkit": ("with_agentkit", "WithAgentkit"),
    "lancedb": ("with_lancedb", "WithLancedb"),
    "lancedb-flat": ("with_lancedb", "WithLancedbFlat"),
    "qdrant-edge": ("with_qdrant_edge", "WithQdrantEdge"),
    "sqlite-vec": ("with_sqlite_vec", "WithSqliteVec"),
    "chroma": ("with_chroma", "WithChroma"),
}

_BATCH = 2_000
_MOST_SECONDS = 30.0


def _made(engine: str, folder: Path) -> Contender:
    module, kind = ENGINES[engine]
    made: Contender = getattr(importlib.import_module(f"benchmarks.retrieval.{module}"), kind)(folder)
    return made


def _ingest(engine: str, data: Data, folder: Path) -> dict[str, float]:
    peak, stop = [0.0], threading.Event()
    watch = threading.Thread(target=_watch, args=(peak, stop))
    watch.start()
    contender = _made(engine, folder)
    wall, cpu, size = time.perf_counter(), time.process_time(), data.chunks_a_file
    for first, texts, vectors in data.batches(max(_BATCH // size, 1) * size):
        contender.add(first, texts, vectors, [data.part(first + n) for n in range(len(texts))])
    contender.finish()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    contender.close()
    stop.set()
    watch.join()
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {
        "ingest chunks/s": data.size / wall,
        "ingest CPU us": cpu / data.size * 1e6,
        "ingest RSS MB": peak[0],
        "disk kB": disk / data.size / 1e3,
    }


def _watch(peak: list[float], stop: threading.Event) -> None:
    """Note the most memory that isn't pages of files: those go when they are wanted."""
    while not stop.wait(0.2):
        peak[0] = max(peak[0], _memory()["RssAnon"])


def _memory() -> dict[str, float]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return {
        name: int(value.split()[0]) / 1024
        for name, value in (line.split(":", 1) for line in lines)
        if "rss" in name.lower()
    }


def _search(engine: str, data: Data, folder: Path) -> dict[str, float]:
    questions = data.questions()
    module, _ = ENGINES[engine]
    importlib.import_module(f"benchmarks.retrieval.{module}")
    wall, cpu = time.perf_counter(), time.process_time()
    contender = _made(engine, folder)
    words, vector = questions[0]
    _both(contender)(words, vector, 100, TOP)
    found = {"open ms": (time.perf_counter() - wall) * 1e3, "open CPU ms": (time.process_time() - cpu) * 1e3}
    for name, most in FILTERS.items():

        def near(words: str, vector: np.ndarray, most: int = most) -> list[int]:
            return contender.nearest(vector, most, TOP)

        def both(words: str, vector: np.ndarray, most: int = most) -> Any:
            return _both(contender)(words, vector, most, TOP)

        exact = data.nearest(name)
        hits = [len(set(near(*one)) & set(exact[n].tolist())) for n, one in enumerate(questions[:100])]
        found[f"recall {name}".strip()] = sum(hits) / TOP / len(hits)
        found |= _timed(f"vectors {name}".strip(), near, questions)
        found |= _timed(f"hybrid {name}".strip(), both, questions)
    if contender.has_words:
        found |= _timed("words", lambda words, vector: contender.with_words(words, 100, TOP), questions)
    found["search RSS MB"], found["search anonymous MB"] = _memory()["VmRSS"], _memory()["RssAnon"]
    contender.close()
    return found


def _both(contender: Contender) -> Callable[[str, np.ndarray, int, int], Any]:
    """Return its search by both; by vectors alone where it doesn't rank by words."""
    if contender.has_words:
        return contender.hybrid
    return lambda words, vector, most, limit: contender.nearest(vector, most, limit)


def _timed(
    name: str, ask: Callable[[str, np.ndarray], Any], questions: list[tuple[str, np.ndarray]]
) -> dict[str, float]:
    ask(*questions[-1])
    walls, begun = [], time.process_time()
    until = time.perf_counter() + _MOST_SECONDS
    for question in questions[:200]:
        start = time.perf_counter()
        ask(*question)
        walls.append(time.perf_counter() - start)
        if time.perf_counter() > until:
            break
    cpu = (time.process_time() - begun) / len(walls)
    p50, p99 = np.percentile(walls, (50, 99)) * 1e3
    return {f"{name} p50 ms": p50, f"{name} p99 ms": p99, f"{name} CPU ms": cpu * 1e3}


def main() -> None:
    """Run the command."""
    engine, size, folder, target, what = sys.argv[1:]
    data = Data(Path(folder) / size, int(size))
    os.makedirs(target, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    measured = (_ingest if what == "ingest" else _search)(engine, data, Path(target))
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
