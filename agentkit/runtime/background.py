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

from agentkit.tooling.callers_thread import WaitingThread

__all__ = ["background_loop", "run_blocking", "submit"]

T = TypeVar("T")

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
    coroutine: Coroutine[Any, Any, T],
    *,
    while_waiting: Callable[[], None] | None = None,
    waiting: WaitingThread | None = None,
    grace_s: float = 1.0,
) -> T:
    """Run `coroutine` on the background loop and wait for it. Works wherever it is called, a running loop included.

    The calling thread is lent to the coroutine: sync tools and callbacks are called in it.

    Args:
        coroutine: What to run.
        while_waiting: Called every 50 ms in the calling thread.
        waiting: The calling thread, where the caller wants to interrupt what is called in it.
        grace_s: Seconds that an interrupted coroutine has to tidy up.

    Raises:
        KeyboardInterrupt: The caller was interrupted. The coroutine has been cancelled.
    """
    waiting = waiting or WaitingThread()
    outcome = _Outcome[T]()
    # the loop can't wait for itself, nor for something that in the end waits for it
    nested = _nested.get() or (threading.current_thread() is _thread and _pid == os.getpid())
    start = _start_in_new_thread if nested else submit
    try:
        future = waiting.context().run(start, outcome.of(coroutine))
        waiting.wait(future, while_waiting=while_waiting)
        future.result()
    except BaseException:  # an interrupt, most often; the run is not to go on without its caller
        waiting.cease(interrupted=not outcome.ended)
        outcome.stop(grace_s)
        raise
    finally:
        waiting.close()
    return outcome.get()


class _Outcome(Generic[T]):
    """What came of a coroutine. A task must not end by SystemExit: asyncio would end the loop's thread with it."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._value: T | None = None
        self._exit: SystemExit | KeyboardInterrupt | None = None

    async def of(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        try:
            if self._stopped:  # before it began
                coroutine.close()
                raise asyncio.CancelledError
            self._value = await coroutine
        except (SystemExit, KeyboardInterrupt) as error:
            self._exit = error
        finally:
            self._ended.set()

    @property
    def ended(self) -> bool:
        """Whether the coroutine has ended, by itself or not."""
        return self._ended.is_set()

    def stop(self, grace_s: float) -> None:
        """Cancel the coroutine, from another thread, and wait for its end."""
        self._stopped = True
        if self.ended or self._loop is None or self._task is None:
            return
        with contextlib.suppress(RuntimeError):  # its loop has just been closed
            self._loop.call_soon_threadsafe(self._task.cancel)
            self._ended.wait(grace_s)

    def get(self) -> T:
        if self._exit is not None:
            raise self._exit
        return self._value  # type: ignore[return-value]  # of() has set it


def _start_in_new_thread(coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Run `coroutine` in an event loop and a thread of its own, in the caller's context, and return its future."""
    context = contextvars.copy_context()
    context.run(_nested.set, True)
    future: concurrent.futures.Future[T] = concurrent.futures.Future()

    def run() -> None:
        try:
            result = context.run(asyncio.run, coroutine)
        except BaseException as error:  # handed to who waits
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name="agentkit-nested", daemon=True).start()
    return future


def _forget_the_parents_loop() -> None:
    """Start anew in a forked child, which has the loop's memory but not its thread."""
    global _lock, _loop
    _lock, _loop = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_parents_loop)
