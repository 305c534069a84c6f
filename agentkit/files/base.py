"""What is known of a store, and the platform that it is on: what all its parts build on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from agentkit.backend import Backend
from agentkit.files import opening
from agentkit.files.opening import StoreInfo
from agentkit.runtime.background import run_blocking

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["StoreBase"]


class StoreBase:
    """A store of a platform.

    Attributes and properties tell what was known when it was last looked at; `refresh` looks anew.
    """

    _backend: Backend
    _info: StoreInfo

    @classmethod
    def _of(cls, backend: Backend, info: StoreInfo) -> Self:
        made = object.__new__(cls)
        made._backend, made._info = backend, info
        return made

    @property
    def id(self) -> str:
        """Its id: "vs_…"."""
        return self._info.id

    @property
    def vector_store_id(self) -> str:
        """Its id, by the name under which tools ask for it."""
        return self._info.id

    @property
    def name(self) -> str:
        """What it is called."""
        return self._info.name

    @property
    def info(self) -> StoreInfo:
        """All that the platform told of it when it was last looked at: counts of files, room, times, metadata."""
        return self._info

    @property
    def status(self) -> opening.StoreStatus:
        """Whether it is "completed", "in_progress" or "expired", as of the last look: see `refresh`."""
        return self._info.status

    @property
    def metadata(self) -> dict[str, str]:
        """Its metadata."""
        return dict(self._info.metadata)

    @property
    def expires_at(self) -> datetime | None:
        """When it expires, if it isn't used before; None for never."""
        at = self._info.expires_at
        return None if at is None else datetime.fromtimestamp(at, UTC)

    @property
    def client(self) -> AsyncOpenAI:
        """The client that it asks, for the running event loop."""
        return self._backend.client

    def __len__(self) -> int:
        """Its files, whatever their status, as of the last look."""
        return self._info.total

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        info = self._info
        told = [f"{info.total:,} file{'' if info.total == 1 else 's'}"]
        told += [f"{info.in_progress:,} in progress"] if info.in_progress else []
        told += [f"{info.failed:,} failed"] if info.failed else []
        told += ["expired"] if info.status == "expired" else []
        return f"{type(self).__name__}({self.name!r}, {', '.join(told)})"

    def refresh(self) -> Self:
        """Look at it anew, and return it."""
        return run_blocking(self.arefresh())

    async def arefresh(self) -> Self:
        """Look at it anew, and return it, for async code."""
        self._info = await opening.looked_at(self.client, self.id)
        return self
