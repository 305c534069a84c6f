"""What is in a store, read from the platform page by page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from agentkit.files.attributes import Attributes, Source, own_attributes, source_of
from agentkit.files.errors import gone_store, platform_errors

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["Status", "StoreFile", "bounded", "each_once", "newer_files", "store_file", "store_files", "with_filenames"]

T = TypeVar("T")
Status = Literal["in_progress", "completed", "cancelled", "failed"]

_PAGE: Final = 100
_ASKED_ONE_BY_ONE: Final = 50
_CONCURRENCY: Final = 8


@dataclass(frozen=True, slots=True)
class StoreFile:
    """A file in a store."""

    id: str
    """Its id: "file-…"."""
    filename: str
    """What it is called; "" where the platform hasn't been asked."""
    status: Status
    """Whether it can be found."""
    error: str | None
    """Why it failed."""
    error_code: str | None
    """What the platform calls that: "invalid_file", "unsupported_file" or "server_error"."""
    usage_bytes: int
    """Room that its passages and vectors take."""
    created_at: int
    """When it was put into the store, in seconds since 1970."""
    attributes: Attributes
    """What is known of it, without the one that agentkit keeps."""
    source: Source | None
    """Where agentkit had it from; None for files that it hasn't added."""
    chunk_tokens: int | None
    """Most tokens of a passage, where the platform tells."""
    overlap_tokens: int | None
    """Tokens that passages share, where the platform tells."""

    @property
    def name(self) -> str:
        """By what it is known: its path, address or name where agentkit added it, or else its file name."""
        return self.source.name if self.source is not None else self.filename


def store_file(told: Any) -> StoreFile:
    """Return a file of a store as the client tells of it.

    Args:
        told: The client's `VectorStoreFile`; a file name that it may have beside the documented fields is taken.
    """
    attributes = dict(told.attributes or {})
    source = source_of(attributes)
    filename = getattr(told, "filename", None)
    if not isinstance(filename, str):
        filename = ""
    static = getattr(told.chunking_strategy, "static", None)
    error = told.last_error
    return StoreFile(
        told.id, filename, told.status, error.message if error else None, error.code if error else None,
        int(told.usage_bytes or 0), int(told.created_at or 0), own_attributes(attributes), source,
        getattr(static, "max_chunk_size_tokens", None), getattr(static, "chunk_overlap_tokens", None),
    )  # fmt: skip


async def each_once(items: AsyncIterator[Any] | Any) -> AsyncIterator[Any]:
    """Yield what is listed until something comes again: of a server that says "more" for ever, all there is."""
    seen: set[str] = set()
    async for item in items:
        if item.id in seen:
            return
        seen.add(item.id)
        yield item


async def store_files(
    client: AsyncOpenAI, store_id: str, *, status: Status | None = None, store: str = ""
) -> list[StoreFile]:
    """Return the files of a store, oldest first.

    Args:
        client: Whom to ask.
        store_id: The store.
        status: Only those of this status.
        store: Name of the store, for the error where it is gone; the platform's own words when "".

    Raises:
        UserError: There is no such store.
    """
    missing = gone_store(store, store_id) if store else ""
    options: dict[str, Any] = {"filter": status} if status else {}
    with platform_errors(client, f"Listing the files of {store_id}", missing=missing):
        listed = client.vector_stores.files.list(store_id, limit=_PAGE, order="asc", **options)
        return [store_file(told) async for told in each_once(listed)]


async def newer_files(client: AsyncOpenAI, store_id: str, seen: Container[str]) -> list[StoreFile]:
    """Return the files of a store, newest first, up to the first whose id was seen before."""
    found: list[StoreFile] = []
    with platform_errors(client, f"Listing the files of {store_id}"):
        async for told in each_once(client.vector_stores.files.list(store_id, limit=_PAGE, order="desc")):
            if told.id in seen:
                break
            found.append(store_file(told))
    return found


async def with_filenames(client: AsyncOpenAI, files: Sequence[StoreFile]) -> list[StoreFile]:
    """Return files with their names, which the platform keeps apart from the store."""
    from dataclasses import replace

    missing = [file.id for file in files if not file.filename]
    if not missing:
        return list(files)
    names = await _filenames(client, missing)
    return [file if file.filename else replace(file, filename=names.get(file.id, "")) for file in files]


async def _filenames(client: AsyncOpenAI, ids: Sequence[str]) -> dict[str, str]:
    import openai

    names: dict[str, str] = {}
    with platform_errors(client, "Looking up the names of files"):
        if len(ids) > _ASKED_ONE_BY_ONE:
            wanted = set(ids)
            async for file in each_once(client.files.list(purpose="assistants", limit=10_000)):
                if file.id in wanted:
                    names[file.id] = file.filename
                    if len(names) == len(wanted):
                        return names

        async def ask(file_id: str) -> None:
            try:
                names[file_id] = (await client.files.retrieve(file_id)).filename
            except openai.NotFoundError:  # deleted, while the store still lists it
                names[file_id] = ""

        await bounded(ask, [each for each in ids if each not in names], _CONCURRENCY)
    return names


async def bounded(do: Callable[[T], Awaitable[object]], things: Iterable[T], at_once: int) -> None:
    """Do something with each thing, so many at a time; the first error ends it."""
    waiting = iter(list(things))

    async def work() -> None:
        for thing in waiting:
            await do(thing)

    tasks = [asyncio.ensure_future(work()) for _ in range(at_once)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
