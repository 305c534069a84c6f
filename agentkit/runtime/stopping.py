"""Stopping tasks to their very end, however often the one that waits for it is cancelled meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

__all__ = ["stop_all"]


async def stop_all(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel tasks and wait for their end, so that nothing goes on behind the back of who waits.

    Raises:
        asyncio.CancelledError: The waiting was cancelled, which the tasks were told; they have ended all the same.
    """
    again: asyncio.CancelledError | None = None
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError as error:
            again = error
    for task in tasks:
        if not task.cancelled():
            task.exception()  # seen, so that asyncio doesn't complain of it later
    if again is not None:
        raise again
