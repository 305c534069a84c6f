"""Files that are given to a store by the batch, and waited for."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agentkit.exceptions import UserError
from agentkit.files.attributes import Attributes
from agentkit.files.details import ASK_FOR_DETAILS, BatchDetails, batch_details_of
from agentkit.files.errors import platform_errors, reason_of
from agentkit.files.listing import StoreFile, each_once, store_file

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["MOST_IN_A_BATCH", "Attached", "Indexing", "chunking_json"]

MOST_IN_A_BATCH: Final = 2000
"""Files that the API takes in one request."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.03, 3.0


@dataclass(frozen=True, slots=True)
class Attached:
    """An uploaded file that is to be in the store."""

    file_id: str
    """Its id."""
    attributes: Attributes
    """Its attributes, agentkit's among them."""


Settled = Callable[[str, StoreFile | None, str], object]
"""Told of a file that is ready or failed: its id, the file where the platform tells of it, and why it failed."""
Counted = Callable[[str, int, BatchDetails], object]
"""Told of a batch: its id, how many of its files are ready or failed, and how far the others are, where known."""


def chunking_json(chunk_tokens: int | None, overlap_tokens: int | None) -> dict[str, Any] | None:
    """Return how files are cut, as the API takes it; None where that is left to the platform.

    Args:
        chunk_tokens: Most tokens of a passage, 100 to 4,096; the platform's 800 when None.
        overlap_tokens: Tokens that passages share, at most half of that; half when None.

    Raises:
        UserError: A number is out of its range.
    """
    if chunk_tokens is None and overlap_tokens is None:
        return None
    size = 800 if chunk_tokens is None else chunk_tokens
    if isinstance(size, bool) or not isinstance(size, int) or not 100 <= size <= 4096:
        raise UserError(f"chunk_tokens can't be {size!r}.", hint="It is 100 to 4096.")
    shared = size // 2 if overlap_tokens is None else overlap_tokens
    if isinstance(shared, bool) or not isinstance(shared, int) or not 0 <= shared <= size // 2:
        raise UserError(f"overlap_tokens can't be {shared!r}.", hint=f"It is 0 to {size // 2}, half of chunk_tokens.")
    return {"type": "static", "static": {"max_chunk_size_tokens": size, "chunk_overlap_tokens": shared}}


class _Patience:
    """When to look again, a little later each time, and whether nothing has happened for too long."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._pause_s = _FIRST_PAUSE_S
        self.renew()

    def renew(self) -> None:
        """Note that something has happened."""
        self._moved_at = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether nothing has happened for too long."""
        return time.monotonic() - self._moved_at > self._patience_s

    async def rest(self) -> None:
        """Wait until it is time to look again."""
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(self._pause_s * 1.4, _LONGEST_PAUSE_S)


