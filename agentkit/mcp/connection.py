"""A connection to an MCP server: one session, owned by one task, on a loop and a thread of its own.

A session belongs to the task that opened it: no other may close it. Users open it in one cell and close it in
another, and use it from the loop of a notebook's kernel, from the kit's background loop, and from loops that end. So
none of these owns it; requests are handed to the loop that does, which goes on while a cell keeps the kernel's busy.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import logging
import os
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from agentkit.mcp.failures import Failure, RequestFailed, innermost

if TYPE_CHECKING:
    from mcp import ClientSession

__all__ = ["Connection", "Transport", "slow"]

T = TypeVar("T")

_AT_EXIT_S = 6.0  # a server has 2 s to end by itself, 2 s after SIGTERM, and 2 s after SIGKILL

_open: weakref.WeakSet[Connection] = weakref.WeakSet()


class Transport(Protocol):
    """How messages get to a server and back. One object serves one connection."""

    def when_closed(self, function: Callable[[], None]) -> None:
        """Have `function` called, on the connection's loop, when the server has hung up."""

    @property
    def alive(self) -> bool:
        """Whether messages may still arrive; False is certain. May be asked from any thread."""

    def streams(self) -> AbstractAsyncContextManager[Any]:
        """Open the way, and yield the two streams that a `ClientSession` takes."""

    def explain(self, error: BaseException | None) -> Failure:
        """Return what became of the server."""


