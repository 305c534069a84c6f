"""Work on a store that is never left half done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

__all__ = ["finish", "in_thread"]

T = TypeVar("T")


async def finish(work: Awaitable[T]) -> T:
    """Return what `work` gives. Cancelling waits for its end first: what was begun is then done, or undone."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # seen, so that asyncio doesn't complain of it later
        raise cancelled
    return task.result()


async def in_thread(work: Callable[[], T]) -> T:
    """Return what `work` gives, done in a thread, so that the event loop goes on. Cancelling waits for its end."""
    return await finish(asyncio.get_running_loop().run_in_executor(None, work))