class Indexing:
    """Gives files to a store and waits until they are ready.

    Args:
        client: Whom to ask.
        store_id: The store.
        chunking: How the files are cut, as the API takes it; None leaves that to the platform.
        patience_s: Seconds in which something has to become ready for the waiting to go on: a file, or a part of one
            where the platform tells of these.
        settled: Told of each file once it is ready or failed.
        counted: Told how far a batch is, whenever it has come further.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        store_id: str,
        *,
        chunking: Mapping[str, Any] | None = None,
        patience_s: float = 0,
        settled: Settled = lambda *_: None,
        counted: Counted = lambda *_: None,
    ) -> None:
        self._client = client
        self._store_id = store_id
        self._chunking = chunking
        self._patience_s = patience_s
        self._settled = settled
        self._counted = counted

    async def attach(self, files: Sequence[Attached]) -> list[tuple[str, list[str]]]:
        """Give files to the store, and return the batches that were made of them: the id of each, and its files'.

        Of a batch that is refused as a whole, each file is tried by itself, so that one alone fails.

        Raises:
            UserError: There is no such store.
        """
        ids = [file.file_id for file in files]
        try:
            with platform_errors(self._client, f"Putting {len(files):,} files into {self._store_id}"):
                return [((await self._batch(files)).id, ids)]
        except UserError as error:
            if len(files) == 1:
                self._settled(ids[0], None, reason_of(error))
                return []
        with platform_errors(self._client, f"Looking at {self._store_id}"):
            await self._client.vector_stores.retrieve(self._store_id)
        half = len(files) // 2
        return [*await self.attach(files[:half]), *await self.attach(files[half:])]

    async def _batch(self, files: Sequence[Attached]) -> Any:  # the client's VectorStoreFileBatch
        chunking = {"chunking_strategy": self._chunking} if self._chunking else {}
        told: Any = [{"file_id": file.file_id, "attributes": file.attributes} | chunking for file in files]
        return await self._client.vector_stores.file_batches.create(self._store_id, files=told)

    async def watch(self, batch_id: str, ids: Sequence[str]) -> None:
        """Wait until the files of a batch are ready or failed, and tell of each; or until nothing happens any more."""
        told: set[str] = set()
        wanted = frozenset(ids)
        failed, done, before = 0, 0, BatchDetails()
        patience = _Patience(self._patience_s)
        while True:
            with platform_errors(self._client, f"Waiting for {batch_id}"):
                batch = await self._client.vector_stores.file_batches.retrieve(
                    batch_id, vector_store_id=self._store_id, extra_headers=ASK_FOR_DETAILS
                )
            counts, details = batch.file_counts, batch_details_of(batch)
            over = counts.completed + counts.failed + counts.cancelled
            if over > done or details != before:
                done, before = over, details
                patience.renew()
                self._counted(batch_id, over, details)
            if batch.status != "in_progress" or over >= len(wanted):
                break
            if counts.failed > failed:
                failed = counts.failed
                await self._tell(batch_id, told, wanted, only_failed=True)
            if patience.is_over:
                break
            await patience.rest()
        await self._tell(batch_id, told, wanted)
        self._counted(batch_id, len(told), before)

    async def _tell(self, batch_id: str, told: set[str], wanted: frozenset[str], *, only_failed: bool = False) -> None:
        options: dict[str, Any] = {"filter": "failed"} if only_failed else {}
        with platform_errors(self._client, f"Listing the files of {batch_id}"):
            listed = self._client.vector_stores.file_batches.list_files(
                batch_id, vector_store_id=self._store_id, limit=100, **options
            )
            files = [store_file(each) async for each in each_once(listed)]
        for file in files:
            if file.id in wanted and file.id not in told and file.status != "in_progress":
                told.add(file.id)
                why = "" if file.status == "completed" else file.error or f"The platform says {file.status!r}."
                self._settled(file.id, file, why)

    async def wait_for_store(self, left_now: Callable[[int], object] = lambda _: None) -> bool:
        """Wait until no file of the store is in progress, and return whether none is.

        Args:
            left_now: Told how many are, whenever that has changed.
        """
        patience, before = _Patience(self._patience_s), -1
        while True:
            with platform_errors(self._client, f"Looking at {self._store_id}"):
                left = (await self._client.vector_stores.retrieve(self._store_id)).file_counts.in_progress
            if left != before:
                before = left
                patience.renew()
                left_now(left)
            if left == 0 or patience.is_over:
                return left == 0
            await patience.rest()

    async def wait_for(self, file_ids: Iterable[str]) -> None:
        """Wait until files are no longer in progress: ready, failed or gone; or until nothing happens any more."""
        for file_id in file_ids:
            patience = _Patience(self._patience_s)
            while await self._is_in_progress(file_id):
                if patience.is_over:
                    return
                await patience.rest()

    async def _is_in_progress(self, file_id: str) -> bool:
        import openai

        with platform_errors(self._client, f"Waiting for {file_id}"):
            try:
                file = await self._client.vector_stores.files.retrieve(file_id, vector_store_id=self._store_id)
            except openai.NotFoundError:
                return False
        return file.status == "in_progress"

    async def take_out(self, file_id: str, *, delete: bool) -> None:
        """Take a file out of the store, and delete it if that is wanted. What is gone already is no error."""
        import openai

        with platform_errors(self._client, f"Removing {file_id} from {self._store_id}"):
            with contextlib.suppress(openai.NotFoundError):
                await self._client.vector_stores.files.delete(file_id, vector_store_id=self._store_id)
            if delete:
                with contextlib.suppress(openai.NotFoundError):
                    await self._client.files.delete(file_id)
