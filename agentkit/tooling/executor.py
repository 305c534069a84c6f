"""Calls sync functions of the user beside the event loop, with the caller's context variables.

Where a thread waits for the run, it makes the calls itself, one after another: they may touch what it made. Else each
call has a thread of its own.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Literal, ParamSpec, TypeVar

from agentkit.tooling.callers_thread import Call, CallersThread, lent_thread, lent_thread_is_spared

__all__ = ["RunIn", "add_hint", "call_in", "call_in_own_thread", "call_in_thread"]

P = ParamSpec("P")
R = TypeVar("R")

RunIn = Literal["caller", "thread"]
"""Where a sync function is called: in the thread that waits for the run (or has its event loop), or in its own."""

_SQLITE = "SQLite objects created in a thread can only be used in that same thread."
_SQLITE_HINT = (
    'To use a connection of the thread that starts the run, make the tool from a plain `def` with run_in="caller". '
    "To use one in several threads, connect(…, check_same_thread=False) and let a lock guard it."
)


async def call_in_thread(func: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return `func(*args, **kwargs)`, called so that the event loop goes on meanwhile.

    It is called in the thread that waits for the run, where one does: `Runner.run_sync`, `%ask` and `%%ask`, and a cell
    that awaits `Runner.run` itself. Such calls come one after another. Else it has a thread of its own; so it has in
    runs over many rows, which go on side by side.

    Prints and displays made by `func` reach the cell of the caller, whose context it runs in. Cancelling gives up
    waiting; `func` itself runs on to its end.

    Raises:
        asyncio.CancelledError: The thread that waited was interrupted.
    """
    thread = lent_thread()
    if thread is None or lent_thread_is_spared():
        return await call_in_own_thread(func, *args, **kwargs)
    return await _call_in_lent(thread, func, *args, **kwargs)


async def _call_in_lent(thread: CallersThread, func: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return `func(*args, **kwargs)`, called in the lent thread or, where that waits no more, in its own."""
    call = Call(functools.partial(func, *args, **kwargs))
    thread.submit(call)
    result: R = await call.future
    return await call_in_own_thread(func, *args, **kwargs) if call.refused else result


async def call_in_own_thread(func: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return `func(*args, **kwargs)`, called in a thread of its own; for the rest as `call_in_thread`.

    A thread for each call, and not asyncio's pool: that has about six threads, so that parallel tools would queue; and
    Python waits for a pool's threads before it exits, so that a tool that was given up would hold the process.
    """
    call = Call(functools.partial(func, *args, **kwargs))
    threading.Thread(target=call.run, kwargs={"lent": False}, name="agentkit-tool", daemon=True).start()
    result: R = await call.future
    return result


async def call_in(where: RunIn | None, func: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return `func(*args, **kwargs)`, called where its author wants it.

    Args:
        where: `"thread"`: always in a thread of its own, side by side with others. `"caller"`: in the thread that waits
            for the run or, where none does, right here, which holds up the event loop. None: as `call_in_thread`.
        func: What to call.
        args: Its arguments.
        kwargs: Its arguments by keyword.
    """
    if where == "thread":
        return await call_in_own_thread(func, *args, **kwargs)
    if where == "caller":
        thread = lent_thread()
        return func(*args, **kwargs) if thread is None else await _call_in_lent(thread, func, *args, **kwargs)
    return await call_in_thread(func, *args, **kwargs)


def add_hint(error: Exception) -> None:
    """Add what to do to an error of an SQLite connection that was used in another thread than the one that made it."""
    said = str(error)
    if said.startswith(_SQLITE) and _SQLITE_HINT not in said:
        error.args = (f"{said} {_SQLITE_HINT}",)
