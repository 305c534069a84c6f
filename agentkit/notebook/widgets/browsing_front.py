"""The kernel's side of a widget that shows what may change by itself: what it is sent, and what it says."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.notebook.display.kept_digest import digest_of
from agentkit.notebook.display.text import clean

if TYPE_CHECKING:
    from agentkit.notebook.display.live import Channel
    from agentkit.notebook.display.run_view import Bundle

__all__ = ["BrowsingFront"]

_SEEN_S = 8.0
"""How long a widget counts as visible after it last said so. It says so every 3 seconds."""


class BrowsingFront(ABC):
    """Sends what is shown to the widget, and does what the reader wants.

    Messages to the front end are numbered by `n`, without gaps: one that misses a number asks for all by
    `{"kind": "ready"}`. While the widget can be seen, what is shown is followed. Lives on agentkit's loop thread, but
    for `says` and `close`.

    Args:
        channel: Where messages go.
        loop: agentkit's loop.
        kept: What the notebook keeps as it is shown first; None where that isn't known.
        on_kept: Called with what the notebook is to keep, in any thread.
    """

    def __init__(
        self,
        channel: Channel,
        loop: asyncio.AbstractEventLoop,
        *,
        kept: Bundle | None = None,
        on_kept: Callable[[Bundle], None] = lambda bundle: None,
    ) -> None:
        self._channel = channel
        self._loop = loop
        self._kept = kept
        self._on_kept = on_kept
        self._number = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._following: asyncio.Task[None] | None = None
        self._visible_until = 0.0
        self._closed = False

    @property
    def is_visible(self) -> bool:
        """Whether the widget can be seen, as far as is known."""
        return not self._closed and monotonic() < self._visible_until

    # -- from outside the loop's thread -------------------------------------------------------------------------------

    def says(self, message: dict[str, Any], buffers: Sequence[Any] = ()) -> None:
        """Take a message from the widget, in whatever thread it arrives."""
        data = [bytes(buffer) for buffer in buffers]
        self._loop.call_soon_threadsafe(self._receive, message, data)

    def close(self) -> None:
        """Do nothing any more."""
        self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._closed = True
        for task in self._tasks:
            if not self._outlasts(task):
                task.cancel()

    def _outlasts(self, task: asyncio.Task[None]) -> bool:
        """Tell whether something goes on though the widget is closed."""
        return False

    # -- from the front end -------------------------------------------------------------------------------------------

    def _receive(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        if self._closed:
            return
        try:
            if message.get("kind") == "alive":
                self._visible_until = monotonic() + _SEEN_S if message.get("visible") is True else 0.0
                self._follow_soon()
            else:
                self._take(message, buffers)
        except UserError as error:
            self._tell_error(error)

    @abstractmethod
    def _take(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        """Do what a message says.

        Raises:
            UserError: It can't be done; the reader is told.
        """

    @abstractmethod
    async def _follow(self) -> None:
        """Bring what is shown up to date for as long as it can be seen."""

    def _is_to_follow(self) -> bool:
        """Tell whether what is shown may change by itself."""
        return True

    def _follow_soon(self) -> None:
        if self.is_visible and self._is_to_follow() and (self._following is None or self._following.done()):
            self._following = self._start(self._follow)

    def _start(self, work: Callable[..., Coroutine[Any, Any, None]], *said: Any) -> asyncio.Task[None]:
        """Carry something out. Its errors are shown in the widget: no cell is there to raise them in."""
        task = self._loop.create_task(self._guarded(work, *said))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, work: Callable[..., Coroutine[Any, Any, None]], *said: Any) -> None:
        try:
            await work(*said)
        except Exception as error:  # nowhere else would it be seen
            self._tell_error(error)

    # -- to the front end ---------------------------------------------------------------------------------------------

    def tell(self, text: str) -> None:
        """Tell the reader something, such as an error."""
        self._send({"told": clean(text)})

    def _tell_error(self, error: Exception) -> None:
        self.tell(str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}")

    def _send_whole(self, whole: dict[str, Any]) -> None:
        """Send all that there is to show, and what the notebook keeps of it."""
        self._send({"all": whole} | ({} if self._kept is None else {"kept": digest_of(self._kept)}))

    def _keep_as(self, bundle: Bundle) -> None:
        """Have the notebook keep something, unless it does."""
        if bundle != self._kept and not self._closed:
            self._kept = bundle
            self._on_kept(bundle)
            self._send({"kept": digest_of(bundle)})

    def _send(self, content: dict[str, Any]) -> None:
        if not self._closed:
            self._channel.send({"n": self._number, **content})
            self._number += 1
