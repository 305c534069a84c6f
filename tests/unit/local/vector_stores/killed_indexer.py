"""A program that indexes until it is killed: each line that it prints is of something that it was told is kept.

Usage: `killed_indexer HOME ROUND`. It prints `attached FILE`, `chunks FILE` and `vectors KEY`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from agentkit._process import this_process
from agentkit.local.vector_stores.embedded import EmbeddedStorage
from agentkit.local.vector_stores.passages import Chunk
from agentkit.local.vector_stores.storage import FileRecord, StoreRecord, VectorStorage

STORE = "vs_1"
DIMENSIONS = 16
CHUNKS = 7


def texts_of(file_id: str) -> list[str]:
    """Return the texts of a file's chunks: each is found by a word of its own."""
    return [f"passage word{file_id.removeprefix('file-').replace('-', 'x')}p{n}" for n in range(CHUNKS)]


def vector_of(text: str) -> np.ndarray:
    """Return a text's vector, of shape (2, 16): two windows."""
    made = np.random.default_rng(sum(text.encode())).normal(size=(2, DIMENSIONS)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def index_what_waits(storage: VectorStorage) -> bool:
    """Do a little of what is to be done; return whether there was something."""
    files = storage.claim(this_process(), limit=2)
    for file in files:
        chunks = [Chunk(n, text, 2, 0, len(text)) for n, text in enumerate(texts_of(file.file_id))]
        if storage.put_chunks(file, chunks, content_hash="", needs_vectors=True):
            say("chunks", file.file_id)
    waiting = storage.claim_unembedded(this_process(), limit=10)
    if waiting:
        storage.put_vectors(STORE, "tests", [(key, vector_of(text)) for key, _, text in waiting])
        for key, _, _ in waiting:
            say("vectors", key)
    return bool(files or waiting)


def attach_and_index(storage: VectorStorage, name: str, at: int) -> None:
    """Attach three files of a name, and do a little of what is to be done."""
    added = [FileRecord(STORE, f"file-{name}-{m}", "f.txt", at) for m in range(3)]
    storage.add_files(added)
    for file in added:
        say("attached", file.file_id)
    index_what_waits(storage)


def main() -> None:
    storage = EmbeddedStorage(Path(sys.argv[1]))
    if storage.get_store(STORE) is None:
        storage.create_store(StoreRecord(STORE, "killed", 1, 1))
    say("ready")
    for n in range(100_000):
        attach_and_index(storage, f"{sys.argv[2]}-{n}", n)
        if n % 5 == 4:
            storage.match_words(STORE, "passage", filters=None, limit=5)
            storage.match_vector(STORE, vector_of("passage")[0], filters=None, limit=5)
        if n % 7 == 6:
            storage.remove_file(STORE, f"file-{sys.argv[2]}-{n - 6}-0")
            say("removed", f"file-{sys.argv[2]}-{n - 6}-0")


if __name__ == "__main__":
    main()
