"""The thread that waits for a run, and the user's functions that it calls meanwhile.

Some objects belong to the thread that made them: an SQLite connection refuses every other one. A cell, or a script,
that starts a run and waits for it lends its own thread: what the run has to call is handed to it, one call after
another. Where nobody waits (`await Runner.run(…)` in a program's own event loop) there is no thread to lend.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import queue
import signal
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

__all__ = [
    "Call",
    "CallersThread",
    "WaitingLoop",
    "WaitingThread",
    "cell_task",
    "lent_by_cell",
    "lent_thread",
    "lent_thread_is_spared",
    "spare_lent_thread",
]

_STEP_S = 0.05
"""How often a waiting thread wakes by itself. On Windows an interrupt does not wake it."""

_lent: contextvars.ContextVar[CallersThread | None] = contextvars.ContextVar("agentkit_lent_thread", default=None)
_spared: contextvars.ContextVar[bool] = contextvars.ContextVar("agentkit_lent_thread_spared", default=False)


class Call:
    """A function to be called in another thread, whose outcome goes to the event loop where the call was made."""

    __slots__ = ("_context", "_function", "_loop", "future", "refused")

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._context = contextvars.copy_context()
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self._loop.create_future()
        """Gets the outcome. Cancelled by who made the call when nobody wants it any more."""
        self.refused = False
        """Whether the thread that was asked doesn't make the call, because it has ceased to wait for the run."""

    def run(self, *, lent: bool) -> None:
        """Call the function, in this thread.

        Args:
            lent: Whether the thread is one that waits for the run: then an interrupt is for it, too.

        Raises:
            KeyboardInterrupt: The lent thread was interrupted. The call is left without an outcome.
        """
        if self.future.done():  # given up before its turn came
            return
        # the thread is busy with this call: nothing that the function starts may count on it
        self._context.run(_lent.set, None)
        result: Any = None
        error: BaseException | None = None
        try:
            result = self._context.run(self._function)
        except StopIteration as stop:  # a future can't hold one: `next()` on what is empty, most often
            error = RuntimeError(f"StopIteration: {stop}")
            error.__cause__ = stop
        except KeyboardInterrupt as interrupt:
            if lent:
                raise
            error = RuntimeError("it raised KeyboardInterrupt")  # which would end the loop's thread
            error.__cause__ = interrupt
        except BaseException as raised:  # handed to who made the call
            error = raised
        self._hand_over(_deliver, self.future, result, error)

    def refuse(self, *, interrupted: bool) -> None:
        """Let who made the call know, from any thread, that nobody here will; by cancelling, if interrupted."""
        if interrupted:
            self._hand_over(self.future.cancel)
        else:
            self.refused = True
            self._hand_over(_deliver, self.future, None, None)

    def _hand_over(self, callback: Callable[..., Any], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(callback, *arguments)


def _deliver(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():  # who made the call has been cancelled
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


class CallersThread(ABC):
    """The current thread, lent to a run while it waits for it."""

    def __init__(self) -> None:
        self._thread = threading.current_thread()
        self._ceased = False
        self._closed = False
        self._busy = False
        self._left: list[Call] = []
        self.interrupted = False
        """Whether it ceased because of an interrupt: then nothing of the run is to be called any more."""

    @property
    def waits(self) -> bool:
        """Whether it still does."""
        return not self._ceased

    @abstractmethod
    def submit(self, call: Call) -> None:
        """Have a call carried out, from any thread."""

    def context(self) -> contextvars.Context:
        """Return a copy of the current context variables in which the thread is lent."""
        context = contextvars.copy_context()
        context.run(_lent.set, self)
        return context

    def cease(self, *, interrupted: bool = False) -> None:
        """Carry out no more calls. Those that were not are left to `close`, so that the run can be stopped first."""
        self._ceased = True
        self.interrupted = self.interrupted or interrupted

    def close(self) -> None:
        """Lend no more: calls that come late go elsewhere or, after an interrupt, nowhere."""
        self._ceased = self._closed = True
        while self._left:
            self._left.pop().refuse(interrupted=self.interrupted)

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the function that is being called, if one is; from any thread."""
        if not self._busy or self._thread is not threading.main_thread():
            return  # Python interrupts no other thread
        if sys.platform == "win32":
            signal.raise_signal(signal.SIGINT)
        elif (ident := self._thread.ident) is not None:  # a signal to this very thread ends its sleeping and reading
            signal.pthread_kill(ident, signal.SIGINT)

    def _carry_out(self, call: Call) -> None:
        with _no_running_loop():
            self._busy = True
            try:
                call.run(lent=True)
            except KeyboardInterrupt:
                self._left.append(call)
                raise
            finally:
                self._busy = False


def lent_thread() -> CallersThread | None:
    """Return the thread that is lent to the run which this code is part of; None where none waits.

    Raises:
        asyncio.CancelledError: It was interrupted, and the run is being stopped.
    """
    thread = _lent.get()
    if thread is None or thread.waits:
        return thread
    if thread.interrupted:
        raise asyncio.CancelledError("The cell or script that waited for the run was interrupted.")
    return None


def spare_lent_thread() -> None:
    """Have only those calls made in the lent thread that ask for it, from here on in the current context.

    For many runs side by side: one thread would make all their calls wait for one another.
    """
    _spared.set(True)


def lent_thread_is_spared() -> bool:
    """Return whether only calls that ask for the lent thread are made in it."""
    return _spared.get()


class WaitingThread(CallersThread):
    """The current thread, which does nothing else than wait for a run."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()

    def submit(self, call: Call) -> None:
        """Have a call carried out, from any thread."""
        self._calls.put(call)
        if self._closed:  # just now: nobody looks into the queue any more
            self.close()

    def close(self) -> None:
        """Lend no more: calls that come late go elsewhere or, after an interrupt, nowhere."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                if (call := self._calls.get_nowait()) is not None:
                    self._left.append(call)
        super().close()

    def wait(self, future: concurrent.futures.Future[Any], *, while_waiting: Callable[[], None] | None = None) -> None:
        """Wait until `future` is done, carrying out calls meanwhile.

        Args:
            future: What ends the waiting.
            while_waiting: Called every 50 ms, and after each call.

        Raises:
            KeyboardInterrupt: The thread was interrupted, in a call or between.
        """
        future.add_done_callback(lambda _: self._calls.put(None))
        with interrupts_raised():
            while not future.done():
                with contextlib.suppress(queue.Empty):
                    if (call := self._calls.get(timeout=_STEP_S)) is not None:
                        self._carry_out(call)
                if while_waiting is not None:
                    while_waiting()


class WaitingLoop(CallersThread):
    """The current thread, whose event loop runs on while a cell awaits a run: calls are carried out between its steps.

    Args:
        cell: The task that waits. An interrupt that comes during a call cancels it, as Jupyter's does between calls.
    """

    def __init__(self, cell: asyncio.Task[Any]) -> None:
        super().__init__()
        self._cell = cell
        self._loop = asyncio.get_running_loop()

    @property
    def waits(self) -> bool:
        """Whether it still does."""
        return not self._ceased and not self._cell.done()

    def submit(self, call: Call) -> None:
        """Have a call carried out, from any thread."""
        self._loop.call_soon_threadsafe(self._begin, call)

    def _begin(self, call: Call) -> None:
        if self._closed:
            call.refuse(interrupted=self.interrupted)
            return
        if not self.waits:
            self._left.append(call)
            return
        try:
            with interrupts_raised(always=True):
                self._carry_out(call)
        except KeyboardInterrupt:  # it would end the kernel's loop
            self.cease(interrupted=True)
            self._cell.cancel()


def cell_task() -> asyncio.Task[Any] | None:
    """Return the task in which IPython runs the current cell, if this code runs in it, and in no task that it made."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop
        return None
    name = getattr(getattr(task, "get_coro", lambda: None)(), "__qualname__", "")
    return task if name.endswith(".run_cell_async") else None


@contextlib.contextmanager
def lent_by_cell(*, until_it_ends: bool = False) -> Iterator[None]:
    """Lend the thread of the cell that awaits what is run inside; changes nothing anywhere else.

    Args:
        until_it_ends: Whether what was started inside may use it until the cell ends, and not just inside.
    """
    cell = None if _lent.get() is not None else cell_task()
    if cell is None:
        yield
        return
    waiting = WaitingLoop(cell)
    if until_it_ends:
        cell.add_done_callback(lambda _: waiting.close())
    token = _lent.set(waiting)
    try:
        yield
    finally:
        _lent.reset(token)
        if not until_it_ends:
            waiting.close()


@contextlib.contextmanager
def interrupts_raised(*, always: bool = False) -> Iterator[None]:
    """Let an interrupt raise KeyboardInterrupt in this thread, where IPython would have it cancel the cell's task.

    Cancelling does nothing to code that blocks. A program's own way of taking interrupts is left alone.

    Args:
        always: Whether to do so beside the cell's task, too.
    """
    if threading.current_thread() is not threading.main_thread() or not (always or cell_task() is not None):
        yield
        return
    before: Callable[[int, FrameType | None], Any] | int | None = signal.getsignal(signal.SIGINT)
    if before is None or before is signal.default_int_handler:
        yield
        return
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _no_running_loop() -> Iterator[None]:
    """Let a function find the thread as it would find one of its own: `asyncio.run` works in it."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)
