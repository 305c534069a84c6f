"""`agentkit.VectorStore`: files that can be searched, on whatever platform is connected."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit._repr import brief
from agentkit.backend import Backend, current_backend
from agentkit.exceptions import UserError
from agentkit.files import opening
from agentkit.files.filling import FilledStore
from agentkit.files.judging import JudgedStore
from agentkit.files.opening import KEEP, Keep, StoreInfo
from agentkit.runtime.background import run_blocking

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["VectorStore"]

Stores = list["VectorStore"]
"""What `VectorStore.list` returns: within the class that name means the method."""


class VectorStore(FilledStore, JudgedStore):
    """Files that can be searched, and that an agent can be given: `Agent(tools=[store])`.

    It opens the store of that name on the platform that is connected, or makes it where there is none.

    Args:
        name: Its name, or the id ("vs_…") of one that there is.
        client: Whom to ask; the connected platform when None.

    Raises:
        UserError: There is no store of that id, or the platform has none at all.
    """

    def __init__(self, name: str, *, client: AsyncOpenAI | None = None) -> None:
        self._backend = _backend(client)

        async def open_or_make() -> tuple[StoreInfo, int]:
            return await opening.opened_or_made(self._backend.client, name)

        self._info, count = run_blocking(open_or_make())
        _tell_of_several(name, count, frames=4)

    # Made and found

    @classmethod
    @called_as("VectorStore.create")
    def create(
        cls,
        name: str,
        *,
        description: str | None = None,
        metadata: Mapping[str, str] | None = None,
        expires_after_days: int | None = None,
        client: AsyncOpenAI | None = None,
    ) -> VectorStore:
        """Return a new store, even where there is one of that name.

        Args:
            name: What it is called.
            description: What is in it.
            metadata: At most 16 texts by keys, for what you like.
            expires_after_days: Days without use after which it is gone, 1 to 365; None for never.
            client: Whom to ask; the connected platform when None.

        Raises:
            UserError: A value can't be used.
        """
        return run_blocking(
            cls.acreate(
                name, description=description, metadata=metadata, expires_after_days=expires_after_days, client=client
            )
        )

    @classmethod
    @called_as("VectorStore.acreate")
    async def acreate(
        cls,
        name: str,
        *,
        description: str | None = None,
        metadata: Mapping[str, str] | None = None,
        expires_after_days: int | None = None,
        client: AsyncOpenAI | None = None,
    ) -> VectorStore:
        """Return a new store, for async code. Arguments and errors as for `create`."""
        backend = _backend(client)
        info = await opening.created(
            backend.client, name, description=description, metadata=metadata, expires_after_days=expires_after_days
        )
        return cls._of(backend, info)

    @classmethod
    @called_as("VectorStore.open")
    def open(cls, name: str, *, client: AsyncOpenAI | None = None) -> VectorStore:
        """Return a store that there is.

        Args:
            name: Its name or id. Of several stores of a name it is the newest; a warning says so.
            client: Whom to ask; the connected platform when None.

        Raises:
            UserError: There is none, or it has expired.
        """
        return _opened(cls, *run_blocking(_find(_backend(client), name)), name, frames=5)

    @classmethod
    @called_as("VectorStore.aopen")
    async def aopen(cls, name: str, *, client: AsyncOpenAI | None = None) -> VectorStore:
        """Return a store that there is, for async code. Arguments and errors as for `open`."""
        return _opened(cls, *await _find(_backend(client), name), name, frames=4)

    @classmethod
    @called_as("VectorStore.list")
    def list(cls, *, client: AsyncOpenAI | None = None) -> Stores:
        """Return all stores of the platform, newest first.

        Args:
            client: Whom to ask; the connected platform when None.
        """
        backend = _backend(client)

        async def look() -> Sequence[StoreInfo]:
            return await opening.listed(backend.client)

        return [cls._of(backend, info) for info in run_blocking(look())]

    @called_as("store.update")
    def update(
        self,
        *,
        name: str | Keep = KEEP,
        metadata: Mapping[str, str] | Keep | None = KEEP,
        expires_after_days: int | Keep | None = KEEP,
    ) -> VectorStore:
        """Change what it is called, its metadata, or when it expires, and return it.

        Args:
            name: Another name.
            metadata: Other metadata, in place of all there is; None for none.
            expires_after_days: Days without use after which it is gone, 1 to 365; None for never.

        Raises:
            UserError: A value can't be used.
        """

        async def change() -> StoreInfo:
            return await opening.changed(
                self.client, self.id, name=name, metadata=metadata, expires_after_days=expires_after_days
            )

        self._info = run_blocking(change())
        return self

    def browse(self) -> Any:  # a StoreBrowser, of a layer above
        """Open the store in a cell: drop files on it, watch them being indexed, search, and delete files.

        See `agentkit.notebook.store_browser.browse`.
        """
        from importlib import import_module

        return import_module("agentkit.notebook.store_browser").browse(self)

    @called_as("store.delete")
    def delete(self, *, files: bool = True) -> None:
        """Delete the store.

        Args:
            files: Whether to delete the files, too, that agentkit has uploaded for it. Others stay.
        """
        run_blocking(self.adelete(files=files))

    @called_as("store.adelete")
    async def adelete(self, *, files: bool = True) -> None:
        """Delete the store, for async code. Arguments as for `delete`."""
        if not isinstance(files, bool):
            raise UserError(f"files has to be True or False, not {brief(files)}.", hint="Nothing was deleted.")
        await opening.deleted(self.client, self.id, files=files)


VectorStore.__init__ = called_as("VectorStore")(VectorStore.__init__)  # type: ignore[method-assign]


def _backend(client: AsyncOpenAI | None) -> Backend:
    return current_backend() if client is None else Backend.for_client(client)


async def _find(backend: Backend, name: str) -> tuple[Backend, StoreInfo, int]:
    info, count = await opening.found(backend.client, name)
    if info is None:
        raise UserError(f"There is no vector store {brief(name)}.")
    return backend, info, count


def _opened(
    kind: type[VectorStore], backend: Backend, info: StoreInfo, count: int, name: str, *, frames: int
) -> VectorStore:
    _tell_of_several(name, count, frames=frames)
    return kind._of(backend, info)


def _tell_of_several(name: str, count: int, *, frames: int) -> None:
    """Warn where there are more stores of a name, at the line of the caller, so many frames away."""
    if count > 1:
        text = f"{count} vector stores are called {brief(name)}; this is the newest. Others are opened by their ids."
        warnings.warn(text, stacklevel=frames)
