"""The worker that indexes: reads attached files, cuts them, keeps their passages, and then makes the vectors.

It is a thread that is there while there is work, one for each application. All files get their passages first, so that
words find them; the vectors follow. What a killed process was at is claimed anew by the next worker, in this process or
in another one: a file without passages is read again, a passage without vectors gets them. So does one that a process
without an embedder has kept, once a worker has one.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from agentkit._process import this_process
from agentkit.local.embedding.embedder import EmbedderAwayError, EmbedderError
from agentkit.local.errors import ApiError
from agentkit.local.files.store import FileStore
from agentkit.local.vector_stores.passages import Chunk
from agentkit.local.vector_stores.storage import FileRecord, StorageError

if TYPE_CHECKING:
    import numpy as np

    from agentkit.local.embedding.embedder import Embedder
    from agentkit.local.vector_stores.storage import VectorStorage

__all__ = ["Indexer"]

logger = logging.getLogger(__name__)

_FILES_AT_ONCE = 1
_CHUNKS_AT_ONCE = 16
"""Few, so that a stop is soon and files are completed one after the other."""
_PAUSE_S = 60.0
"""After vectors could not be made, until completed files that lack them are tried again."""
_THREAD_NAME = "agentkit-indexing"
_EXIT_S = 5.0

_at_work: weakref.WeakSet[Indexer] = weakref.WeakSet()


def _stop_at_exit() -> None:
    """Let workers come to a stop while the interpreter is whole: afterwards, native code must not run on."""
    for indexer in list(_at_work):
        indexer.stop(_EXIT_S)


class Indexer:
    """Indexes what waits in a storage.

    Args:
        storage: Gives the storage.
        embedder: Gives what makes vectors, or None.
        files: Where the files' bytes are.
        tidy: Called at the beginning of each stretch of work: removes what has expired.
    """

    def __init__(
        self,
        storage: Callable[[], VectorStorage],
        embedder: Callable[[], Embedder | None],
        files: FileStore,
        tidy: Callable[[], None],
    ) -> None:
        self._storage = storage
        self._embedder = embedder
        self._files = files
        self._tidy = tidy
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process = 0
        self._again = False
        self._stopping = False
        self._not_wanted_until = 0.0
        self._unsaid: list[tuple[FileRecord, str, str]] = []  # failures that the storage could not note yet

    def wake(self) -> None:
        """See to it that what waits is being indexed. Returns at once."""
        with self._lock:
            if self._process != os.getpid():  # a thread does not survive a fork
                self._thread, self._process = None, os.getpid()
            self._again = True
            if self._thread is None:
                self._stopping = False
                if not _at_work:
                    atexit.unregister(_stop_at_exit)  # not twice
                    atexit.register(_stop_at_exit)
                _at_work.add(self)
                self._thread = threading.Thread(target=self._run, name=_THREAD_NAME, daemon=True)
                self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop after the file or passages at hand; what is left goes on when somebody wakes the worker again."""
        with self._lock:
            self._stopping = True
            thread = self._thread if self._process == os.getpid() else None
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while self._goes_on():
                self._work()
        except Exception:  # the thread's last edge: what failed is tried anew when the worker is woken again
            logger.warning("indexing stopped", exc_info=True)
            with self._lock:
                self._thread = None

    def _goes_on(self) -> bool:
        with self._lock:
            if self._again and not self._stopping:
                self._again = False
                return True
            self._thread = None
            return False

    def _work(self) -> None:
        """Do all that is to be done. One process that the storage fails does not lose the others' work."""
        try:
            self._tidy()
            storage = self._storage()
            self._say_failures(storage)
            self._want_vectors(storage)
            while not self._stopping and (self._read_some(storage) or self._embed_some(storage)):
                pass
        except (StorageError, ApiError) as error:
            logger.debug("indexing is interrupted: %s", error)

    # -- files to passages --------------------------------------------------------------------------------------------

    def _read_some(self, storage: VectorStorage) -> bool:
        claimed = storage.claim(this_process(), limit=_FILES_AT_ONCE)
        for file in claimed:
            self._index(storage, file)
        return bool(claimed)

    def _index(self, storage: VectorStorage, file: FileRecord) -> None:
        from agentkit.local.parsing import Unreadable

        try:
            chunks, sha256 = self._read(file)
            needs_vectors = self._embedder() is not None
            storage.put_chunks(file, chunks, content_hash=sha256, needs_vectors=needs_vectors)
        except Unreadable as error:
            self._fail(storage, file, error.code, error.message)
        except (ApiError, StorageError, EmbedderError, OSError, MemoryError) as error:
            self._fail(storage, file, "server_error", _said(error))
        except Exception as error:  # readers of files from anywhere may raise anything
            logger.debug("%s can't be indexed", file.file_id, exc_info=True)
            message = f"'{file.filename}' could not be read: {type(error).__name__}: {error}"
            self._fail(storage, file, "server_error", message)

    def _read(self, file: FileRecord) -> tuple[list[Chunk], str]:
        from agentkit.local.chunking import cut
        from agentkit.local.parsing import Unreadable, parse

        entry = self._files.get(file.file_id)
        if entry is None:
            message = f"No such File object: {file.file_id}. It was deleted, has expired, or was never uploaded here."
            raise Unreadable("invalid_file", message)
        parsed = parse(entry.filename, self._files.checked_path(entry))
        return cut(parsed, file.chunking, name=entry.filename), entry.sha256

    # -- passages to vectors ------------------------------------------------------------------------------------------

    def _want_vectors(self, storage: VectorStorage) -> None:
        """Have what a process without an embedder has completed get its vectors too, where there is one now."""
        if time.monotonic() < self._not_wanted_until:
            return
        try:
            if (embedder := self._embedder()) is not None:
                storage.want_vectors(embedder.name)
        except Exception as error:  # new files go on, or say what is wrong
            logger.debug("completed files can't have vectors now: %s", error)

    def _embed_some(self, storage: VectorStorage) -> bool:
        embedder, failure = None, None
        try:
            embedder = self._embedder()
        except Exception as error:  # an embedder may be anybody's server, or a damaged model
            failure = error
        without = embedder is None and failure is None
        waiting = storage.claim_unembedded(this_process(), limit=_CHUNKS_AT_ONCE, without_embedder=without)
        if not waiting:
            return False
        keys = _keys_of(waiting)
        try:
            if failure is not None:
                raise failure
            if embedder is None:
                self._complete_without(storage, keys)
            else:
                self._embed_apart(storage, embedder, waiting)
        except Exception as error:
            self._fail_all(storage, keys, error)
        return True

    def _embed_apart(self, storage: VectorStorage, embedder: Embedder, waiting: Sequence[tuple[int, str, str]]) -> None:
        """Make vectors of passages together; if that fails, file by file, so that none fails for another's sake."""
        try:
            self._embed(storage, embedder, waiting)
            return
        except EmbedderAwayError:
            raise
        except Exception:
            files = {
                key: (file.store_id, file.file_id) for key, (file, _) in storage.read_chunks(_keys_of(waiting)).items()
            }
            if len(set(files.values())) < 2:
                raise
        for name in dict.fromkeys(files.values()):
            some = [one for one in waiting if files.get(one[0]) == name]
            try:
                self._embed(storage, embedder, some)
            except EmbedderAwayError:
                raise
            except Exception as error:
                self._fail_all(storage, _keys_of(some), error)

    def _fail_all(self, storage: VectorStorage, keys: Sequence[int], error: Exception) -> None:
        """Note that the files of passages have failed; those that are completed go without vectors for now."""
        logger.debug("vectors can't be made", exc_info=error)
        self._not_wanted_until = time.monotonic() + _PAUSE_S
        for file in _files_of(storage, keys):
            self._fail(storage, file, "server_error", _said(error))

    def _embed(self, storage: VectorStorage, embedder: Embedder, waiting: Sequence[tuple[int, str, str]]) -> None:
        windows = [embedder.windows(text) for _, _, text in waiting]
        vectors = embedder.embed([window for some in windows for window in some])
        by_store: dict[str, list[tuple[int, np.ndarray]]] = {}
        start = 0
        for (key, store_id, _), some in zip(waiting, windows, strict=True):
            by_store.setdefault(store_id, []).append((key, vectors[start : start + len(some)]))
            start += len(some)
        for store_id, made in by_store.items():
            storage.put_vectors(store_id, embedder.name, made)

    def _complete_without(self, storage: VectorStorage, keys: Sequence[int]) -> None:
        """Complete files whose passages wait for vectors in a store that has none, now that there is no embedder."""
        for file in _files_of(storage, keys):
            chunks = storage.file_chunks(file.store_id, file.file_id)
            storage.put_chunks(file, chunks, content_hash=file.content_hash or "", needs_vectors=False)

    # -- failures -----------------------------------------------------------------------------------------------------

    def _fail(self, storage: VectorStorage, file: FileRecord, code: str, message: str) -> None:
        try:
            storage.fail_file(file, code, message)
        except StorageError:  # a full disk takes no note of it either: noted when the worker is woken again
            self._unsaid.append((file, code, message))

    def _say_failures(self, storage: VectorStorage) -> None:
        unsaid, self._unsaid = self._unsaid, []
        for position, (file, code, message) in enumerate(unsaid):
            try:
                storage.fail_file(file, code, message)
            except StorageError:
                self._unsaid = unsaid[position:]
                raise


def _keys_of(passages: Sequence[tuple[int, str, str]]) -> list[int]:
    return [key for key, _, _ in passages]


def _files_of(storage: VectorStorage, keys: Sequence[int]) -> list[FileRecord]:
    return list({file.revision: file for file, _ in storage.read_chunks(keys).values()}.values())


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__