class Connection:
    """A session with a server, opened by `start` and closed by `stop`, by the server's end or by the interpreter's.

    Args:
        transport: The way to the server.
        timeout_s: Seconds that an answer may take; no limit when None.
        on_message: Called, on the connection's loop, with what the server sends unasked.
    """

    def __init__(
        self, transport: Transport, timeout_s: float | None, on_message: Callable[[Any], Awaitable[None]]
    ) -> None:
        self.transport = transport
        self.timeout_s = timeout_s
        self.ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        """Set when the session is open; a `RequestFailed` when it can't be."""
        self.ended: concurrent.futures.Future[None] = concurrent.futures.Future()
        """Set when nothing of the connection is left."""
        self.waiting = 0
        """How many wait for it to be ready."""
        self._on_message = on_message
        self._lock = threading.Lock()
        self._pending: set[concurrent.futures.Future[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._stop: asyncio.Event | None = None
        self._session: ClientSession | None = None
        self._failure: Failure | None = None
        self._closing = False
        self._retired = False
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._run, name="agentkit-mcp", daemon=True)

    @property
    def usable(self) -> bool:
        """Whether it is open, or about to be."""
        if self._closing or self._retired or self._pid != os.getpid() or self.ended.done():
            return False
        return self._session is None or self.transport.alive

    def start(self) -> None:
        """Begin to connect; `ready` tells when it is done."""
        if not _open:
            atexit.unregister(_close_all)
            atexit.register(_close_all)
        _open.add(self)
        self._thread.start()

    def stop(self) -> None:
        """Begin to disconnect; `ended` tells when it is done. May be called from any thread, any number of times."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            self._on_loop(self._leave)

    def retire(self) -> None:
        """Disconnect as soon as the requests under way have been answered; there are to be no others."""
        with self._lock:
            self._retired = True
            idle = not self._pending
        if idle:
            self.stop()

    def join(self, limit_s: float | None = None) -> None:
        """Wait for the thread to end."""
        if self._pid == os.getpid() and self._thread.is_alive():
            self._thread.join(limit_s)

    async def request(self, send: Callable[[ClientSession], Awaitable[T]]) -> T:
        """Return what `send` returns, which is called with the session on the connection's loop.

        Raises:
            RequestFailed: The connection broke, or was closed.
        """
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        with self._lock:
            if self._closing or self._loop is None:
                raise RequestFailed(replace(self._failure or Failure("was stopped"), lost=True, unheard=True))
            self._pending.add(future)
            self._on_loop(partial(self._begin, send, future))
        future.add_done_callback(self._answered)
        return await asyncio.wrap_future(future)

    def _answered(self, future: concurrent.futures.Future[Any]) -> None:
        with self._lock:
            self._pending.discard(future)
            idle = self._retired and not self._pending
        if idle:
            self.stop()

    async def why(self) -> Failure:
        """Return what broke a connection, when it has ended."""
        self.stop()
        await asyncio.shield(asyncio.wrap_future(self.ended))
        return self._failure or Failure("was stopped", lost=True)

    def _begin(self, send: Callable[[ClientSession], Awaitable[T]], future: concurrent.futures.Future[T]) -> None:
        assert self._loop is not None
        assert self._session is not None

        async def serve(session: ClientSession) -> T:
            return await send(session)

        task = self._loop.create_task(serve(self._session))
        task.add_done_callback(partial(_pass_on, future))
        future.add_done_callback(lambda done: self._on_loop(task.cancel) if done.cancelled() else None)

    def _on_loop(self, function: Callable[[], Any]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just been closed
                self._loop.call_soon_threadsafe(function)

    def _leave(self) -> None:
        """End the owner's task: as it waits for that, or in the middle of the connecting."""
        if self._session is None and self._task is not None:
            self._task.cancel()
        elif self._stop is not None:
            self._stop.set()

    def _run(self) -> None:
        factory = None
        if sys.platform == "win32":  # the kind of loop that Jupyter asks for there can't start processes
            factory = asyncio.ProactorEventLoop
        error: BaseException | None = None
        try:
            with asyncio.Runner(loop_factory=factory) as runner:
                runner.run(self._own())
        except BaseException as raised:  # whatever it is, it is to reach those that wait
            error = innermost(raised)
        self._finish(error)

    async def _own(self) -> None:
        from mcp import ClientSession

        _hush()
        with self._lock:
            self._loop, self._task, self._stop = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()
            if self._closing:  # before it began
                return
        self.transport.when_closed(self._stop.set)

        async def hear(message: Any) -> None:
            await self._on_message(message)

        async with (
            self.transport.streams() as streams,
            ClientSession(streams[0], streams[1], read_timeout_seconds=self.timeout_s, message_handler=hear) as session,
        ):
            await _shake_hands(session)
            self._session = session
            self.ready.set_result(None)
            await self._stop.wait()
            with self._lock:
                self._closing = True

    def _finish(self, error: BaseException | None) -> None:
        """Tell those that wait what happened, when everything has been closed."""
        asked = self._closing and error is None
        with self._lock:
            self._closing = True
            pending, self._pending = self._pending, set()
        self._failure = self._described(error, asked=asked)
        for future in [self.ready, *pending]:
            if not future.done():
                with contextlib.suppress(concurrent.futures.InvalidStateError):
                    future.set_exception(RequestFailed(self._failure))
        _open.discard(self)
        self.ended.set_result(None)

    def _described(self, error: BaseException | None, *, asked: bool) -> Failure:
        if error is None or isinstance(error, asyncio.CancelledError):
            begun = asked and self._session is not None
            return self.transport.explain(None) if begun else Failure("was stopped", lost=True, unheard=True)
        from mcp import MCPError
        from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT

        if isinstance(error, MCPError) and error.code == REQUEST_TIMEOUT:
            return slow(self.timeout_s)
        if isinstance(error, MCPError) and error.code != CONNECTION_CLOSED and self.transport.alive:
            return Failure(f"refused the connection: {error}", "See whether it is an MCP server.", lost=True)
        return self.transport.explain(error)


def slow(timeout_s: float | None) -> Failure:
    """Return the failure of a server that doesn't answer in time."""
    hint = "Give it more time by client_session_timeout_seconds=…, or None for no limit."
    took = "too long" if timeout_s is None else f"longer than {timeout_s:g} s"
    return Failure(f"took {took} to answer", hint, timeout_s=timeout_s)


async def _shake_hands(session: ClientSession) -> None:
    """Agree on a version of the protocol: the way that all servers know first, then that of the newest."""
    from mcp import MCPError
    from mcp_types import METHOD_NOT_FOUND, UNSUPPORTED_PROTOCOL_VERSION

    try:
        await session.initialize()
    except MCPError as error:
        if error.code not in (UNSUPPORTED_PROTOCOL_VERSION, METHOD_NOT_FOUND):
            raise
        await session.discover()


def _hush() -> None:
    """Keep Python from printing what the protocol's package logs, where nobody has asked for logs.

    It logs with their tracebacks the failures that we raise: in a cell they would be told twice, once in red.
    """
    for name in ("mcp", "client"):
        logger = logging.getLogger(name)
        if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            logger.addHandler(logging.NullHandler())


def _pass_on(future: concurrent.futures.Future[Any], task: asyncio.Task[Any]) -> None:
    """Give a request's outcome to who waits for it, unless nobody does any more."""
    if task.cancelled():  # with the loop, or by the waiter; in the first case `_finish` tells it
        return
    error = task.exception()
    with contextlib.suppress(concurrent.futures.InvalidStateError):
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(task.result())


def _close_all() -> None:
    """End the servers that are still connected when the interpreter ends."""
    connections = list(_open)
    for connection in connections:
        connection.stop()
    for connection in connections:
        connection.join(_AT_EXIT_S)


def _forget_the_parents_connections() -> None:
    """In a forked child there are none of the threads: the servers are the parent's."""
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_parents_connections)
