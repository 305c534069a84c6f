"""One event loop on a thread of its own, for the process's life: where blocking callers have their runs done.

A notebook's cell has a running loop already, so nothing in it may start another. Clients and their connections
belong to the loop they were made in; one loop that stays keeps them alive from cell to cell.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["background_loop", "run_blocking", "submit"]

T = TypeVar("T")

_STEP_S = 0.05
"""How often a waiting thread wakes, to see an interrupt and to serve `while_waiting`."""

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None
_pid = 0


def background_loop() -> asyncio.AbstractEventLoop:
    """Return the process's background event loop, started at the first call."""
    global _loop, _thread, _pid
    with _lock:
        if _loop is None or _pid != os.getpid() or _thread is None or not _thread.is_alive():
            _loop, _pid = asyncio.new_event_loop(), os.getpid()
            _thread = threading.Thread(target=_loop.run_forever, name="agentkit-loop", daemon=True)
            _thread.start()
        return _loop


def submit(coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Run `coroutine` on the background loop, in the caller's context variables, and return its future.

    Cancelling the future cancels the coroutine.
    """
    return asyncio.run_coroutine_threadsafe(coroutine, background_loop())


def run_blocking(
    coroutine: Coroutine[Any, Any, T], *, while_waiting: Callable[[], None] | None = None, grace_s: float = 1.0
) -> T:
    """Run `coroutine` on the background loop and wait for it. Works wherever it is called, a running loop included.

    Args:
        coroutine: What to run.
        while_waiting: Called every 50 ms in the calling thread.
        grace_s: Seconds that an interrupted coroutine has to tidy up.

    Raises:
        KeyboardInterrupt: The caller was interrupted. The coroutine has been cancelled.
    """
    if threading.current_thread() is _thread and _pid == os.getpid():  # called on the loop, which can't wait for itself
        return _run_in_new_thread(coroutine)
    ended = threading.Event()
    future = submit(_noting_the_end(coroutine, ended))
    try:
        while not future.done():
            with contextlib.suppress(concurrent.futures.TimeoutError):
                future.result(_STEP_S)
            if while_waiting is not None:
                while_waiting()
        return future.result()
    except KeyboardInterrupt:
        future.cancel()
        ended.wait(grace_s)
        raise


async def _noting_the_end(coroutine: Coroutine[Any, Any, T], ended: threading.Event) -> T:
    try:
        return await coroutine
    finally:
        ended.set()


def _run_in_new_thread(coroutine: Coroutine[Any, Any, T]) -> T:
    context = contextvars.copy_context()
    with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="agentkit-nested") as pool:
        return pool.submit(context.run, asyncio.run, coroutine).result()
