"""Copying a vector store from one storage to another: from this machine to a shared server, and back.

Everything comes along: ids, times, attributes, statuses, chunks and vectors, bit by bit. The uploaded files themselves
stay where they are. What has been copied is read back and compared by its hash; a copy that was interrupted goes on
where it was when it is asked for again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Protocol

from agentkit import _json
from agentkit.local.vector_stores.passages import Chunk
from agentkit.local.vector_stores.storage import BatchRecord, FileRecord, Page, StorageError, StoreRecord

if TYPE_CHECKING:
    import numpy as np

    from agentkit.local.vector_stores.storage import VectorStorage

__all__ = ["CarriedFile", "Carrier", "Moved", "move_store"]

_PAGE = 500


@dataclass(frozen=True, slots=True)
class CarriedFile:
    """All that a storage has of one file."""

    record: FileRecord
    """Its revision means nothing elsewhere."""
    chunks: list[Chunk]
    vectors: list[np.ndarray | None]
    """Of each chunk: float32 of shape (windows, dimensions), or None where it has none yet."""

    @property
    def attached(self) -> FileRecord:
        """The record as it was before it was indexed."""
        return replace(self.record, status="in_progress", error_code=None, error_message=None)

    @property
    def needs_vectors(self) -> bool:
        """Whether vectors follow its chunks."""
        return self.record.status == "in_progress" or any(one is not None for one in self.vectors)

    def digest(self) -> str:
        """Return the SHA-256 of everything but the revision."""
        sha256 = hashlib.sha256(_json.dumps(asdict(replace(self.record, revision=0))))
        for chunk, vectors in zip(self.chunks, self.vectors, strict=True):
            sha256.update(_json.dumps(asdict(chunk)))
            sha256.update(b"-" if vectors is None else f"{vectors.shape}".encode() + vectors.astype("<f4").tobytes())
        return sha256.hexdigest()


class Carrier(Protocol):
    """What a storage can do beside `VectorStorage`, so that its stores can be copied."""

    def batches(self, store_id: str) -> list[BatchRecord]:
        """Return a store's batches."""
        ...

    def begin(self, store: StoreRecord, batches: Sequence[BatchRecord]) -> None:
        """Make a store, its embedder included, or bring one that is there up to this; and add batches it lacks."""
        ...

    def read_file(self, store_id: str, file_id: str) -> CarriedFile | None:
        """Return all that there is of a file, of one moment; None where it isn't there."""
        ...

    def write_file(self, store: StoreRecord, file: CarriedFile) -> None:
        """Keep a file as it is, all or nothing, in place of the one that is there."""
        ...

    def finish(self, store_id: str) -> None:
        """Make what is derived of a store's files ready to be searched."""
        ...


@dataclass(frozen=True, slots=True)
class Moved:
    """What was copied, and compared."""

    files: int
    chunks: int
    vectors: int
    """Chunks with vectors."""
    already_there: int
    """Files, of those, that an earlier attempt had copied."""
    digest: str
    """SHA-256 of all files' digests in order."""


def move_store(
    store_id: str,
    source: VectorStorage,
    target: VectorStorage,
    *,
    delete_source: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Moved:
    """Copy a store to another storage under the same id, and check the copy.

    Nobody should add files to either meanwhile. Asked for again after an interruption, it goes on where it was.

    Args:
        store_id: The store.
        source: Where it is.
        target: Where it shall be.
        delete_source: Whether to delete it at the source, once the copy has been found to be the same.
        progress: Called after each file with how many are done, and of how many.

    Raises:
        StorageError: There is no such store, another one with its id is at the target, the copy isn't the same, or a
            storage can't do it.
    """
    store = source.get_store(store_id)
    if store is None:
        raise StorageError(f"There is no vector store {store_id!r} to copy. List those there are: agentkit stores list")
    there = target.get_store(store_id)
    if there is not None and there.created_at != store.created_at:
        raise StorageError(
            f"The target has another vector store {store_id!r} ({there.name!r}). Delete it there if it isn't wanted."
        )
    giving, taking = _carrier(source), _carrier(target)
    taking.begin(store, giving.batches(store_id))
    files = list(_files(source, store_id))
    for gone in {file.file_id for file in _files(target, store_id)} - {file.file_id for file in files}:
        target.remove_file(store_id, gone)
    digests, already, chunks, vectors = [], 0, 0, 0
    for done, file in enumerate(files, start=1):
        given = giving.read_file(store_id, file.file_id)
        if given is None:
            raise _changed(store_id)
        was_there = _copied(taking, store, given)
        already += was_there
        digests.append(given.digest())
        chunks += len(given.chunks)
        vectors += sum(one is not None for one in given.vectors)
        if progress is not None:
            progress(done, len(files))
    taking.finish(store_id)
    _check(store_id, source, target, giving, taking)
    if delete_source:
        source.delete_store(store_id)
    digest = hashlib.sha256("".join(digests).encode()).hexdigest()
    return Moved(len(files), chunks, vectors, already, digest)


def _copied(taking: Carrier, store: StoreRecord, given: CarriedFile) -> bool:
    """Copy a file and compare it; return whether it was there already."""
    wanted = given.digest()
    kept = taking.read_file(store.id, given.record.file_id)
    if kept is not None and kept.digest() == wanted:
        return True
    taking.write_file(store, given)
    kept = taking.read_file(store.id, given.record.file_id)
    if kept is None or kept.digest() != wanted:
        file = given.record
        raise StorageError(
            f"The copy of file {file.file_id} ({file.filename!r}) is not the same as the original. Nothing was "
            "deleted. If somebody is changing the store, copy it again later."
        )
    return False


def _check(store_id: str, source: VectorStorage, target: VectorStorage, giving: Carrier, taking: Carrier) -> None:
    """Compare the two stores as they are now: what they are called, how many files there are, and each one's record."""
    mine, other = source.get_store(store_id), target.get_store(store_id)
    if mine is None or other is None or replace(mine, last_active_at=0) != replace(other, last_active_at=0):
        raise _changed(store_id)
    if sorted(giving.batches(store_id), key=str) != sorted(taking.batches(store_id), key=str):
        raise _changed(store_id)
    if source.count_files(store_id) != target.count_files(store_id):
        raise _changed(store_id)
    records = [{file.file_id: replace(file, revision=0) for file in _files(one, store_id)} for one in (source, target)]
    if records[0] != records[1] or source.usage_bytes(store_id) != target.usage_bytes(store_id):
        raise _changed(store_id)


def _changed(store_id: str) -> StorageError:
    return StorageError(
        f"Vector store {store_id!r} was changed while it was being copied. Nothing was deleted. Copy it again, which "
        "takes what has changed."
    )


def _files(storage: VectorStorage, store_id: str) -> Iterator[FileRecord]:
    after = None
    while True:
        page = storage.list_files(store_id, Page(limit=_PAGE, after=after, ascending=True))
        yield from page[:_PAGE]
        if len(page) <= _PAGE:
            return
        after = page[_PAGE - 1].file_id


def _carrier(storage: VectorStorage) -> Carrier:
    from agentkit.local.vector_stores.embedded import EmbeddedStorage

    if isinstance(storage, EmbeddedStorage):
        from agentkit.local.vector_stores.embedded.carrying import EmbeddedCarrier

        return EmbeddedCarrier(storage)
    from agentkit.local.vector_stores.postgres import PostgresStorage

    if isinstance(storage, PostgresStorage):
        from agentkit.local.vector_stores.postgres.carrying import PostgresCarrier

        return PostgresCarrier(storage)
    raise StorageError(f"Stores of a {type(storage).__name__} can't be copied: it is none of agentkit's storages.")
