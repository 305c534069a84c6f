"""The embedded platform behind the `openai` client: its HTTP transports, with no socket and no server.

The application runs where the request is made, and its answer is handed over as it is written, so streams stream. The
async transport runs it as a task of the running loop. The sync one runs it on a thread of its own for as long as
the answer takes, so that it also works where a loop is already running, as in a notebook's cell.

`httpx2.ASGITransport` is not used because it hands an answer over only when it is complete.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
from starlette.types import ASGIApp, Message, Scope

from agentkit._home import home as default_home

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from agentkit.local.embedding.embedder import Embedder
    from agentkit.local.engines.base import Engine

__all__ = ["AsyncEmbeddedTransport", "EmbeddedTransport", "embedded_transports"]

logger = logging.getLogger(__name__)

_Head = tuple[int, list[tuple[bytes, bytes]]]
"""Status and headers."""

_YIELD_AFTER_BYTES = 16_384
_THREAD_PATIENCE_S = 5.0
"""How long closing an answer waits for its thread; an engine stuck in foreign code can't be stopped."""

_apps: weakref.WeakValueDictionary[Path, Starlette] = weakref.WeakValueDictionary()
_apps_lock = threading.Lock()


def embedded_transports(
    *,
    home: Path | None = None,
    engine: Engine | None = None,
    embedder: Callable[[], Embedder | None] | None = None,
    clock: Callable[[], float] | None = None,
) -> tuple[AsyncEmbeddedTransport, EmbeddedTransport]:
    """Return the transports for an async and a sync client of the embedded platform.

    ```python
    async_transport, _ = embedded_transports()
    http_client = DefaultAsyncHttpx2Client(transport=async_transport)
    client = AsyncOpenAI(http_client=http_client, base_url="http://agentkit.local/v1", api_key="embedded")
    ```

    Args:
        home: Folder of the platform's storage; `AGENTKIT_HOME` or the user's data folder when None. All
            transports for one folder share the application.
        engine: Who answers; rehearsal-1 when None. With one given, the application is not shared.
        embedder: Gives what makes vectors, or None for none; as `AGENTKIT_EMBEDDER` says when None. With one given, the
            application is not shared.
        clock: Tells the Unix time in seconds. With one given, the application is not shared.
    """
    from agentkit.local.app import create_app

    folder = (home if home is not None else default_home()).absolute()
    if engine is not None or embedder is not None or clock is not None:
        app = create_app(home=folder, engine=engine, embedder=embedder, clock=clock or time.time)
    else:
        with _apps_lock:
            if (shared := _apps.get(folder)) is None:
                shared = _apps[folder] = create_app(home=folder)
            app = shared
    return AsyncEmbeddedTransport(app), EmbeddedTransport(app)


class AsyncEmbeddedTransport(httpx2.AsyncBaseTransport):
    """Answers an async client from the application. It may be used from several event loops.

    Args:
        app: The application.
    """

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request as soon as the application has begun to."""
        answer = _TaskAnswer(_body_of(request), _read_timeout_s(request))
        status, headers = await answer.begin(self._app, _scope(request))
        return httpx2.Response(status, headers=headers, stream=answer)

    async def aclose(self) -> None:
        """Close the storage; it is opened again should it be needed."""
        await asyncio.to_thread(self._app.state.platform.close)


class EmbeddedTransport(httpx2.BaseTransport):
    """Answers a sync client from the application. It may be used from several threads.

    Args:
        app: The application.
    """

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request as soon as the application has begun to."""
        assert isinstance(request.stream, httpx2.SyncByteStream)
        answer = _ThreadAnswer(_as_async(request.stream), _read_timeout_s(request))
        status, headers = answer.begin(self._app, _scope(request))
        return httpx2.Response(status, headers=headers, stream=answer)

    def close(self) -> None:
        """Close the storage; it is opened again should it be needed."""
        self._app.state.platform.close()


