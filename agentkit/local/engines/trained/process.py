"""Keeps one process for models: started when it is first needed, kept warm, started anew when it has died.

It ends when nobody has asked it anything for a while, when the platform is closed, at the end of the interpreter, and
when this process is gone.
"""

from __future__ import annotations

import atexit
import functools
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

from agentkit.local.engines.trained.child import Child, ChildGoneError, Deliver

__all__ = ["ModelProcess"]


class ModelProcess:
    """The process for models of one platform. Threads and event loops may share it; a fork gets its own.

    Args:
        idle_s: Seconds without a request after which the process ends.
    """

    def __init__(self, *, idle_s: float = 300.0) -> None:
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._unused: weakref.finalize[..., ModelProcess] | None = None

    @property
    def pid(self) -> int | None:
        """The number of the process; None where none runs."""
        child = self._child
        return child.pid if child is not None and child.is_usable else None

    def ask(self, request: dict[str, Any], deliver: Deliver) -> Callable[[], None]:
        """Send a request to the process, which is started if it has to be; return what cancels it.

        Raises:
            OSError: It can't be started.
        """
        while True:
            child = self._running()
            try:
                number = child.ask(request, deliver)
            except ChildGoneError:
                continue
            return lambda: child.cancel(number)

    def close(self) -> None:
        """End the process as soon as it has answered what it was asked. The next request starts one."""
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.stop_when_done()

    def _running(self) -> Child:
        with self._lock:
            if self._child is None or not self._child.is_usable:
                _watch_over(self)
                self._child = Child(idle_s=self._idle_s)
                if self._unused is not None:
                    self._unused.detach()
                self._unused = weakref.finalize(self, self._child.stop, wait=False)
                self._unused.atexit = False
            return self._child

    def _stop(self) -> None:
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.stop()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        if self._child is not None:
            self._child.forget()
        self._child = None


_all: weakref.WeakSet[ModelProcess] = weakref.WeakSet()


def _watch_over(process: ModelProcess) -> None:
    _all.add(process)
    _begin_watching()


@functools.cache
def _begin_watching() -> None:
    atexit.register(_stop_all)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forget_all)


def _stop_all() -> None:
    for process in list(_all):
        process._stop()


def _forget_all() -> None:
    for process in list(_all):
        process._forget()
