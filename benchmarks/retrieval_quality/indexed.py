"""The labelled set in a vector store of the embedded engine, indexed as the platform does it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agentkit._process import this_process
from agentkit.local.chunking import cut
from agentkit.local.parsing import parse
from agentkit.local.vector_stores.embedded import EmbeddedStorage
from agentkit.local.vector_stores.storage import FileRecord, StoreRecord
from benchmarks.retrieval_quality.labelled import LabelledSet

if TYPE_CHECKING:
    from agentkit.local.embedding.embedder import Embedder

__all__ = ["STORE", "index"]

STORE = "vs_labelled"
_CHUNKS_AT_ONCE = 64


def index(
    labelled: LabelledSet, embedder: Embedder | None, folder: Path, *, say: Callable[[str], None]
) -> EmbeddedStorage:
    """Return a storage with a store of all files, with their vectors; one that was begun is completed.

    Args:
        labelled: The set.
        embedder: Makes the vectors; None makes none.
        folder: Where indexes are kept, one for each set and embedder.
        say: Told how far it is.
    """
    name = hashlib.sha256((embedder.name if embedder else "none").encode()).hexdigest()[:8]
    storage = EmbeddedStorage(folder / f"index-{labelled.digest}-{name}")
    if storage.get_store(STORE) is None:
        now = int(time.time())
        storage.create_store(StoreRecord(STORE, "labelled", now, now))
        storage.add_files(
            [
                FileRecord(STORE, f"file-{number:05}", document.key, now)
                for number, document in enumerate(labelled.documents)
            ]
        )
    texts = {document.key: document.text for document in labelled.documents}
    while claimed := storage.claim(this_process(), limit=64):
        for file in claimed:
            data = texts[file.filename].encode(errors="replace")
            chunks = cut(parse("file.txt", data))
            digest = hashlib.sha256(data).hexdigest()
            storage.put_chunks(file, chunks, content_hash=digest, needs_vectors=embedder is not None)
    done = 0
    while embedder is not None and (waiting := storage.claim_unembedded(this_process(), limit=_CHUNKS_AT_ONCE)):
        windows = [embedder.windows(text) for _, _, text in waiting]
        vectors = embedder.embed([window for some in windows for window in some])
        start = 0
        made = []
        for (key, _, _), some in zip(waiting, windows, strict=True):
            made.append((key, vectors[start : start + len(some)]))
            start += len(some)
        storage.put_vectors(STORE, embedder.name, made)
        done += len(waiting)
        say(f"{done:,} passages have vectors")
    return storage