class _Answer:
    """One answer, as the application's side sees it. What is written waits, unbounded, for the client's side.

    Unbounded, so that the application comes to its end even where a client never reads or closes its answer.

    Args:
        request_body: The request's body, piece by piece: an upload is never in memory as a whole.
        timeout_s: How long the client waits for something of the answer.
    """

    def __init__(self, request_body: AsyncIterator[bytes], timeout_s: float | None) -> None:
        self._request_body = request_body
        self._request_read = False
        self._timeout_s = timeout_s
        self._head: _Head | None = None
        self._chunks: list[bytes] = []
        self._waiting_bytes = 0
        self._complete = False
        self._error: Exception | None = None
        self._request_error: Exception | None = None

    async def _run(self, app: ASGIApp, scope: Scope) -> None:
        try:
            await app(scope, self._receive, self._send)
        except Exception as error:
            if self._complete:  # the client has a whole answer; this is only about what came after it
                logger.debug("the platform failed after its answer", exc_info=error)
            else:
                self._error = error
        finally:
            self._complete = True
            self._wake()

    async def _receive(self) -> Message:
        """Give the application the request's body, and then nothing: to go away is to cancel."""
        if self._request_read:
            await asyncio.get_running_loop().create_future()
        try:
            body = await anext(self._request_body, None)
        except Exception as error:  # the caller's own: a file that can't be read, a generator that failed
            self._request_read = True
            self._request_error = error
            return {"type": "http.disconnect"}
        self._request_read = body is None
        self._wake()  # while the body is taken, the client's patience begins anew with each piece
        return {"type": "http.request", "body": body or b"", "more_body": body is not None}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._head = message["status"], message["headers"]
            return  # the client is woken by the body's first part
        if body := message.get("body"):
            self._write(body)
        self._complete = not message.get("more_body", False)
        self._wake()
        if self._waiting_bytes > _YIELD_AFTER_BYTES and not self._complete:
            self._waiting_bytes = 0
            await asyncio.sleep(0)  # an engine that never waits must not keep its reader waiting

    def _write(self, body: bytes) -> None:
        self._chunks.append(body)
        self._waiting_bytes += len(body)

    def _take(self) -> bytes:
        chunk = b"".join(self._chunks)
        self._chunks.clear()
        self._waiting_bytes = 0
        return chunk

    def _wake(self) -> None:
        """Let the client's side look at what changed."""
        raise NotImplementedError

    def _check_request(self) -> None:
        if self._request_error is not None:
            raise self._request_error

    def _check_unbroken(self) -> None:
        self._check_request()
        if self._error is not None:
            message = f"The platform stopped in mid-answer: {type(self._error).__name__}: {self._error}"
            raise httpx2.RemoteProtocolError(message) from self._error

    def _timed_out(self) -> httpx2.ReadTimeout:
        return httpx2.ReadTimeout(f"The platform sent nothing for {self._timeout_s} s.")


class _TaskAnswer(_Answer, httpx2.AsyncByteStream):
    """An answer that is made by a task of the running loop."""

    def __init__(self, request_body: AsyncIterator[bytes], timeout_s: float | None) -> None:
        super().__init__(request_body, timeout_s)
        self._task: asyncio.Task[None] | None = None
        self._reader: asyncio.Future[None] | None = None

    async def begin(self, app: ASGIApp, scope: Scope) -> _Head:
        """Start the application and return the head of its answer."""
        self._task = asyncio.get_running_loop().create_task(self._run(app, scope))
        try:
            while self._head is None:
                self._check_unbroken()
                await self._wait()
            self._check_request()
        except BaseException:
            await self.aclose()
            raise
        return self._head

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            if self._chunks:
                yield self._take()
            elif self._complete:
                self._check_unbroken()
                return
            else:
                await self._wait()

    async def aclose(self) -> None:
        """Stop the application if it is still at work."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _wait(self) -> None:
        self._reader = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._reader
        except TimeoutError:
            raise self._timed_out() from None
        finally:
            self._reader = None

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class _ThreadAnswer(_Answer, httpx2.SyncByteStream):
    """An answer that is made by a loop on a thread of its own, which ends with the answer."""

    def __init__(self, request_body: AsyncIterator[bytes], timeout_s: float | None) -> None:
        super().__init__(request_body, timeout_s)
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._closed = False

    def begin(self, app: ASGIApp, scope: Scope) -> _Head:
        """Start the application and return the head of its answer."""
        run = contextvars.copy_context().run
        self._thread = threading.Thread(
            target=run, args=(self._serve, app, scope), name="agentkit-platform", daemon=True
        )
        try:
            self._thread.start()
            with self._changed:
                while self._head is None:
                    self._check_unbroken()
                    self._wait()
            self._check_request()
            return self._head
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        while True:
            with self._changed:
                while not self._chunks and not self._complete:
                    self._wait()
                chunk = self._take()
            if not chunk:
                self._check_unbroken()
                return
            yield chunk

    def close(self) -> None:
        """Stop the application if it is still at work, and wait for its thread to end."""
        with self._changed:
            self._closed = True
            if self._loop is not None and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)
        if self._thread is not None:
            with contextlib.suppress(RuntimeError):  # interrupted while it was starting: it will see that it is closed
                self._thread.join(_THREAD_PATIENCE_S)

    def _serve(self, app: ASGIApp, scope: Scope) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._run_here(app, scope))

    async def _run_here(self, app: ASGIApp, scope: Scope) -> None:
        with self._changed:
            if self._closed:
                return
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            await self._run(app, scope)
        finally:
            with self._changed:
                self._loop = self._task = None

    def _write(self, body: bytes) -> None:
        with self._changed:
            super()._write(body)

    def _wait(self) -> None:
        if not self._changed.wait(self._timeout_s):
            raise self._timed_out()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _body_of(request: httpx2.Request) -> AsyncIterator[bytes]:
    stream = request.stream
    return aiter(stream) if isinstance(stream, httpx2.AsyncByteStream) else _as_async(stream)


async def _as_async(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _scope(request: httpx2.Request) -> Scope:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "server": (url.host, url.port),
        "client": None,
        "root_path": "",
    }


def _read_timeout_s(request: httpx2.Request) -> float | None:
    timeout_s: float | None = request.extensions.get("timeout", {}).get("read")
    return timeout_s
