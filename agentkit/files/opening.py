"""Vector stores of a platform: made, found by name or id, and described."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.files.checks import check_sendable, checked_metadata
from agentkit.files.errors import platform_errors
from agentkit.files.listing import StoreFile, bounded, each_once, store_files

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = [
    "BORROWING",
    "KEEP",
    "Keep",
    "StoreInfo",
    "changed",
    "created",
    "deleted",
    "found",
    "listed",
    "looked_at",
    "opened_or_made",
]

StoreStatus = Literal["in_progress", "completed", "expired"]


class Keep:
    """Stands for a value that isn't to be changed, as None takes it away."""

    def __repr__(self) -> str:
        return "KEEP"


KEEP: Final = Keep()
BORROWING: Final = {"agentkit_files": "borrowed"}
"""Metadata of a store whose files are another store's: they are not deleted with it."""
_AT_ONCE_S: Final = 10
"""Stores of a name that were made within so many seconds were made at once, by processes that saw none."""
_PAUSE_S, _LOOKS = 0.3, 2
"""How long, and how often, it is waited for one of these to be taken back."""
_LIST_HINT: Final = "agentkit.VectorStore.list() returns those there are."


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What the platform tells of a store."""

    id: str
    """Its id: "vs_…"."""
    name: str
    status: StoreStatus
    """Whether its files are ready; an expired one can't be searched."""
    created_at: int
    """In seconds since 1970, as all times."""
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    usage_bytes: int = 0
    """Room that it takes."""
    last_active_at: int | None = None
    """When it was used last."""
    expires_after_days: int | None = None
    """After how many days without use it expires; None for never."""
    expires_at: int | None = None
    in_progress: int = 0
    """Files that are being indexed."""
    completed: int = 0
    """Files that are ready."""
    failed: int = 0
    """Files that could not be indexed."""
    cancelled: int = 0
    """Files whose indexing was stopped."""
    embedder: str | None = None
    """What makes the vectors by which passages are ranked by meaning, where the platform tells."""
    why_words_only: str = ""
    """Why passages are found by their words alone, and what to do; "" where they aren't, or the platform is silent."""

    @property
    def total(self) -> int:
        """All its files."""
        return self.in_progress + self.completed + self.failed + self.cancelled


def _info(told: Any) -> StoreInfo:  # the client's VectorStore
    counts = told.file_counts
    expires = told.expires_after
    return StoreInfo(
        told.id, told.name or "", told.status, int(told.created_at), getattr(told, "description", None) or None,
        dict(told.metadata or {}), int(told.usage_bytes or 0), told.last_active_at,
        expires.days if expires is not None else None, told.expires_at, counts.in_progress, counts.completed,
        counts.failed, counts.cancelled, *_ranking(getattr(told, "agentkit", None)),
    )  # fmt: skip


def _ranking(told: Any) -> tuple[str | None, str]:  # what the embedded platform adds
    found = told if isinstance(told, Mapping) else {}
    embedder, why = found.get("embedder"), found.get("why_words_only")
    return embedder if isinstance(embedder, str) else None, why if isinstance(why, str) else ""


async def created(
    client: AsyncOpenAI,
    name: str,
    *,
    description: str | None,
    metadata: Mapping[str, str] | None,
    expires_after_days: int | None,
) -> StoreInfo:
    """Make a store.

    Raises:
        UserError: A value can't be used.
    """
    _check_name(name)
    given: dict[str, Any] = {"description": description} if description is not None else {}
    if metadata is not None:
        given["metadata"] = checked_metadata(metadata)
    if expires_after_days is not None:
        given["expires_after"] = _expires(expires_after_days)
    with platform_errors(client, f"Making the vector store {brief(name)}", names_one=False):
        return _info(await client.vector_stores.create(name=name, **given))


async def changed(
    client: AsyncOpenAI,
    store_id: str,
    *,
    name: str | Keep,
    metadata: Mapping[str, str] | Keep | None,
    expires_after_days: int | Keep | None,
) -> StoreInfo:
    """Change a store. Arguments that are `KEEP` stay as they are.

    Raises:
        UserError: A value can't be used, or there is no such store.
    """
    given: dict[str, Any] = {}
    if not isinstance(name, Keep):
        _check_name(name)
        given["name"] = name
    if not isinstance(metadata, Keep):
        given["metadata"] = {} if metadata is None else checked_metadata(metadata)
    if not isinstance(expires_after_days, Keep):
        given["expires_after"] = None if expires_after_days is None else _expires(expires_after_days)
    with platform_errors(client, f"Changing the vector store {store_id!r}", hint=_LIST_HINT):
        return _info(await client.vector_stores.update(store_id, **given))


