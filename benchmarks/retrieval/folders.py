"""What folders of texts take by `VectorStore.add`, in a process of its own: `folders DATA SIZE`, JSON at the end."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.retrieval.data import Data

__all__ = ["main"]

FOLDERS = {"1,000 files of 10 kB": (1_000, 10, False), "10,000 files of 1 kB": (10_000, 1, True)}
"""By title: how many files, how many pieces of 1,000 letters each has, and whether vectors are waited for."""

_PAUSE_S = 0.05


def _write(folder: Path, data: Data, files: int, pieces: int) -> None:
    number = 0
    for _, texts, _ in data.batches(100 * pieces):
        for first in range(0, len(texts), pieces):
            if number == files:
                return
            text = "\n\n".join([*texts[first : first + pieces], f"lantern {number}"])
            (folder / f"{number:05}.txt").write_text(text)
            number += 1


def _measured(folder: Path, files: int, to_the_end: bool) -> dict[str, float]:
    """Add the folder, and look meanwhile for the word that is in each of its files."""
    from agentkit import VectorStore

    store = VectorStore.create("benchmark")
    found: dict[str, float] = {}
    begun, cpu = time.perf_counter(), time.process_time()

    def look() -> None:
        while not store.search("lantern", limit=1, embedding_weight=0, text_weight=1):
            time.sleep(_PAUSE_S)
        found["first file found by words, s"] = time.perf_counter() - begun

    looking = threading.Thread(target=look)
    looking.start()
    store.add(folder, wait=False)
    found["all sent, s"] = time.perf_counter() - begun
    looking.join()
    last = f"{files - 1:05}"
    while not any(
        last in hit.filename for hit in store.search(f"lantern {files - 1}", embedding_weight=0, text_weight=1)
    ):
        time.sleep(_PAUSE_S)
    found["last file found by words, s"] = time.perf_counter() - begun
    found["CPU until then, ms a file"] = (time.process_time() - cpu) / files * 1e3
    if to_the_end and store.wait():
        found["all ready, s"] = time.perf_counter() - begun
        found["CPU in all, ms a file"] = (time.process_time() - cpu) / files * 1e3
    return found


def main() -> None:
    """Run the command."""
    import agentkit

    data = Data(Path(sys.argv[1]) / sys.argv[2], int(sys.argv[2]))
    measured = {}
    for title, (files, pieces, to_the_end) in FOLDERS.items():
        with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
            os.environ["AGENTKIT_HOME"] = home
            agentkit.connect("embedded")
            _write(Path(folder), data, files, pieces)
            measured[title] = _measured(Path(folder), files, to_the_end)
            agentkit.backend.disconnect()
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
