"""Runs sync functions beside the event loop: each in a thread of its own, with the caller's context variables."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

__all__ = ["call_in_thread"]

P = ParamSpec("P")
R = TypeVar("R")


async def call_in_thread(func: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return `func(*args, **kwargs)`, called in a thread so that the event loop goes on meanwhile.

    Prints and displays made by `func` reach the cell of the caller, whose context it runs in. Cancelling gives up
    waiting; a thread can't be stopped, so `func` itself runs on to its end.

    A thread for each call, and not asyncio's pool: that has about six threads, so that parallel tools would queue; and
    Python waits for a pool's threads before it exits, so that a tool that was given up would hold the process.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[R] = loop.create_future()
    context = contextvars.copy_context()

    def run() -> None:
        result: Any = None
        error: BaseException | None = None
        try:
            result = context.run(func, *args, **kwargs)
        except StopIteration as stop:  # a future can't hold one: `next()` on what is empty, most often
            error = RuntimeError(f"StopIteration: {stop}")
            error.__cause__ = stop
        except BaseException as raised:  # handed to the caller
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_deliver, future, result, error)

    threading.Thread(target=run, name="agentkit-tool", daemon=True).start()
    return await future


def _deliver(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():  # the caller has been cancelled
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