async def looked_at(client: AsyncOpenAI, store_id: str) -> StoreInfo:
    """Return what the platform tells of a store now.

    Raises:
        UserError: There is no such store.
    """
    with platform_errors(client, f"Opening the vector store {store_id!r}", hint=_LIST_HINT):
        return _info(await client.vector_stores.retrieve(store_id))


async def listed(client: AsyncOpenAI) -> list[StoreInfo]:
    """Return all stores, newest first."""
    with platform_errors(client, "Listing the vector stores", names_one=False):
        return [_info(told) async for told in each_once(client.vector_stores.list(limit=100, order="desc"))]


async def found(client: AsyncOpenAI, name: str, *, or_none: bool = False) -> tuple[StoreInfo | None, int]:
    """Return the store of a name or id, and how many have that name; of several the newest.

    Args:
        client: Whom to ask.
        name: The name, or "vs_…".
        or_none: Whether None is returned where there is none of the name, or only expired ones.

    Raises:
        UserError: There is none.
    """
    if not isinstance(name, str) or not name.strip():
        raise UserError(f"A vector store is opened by its name or id, not by {brief(name)}.", hint=_LIST_HINT)
    if name.startswith("vs_"):
        return await looked_at(client, name), 1
    everything = await listed(client)
    named = [store for store in everything if name in (store.name, store.id)]
    alive = [store for store in named if store.status != "expired"]
    if alive:
        return alive[0], len(alive)
    if or_none:
        return None, 0
    if named:
        text = f"The vector store {brief(name)} has expired: it was not used for {named[0].expires_after_days} days."
        raise UserError(text, hint=f"Make it anew: agentkit.VectorStore.create({brief(name)}).")
    near = difflib.get_close_matches(name, {store.name for store in everything}, n=2, cutoff=0.5)
    meant = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise UserError(
        f"There is no vector store {brief(name)}.{meant}",
        hint=f"agentkit.VectorStore({brief(name)}) makes it. {_LIST_HINT}",
    )


async def opened_or_made(client: AsyncOpenAI, name: str) -> tuple[StoreInfo, int]:
    """Return the store of a name or id, made where there is none of that name, and how many have it.

    Of several processes that make one at once, all take the one that was made first, and the others take theirs back.

    Raises:
        UserError: There is none of an id, or the name can't be used.
    """
    info, count = await found(client, name, or_none=True)
    for _ in range(_LOOKS):
        if info is None or count == 1 or info.total or abs(time.time() - info.created_at) > _AT_ONCE_S:
            break
        await asyncio.sleep(_PAUSE_S)  # it may be another's, which is about to be taken back
        info, count = await found(client, name, or_none=True)
    if info is not None:
        return info, count
    made = await created(client, name, description=None, metadata=None, expires_after_days=None)
    first = _first([each for each in await listed(client) if each.name == made.name], made)
    if first.id != made.id:
        with contextlib.suppress(UserError):  # gone already
            if (await looked_at(client, made.id)).total == 0:
                await deleted(client, made.id, files=False)
    return first, 1


def _first(named: Sequence[StoreInfo], made: StoreInfo) -> StoreInfo:
    """Return which of the stores of a name that were made at once was first: `made`, or another's.

    A platform tells the time in seconds, and lists stores newest first: of one second that says which was first, as ids
    don't. Who made the first may have looked before there was another, so nobody may choose by less.
    """
    at_once = [
        store for store in named if store.status != "expired" and abs(store.created_at - made.created_at) <= _AT_ONCE_S
    ]
    return min(reversed(at_once), key=lambda store: store.created_at, default=made)


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name.strip():
        raise UserError(f"A vector store's name has to be a text, not {brief(name)}.", hint='VectorStore("handbook").')
    check_sendable("A vector store's name", name)


def _expires(days: Any) -> dict[str, Any]:
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 365:
        raise UserError(f"expires_after_days can't be {days!r}.", hint="It is 1 to 365, or None for never.")
    return {"anchor": "last_active_at", "days": days}


async def deleted(client: AsyncOpenAI, store_id: str, *, files: bool) -> None:
    """Delete a store, and before it the files that agentkit has uploaded for it if they are to be deleted, too."""
    import openai

    if files and not (await looked_at(client, store_id)).metadata.items() >= BORROWING.items():
        mine = [file for file in await store_files(client, store_id) if file.source is not None]

        async def delete(file: StoreFile) -> None:
            with contextlib.suppress(openai.NotFoundError):
                await client.files.delete(file.id)

        with platform_errors(client, f"Deleting the files of {store_id!r}"):
            await bounded(delete, mine, 8)
    with platform_errors(client, f"Deleting the vector store {store_id!r}", hint=_LIST_HINT):
        await client.vector_stores.delete(store_id)
