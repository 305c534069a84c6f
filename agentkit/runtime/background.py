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
from typing import Any, Generic, TypeVar

__all__ = ["background_loop", "run_blocking", "submit"]

T = TypeVar("T")

_STEP_S = 0.05
"""How often a waiting thread wakes, to see an interrupt and to serve `while_waiting`."""

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None
_pid = 0

_nested: contextvars.ContextVar[bool] = contextvars.ContextVar("agentkit_nested", default=False)
"""Whether the code is part of a run that the background loop is waiting for."""


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
    # the loop can't wait for itself, nor for something that in the end waits for it
    if _nested.get() or (threading.current_thread() is _thread and _pid == os.getpid()):
        return _run_in_new_thread(coroutine)
    outcome = _Outcome[T]()
    try:
        future = submit(outcome.of(coroutine))
        while not future.done():
            with contextlib.suppress(concurrent.futures.TimeoutError):
                future.result(_STEP_S)
            if while_waiting is not None:
                while_waiting()
        future.result()
    except BaseException:  # an interrupt, most often; the run is not to go on without its caller
        outcome.stop(grace_s)
        raise
    return outcome.get()


class _Outcome(Generic[T]):
    """What came of a coroutine. A task must not end by SystemExit: asyncio would end the loop's thread with it."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._task: asyncio.Task[Any] | None = None
        self._value: T | None = None
        self._exit: SystemExit | KeyboardInterrupt | None = None

    async def of(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._task = asyncio.current_task()
        try:
            self._value = await coroutine
        except (SystemExit, KeyboardInterrupt) as error:
            self._exit = error
        finally:
            self._ended.set()

    def stop(self, grace_s: float) -> None:
        """Cancel the coroutine, from another thread, and wait for its end."""
        if not self._ended.is_set():
            background_loop().call_soon_threadsafe(lambda: self._task and self._task.cancel())
            self._ended.wait(grace_s)

    def get(self) -> T:
        if self._exit is not None:
            raise self._exit
        return self._value  # type: ignore[return-value]  # of() has set it


def _run_in_new_thread(coroutine: Coroutine[Any, Any, T]) -> T:
    context = contextvars.copy_context()
    context.run(_nested.set, True)
    with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="agentkit-nested") as pool:
        return pool.submit(context.run, asyncio.run, coroutine).result()


def _forget_the_parents_loop() -> None:
    """Start anew in a forked child, which has the loop's memory but not its thread."""
    global _lock, _loop
    _lock, _loop = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_parents_loop)
