"""What keeps vector stores: one interface for the embedded engine and for PostgreSQL.

All methods are synchronous and may be called from several threads; what a method has done survives a killed process.
Several processes may use one storage at once. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from agentkit.local.vector_stores.passages import Attributes, Chunk, Chunking, Match

if TYPE_CHECKING:
    import numpy as np

    from agentkit.local.vector_stores.filters import Filter

__all__ = [
    "BatchRecord",
    "FileCounts",
    "FileRecord",
    "FileStatus",
    "Indexing",
    "Page",
    "StorageError",
    "StoreRecord",
    "VectorStorage",
]

FileStatus = Literal["in_progress", "completed", "cancelled", "failed"]


class StorageError(Exception):
    """The storage can't do it: a full disk, a damaged file, no connection, vectors of another embedder.

    The message says what happened, with which value, and what to do.
    """


@dataclass(frozen=True, slots=True)
class StoreRecord:
    """A vector store, without its files."""

    id: str
    """`vs_…`"""
    name: str
    created_at: int
    last_active_at: int
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    expires_after_days: int | None = None
    """Days after `last_active_at`; None: never."""
    embedder: str | None = None
    """Name of what made its vectors, once there are some: vectors of two embedders don't mix."""
    dimensions: int | None = None
    """Length of its vectors."""


@dataclass(frozen=True, slots=True)
class FileCounts:
    """A store's or a batch's files by status."""

    in_progress: int = 0
    completed: int = 0
    cancelled: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.in_progress + self.completed + self.cancelled + self.failed


