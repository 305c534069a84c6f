"""Runs sync functions beside the event loop: in threads of our own, with the caller's context variables."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

__all__ = ["MAX_THREADS", "call_in_thread"]

P = ParamSpec("P")
R = TypeVar("R")

MAX_THREADS = 128
"""Sync functions that may run at once. asyncio's own pool has about six, which would make parallel tools queue."""


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="agentkit-tool")


async def call_in_thread(func: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return `func(*args, **kwargs)`, called in a thread so that the event loop goes on meanwhile.

    Prints and displays made by `func` reach the cell of the caller, whose context it runs in. Cancelling gives up
    waiting; a thread can't be stopped, so `func` itself runs on to its end.
    """
    context = contextvars.copy_context()
    call: Callable[[], Any] = functools.partial(context.run, func, *args, **kwargs)
    result: R = await asyncio.get_running_loop().run_in_executor(_pool(), call)
    return result
