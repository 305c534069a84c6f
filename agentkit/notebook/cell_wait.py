"""How a cell waits for what goes on in agentkit's loop thread, and how that is stopped."""

from __future__ import annotations

import asyncio
import concurrent.futures
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from agentkit.tooling.callers_thread import CallersThread

__all__ = ["CellWait", "Work", "was_stopped"]

T = TypeVar("T")

_WAKE_S = 0.05
"""How often a waiting cell wakes. An interrupt does not wake the kernel's loop by itself (ipykernel #881)."""

_GRACE_S = 1.0
"""Time that stopped work has to tidy up before the cell goes on without it."""


class Work(ABC, Generic[T]):
    """What a cell may wait for. It is done once, on agentkit's loop thread."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._stopped = False

    @abstractmethod
    async def _carry_out(self) -> T:
        """Do it, and return what comes of it."""

    async def run(self) -> T:
        """Do it, and return what comes of it.

        Raises:
            CancelledError: It was stopped.
            Exception: It failed.
        """
        self._task = asyncio.current_task()
        if self._stopped:
            raise asyncio.CancelledError
        return await self._carry_out()

    def stop(self) -> None:
        """Stop it, from any thread; also before it has begun."""
        from agentkit.runtime.background import background_loop

        self._stopped = True
        background_loop().call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


class CellWait:
    """A cell's wait for work. Its thread is lent to the work meanwhile: sync tools and prompts are called in it.

    How the work fails is returned, since the cell first shows what was done until then.

    Args:
        work: What it waits for.
    """

    def __init__(self, work: Work[Any]) -> None:
        self._work = work
        self._lent: CallersThread | None = None

    def block(self, pump: Callable[[], None]) -> BaseException | None:
        """Do the work, and block until it is over.

        Args:
            pump: Called in the cell's thread every 50 ms.
        """
        from agentkit.runtime.background import run_blocking
        from agentkit.tooling.callers_thread import WaitingThread

        self._lent = waiting = WaitingThread()
        try:
            run_blocking(self._work.run(), while_waiting=pump, waiting=waiting, grace_s=_GRACE_S)
        except BaseException as error:
            return error
        return None

    async def in_loop(self, pump: Callable[[], None]) -> BaseException | None:
        """Do the work, and wait until it is over; the kernel's loop stays free. Otherwise as `block`."""
        from agentkit.runtime.background import submit
        from agentkit.tooling.callers_thread import WaitingLoop

        cell = asyncio.current_task()
        assert cell is not None  # this is a coroutine
        self._lent = waiting = WaitingLoop(cell)
        future = asyncio.wrap_future(waiting.context().run(submit, self._work.run()))
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, even if too late
        try:
            while not future.done():
                await asyncio.wait({future}, timeout=_WAKE_S)
                pump()
            future.result()
        except asyncio.CancelledError as error:  # the kernel's interrupt; or the work's own end by Stop
            waiting.cease(interrupted=True)
            self.stop()
            await asyncio.wait({future}, timeout=_GRACE_S)
            return error
        except BaseException as error:
            return error
        finally:
            waiting.close()
        return None

    def stop(self) -> None:
        """Stop the work, from any thread, and what it calls in the cell's."""
        self._work.stop()
        if self._lent is not None:
            self._lent.interrupt()


def was_stopped(error: BaseException | None) -> bool:
    """Return whether an error says that a reader has stopped the work, and not that it failed."""
    return isinstance(error, (KeyboardInterrupt, asyncio.CancelledError, concurrent.futures.CancelledError))