@dataclass(frozen=True, slots=True)
class Indexing:
    """How far the files of a batch are."""

    unread: int = 0
    """Files that are still to be parsed and cut."""
    chunks: int = 0
    """Chunks of those that have been."""
    ready: int = 0
    """How many of these have vectors, or need none."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file in a vector store."""

    store_id: str
    file_id: str
    filename: str
    created_at: int
    """When it was attached."""
    status: FileStatus = "in_progress"
    """Words find it as soon as it has chunks. It is completed with its vectors, where there is an embedder."""
    error_code: Literal["server_error", "unsupported_file", "invalid_file"] | None = None
    error_message: str | None = None
    usage_bytes: int = 0
    """Bytes of its chunks' texts and vectors."""
    attributes: Attributes = field(default_factory=dict)
    chunking: Chunking = field(default_factory=Chunking)
    auto_chunking: bool = True
    """Whether the defaults were left to the platform."""
    batch_id: str | None = None
    content_hash: str | None = None
    """SHA-256 of the file's bytes, once it has been read."""
    chunks: int = 0
    """How many it has."""
    embedded: int = 0
    """How many of them have vectors."""
    revision: int = 0
    """Set by the storage: one that is attached anew gets a higher one, which is how a late worker is told."""


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """Files that were attached by one request."""

    id: str
    """`vsfb_…`"""
    store_id: str
    created_at: int
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted: OpenAI's cursors. Lists are sorted by time and then by order of making.

    Where there are more than `limit`, one more is returned, last in the list: whoever asked takes the first `limit`.
    """

    limit: int = 20
    after: str | None = None
    """Id of the object before the page."""
    before: str | None = None
    """Id of the object behind the page."""
    ascending: bool = False


class VectorStorage(Protocol):
    """Keeps vector stores, their files, chunks and vectors."""

    def close(self) -> None:
        """Let go of files and connections; they are opened again when needed."""
        ...

    # Stores

    def create_store(self, store: StoreRecord) -> None:
        """Keep a new store."""
        ...

    def get_store(self, store_id: str) -> StoreRecord | None:
        """Return a store, or None."""
        ...

    def put_store(self, store: StoreRecord) -> bool:
        """Replace what is kept of a store; return whether it is there. `embedder` and `dimensions` are left alone."""
        ...

    def touch_store(self, store_id: str, at: int) -> None:
        """Note that a store was used, which puts off its end."""
        ...

    def delete_store(self, store_id: str) -> bool:
        """Forget a store with all in it; return whether there was one."""
        ...

    def list_stores(self, page: Page) -> list[StoreRecord]:
        """Return a page of stores, and one more where there are more.

        Raises:
            KeyError: No store has the cursor's id.
        """
        ...

    def count_files(self, store_id: str, *, batch_id: str | None = None) -> FileCounts:
        """Return how many files of a store, or of a batch, are in which status."""
        ...

    def indexing(self, store_id: str, batch_id: str) -> Indexing:
        """Return how far the files of a batch are."""
        ...

    def usage_bytes(self, store_id: str) -> int:
        """Return the bytes of its files' texts and vectors."""
        ...

    # Files in stores

    def add_files(self, files: Sequence[FileRecord], *, batch: BatchRecord | None = None) -> None:
        """Attach files, all or none, to be indexed. One that is there already is indexed anew, as it is given now."""
        ...

    def get_file(self, store_id: str, file_id: str) -> FileRecord | None:
        """Return a file of a store, or None."""
        ...

    def list_files(
        self, store_id: str, page: Page, *, status: FileStatus | None = None, batch_id: str | None = None
    ) -> list[FileRecord]:
        """Return a page of files, and one more where there are more.

        Raises:
            KeyError: No file of the store has the cursor's id.
        """
        ...

    def set_attributes(self, store_id: str, file_id: str, attributes: Attributes) -> FileRecord | None:
        """Replace a file's attributes; searches see it at once. None where it isn't there."""
        ...

    def remove_file(self, store_id: str, file_id: str) -> bool:
        """Take a file with its chunks out of a store; return whether it was there."""
        ...

    def remove_file_everywhere(self, file_id: str) -> int:
        """Take a file out of all stores; return of how many."""
        ...

    def get_batch(self, store_id: str, batch_id: str) -> BatchRecord | None:
        """Return a batch, or None."""
        ...

    def cancel_batch(self, store_id: str, batch_id: str) -> BatchRecord | None:
        """Cancel what of a batch isn't indexed yet. None where there is no such batch."""
        ...

    # Indexing

    def claim(self, worker: str, *, limit: int = 1) -> list[FileRecord]:
        """Return files without chunks that wait to be indexed, oldest first; they are the worker's until it is gone.

        Args:
            worker: Who does the work, by `agentkit._process`. What a dead one had claimed is claimed anew.
            limit: Most files to return.
        """
        ...

    def put_chunks(self, file: FileRecord, chunks: Sequence[Chunk], *, content_hash: str, needs_vectors: bool) -> bool:
        """Keep a file's chunks, all or none, in place of those it had; words find them from now on.

        Args:
            file: As `claim` gave it.
            chunks: All of them, in order; none for a file without text.
            content_hash: SHA-256 of the file's bytes.
            needs_vectors: Whether vectors follow. If not, or without chunks, the file is completed.

        Returns:
            False where the file has been removed, cancelled or attached anew meanwhile: nothing is kept.
        """
        ...

    def fail_file(self, file: FileRecord, code: str, message: str) -> bool:
        """Note why a file can't be indexed. False as for `put_chunks`.

        A completed file stays so, and its chunks wait for vectors no more, until `want_vectors` is called again.
        """
        ...

    def want_vectors(self, embedder: str) -> int:
        """Have the chunks of completed files that lack vectors wait for them; the files stay completed.

        For a worker that has an embedder: a process without one has completed them.

        Args:
            embedder: The worker's. Stores that have another one are left alone.

        Returns:
            How many chunks wait now that did not.
        """
        ...

    def claim_unembedded(
        self, worker: str, *, limit: int = 64, without_embedder: bool = False
    ) -> list[tuple[int, str, str]]:
        """Return `(key, store_id, text)` of chunks that wait for vectors; claimed as by `claim`.

        Those of files in progress come before those of completed ones, and oldest files first.

        Args:
            worker: Who makes the vectors.
            limit: Most chunks to return.
            without_embedder: The worker has none. Then only chunks of files in progress in stores that have no embedder
                yet: such files it can complete, and all others are left to those who have one.
        """
        ...

    def put_vectors(self, store_id: str, embedder: str, vectors: Sequence[tuple[int, np.ndarray]]) -> None:
        """Keep the vectors of chunks, float32 of shape (windows, dimensions), each of length 1.

        A file whose last chunk gets its vectors is completed. Chunks that are gone are passed over.

        Raises:
            StorageError: The store has vectors of another embedder.
        """
        ...

    # Searching

    def match_words(self, store_id: str, query: str, *, filters: Filter | None, limit: int) -> list[Match]:
        """Return the chunks with words of the query, best first by BM25, as parts of the most there can be, 0 to 1.

        Any text is a query: it has no syntax. Equals come in the order of their keys.
        """
        ...

    def match_vector(self, store_id: str, vector: np.ndarray, *, filters: Filter | None, limit: int) -> list[Match]:
        """Return the chunks nearest to a vector, best first by the largest cosine over a chunk's windows.

        Args:
            store_id: The store.
            vector: float32 of shape (dimensions,), of length 1.
            filters: What a file's attributes have to fulfil; exact, so that `limit` chunks come wherever there are.
            limit: Most chunks to return.
        """
        ...

    def read_chunks(self, keys: Sequence[int]) -> dict[int, tuple[FileRecord, Chunk]]:
        """Return the chunks that are still there, each with its file."""
        ...

    def file_chunks(self, store_id: str, file_id: str) -> list[Chunk]:
        """Return all chunks of a file in order."""
        ...
