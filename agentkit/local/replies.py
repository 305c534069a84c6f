"""Answers on the wire: JSON, errors and server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from agentkit import _json
from agentkit.local.errors import ApiError

__all__ = ["EventStream", "error_reply", "event_bytes", "json_reply", "stopped_when_gone"]


def json_reply(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `value` as a JSON answer; it may be anything that has a JSON form."""
    return Response(_json.dumps(value), status, headers, media_type="application/json")


def error_reply(error: ApiError) -> Response:
    """Return `error` as OpenAI's error body."""
    return json_reply(error.body(), status=error.status, headers=error.headers)


def event_bytes(data: dict[str, Any]) -> bytes:
    """Return a server-sent event named by the `type` of its data, as the Responses API sends it."""
    return b"event: %b\ndata: %b\n\n" % (data["type"].encode(), _json.dumps(data))


class EventStream(Response):
    """A streamed answer. The generator behind it is closed when the client goes away.

    Args:
        chunks: Ready server-sent events.
        headers: Further headers.
    """

    media_type = "text/event-stream"

    def __init__(self, chunks: AsyncGenerator[bytes, None], headers: Mapping[str, str]) -> None:
        self.body = b""
        self._chunks = chunks
        self.status_code = 200
        self.background = None
        self.init_headers({"cache-control": "no-cache", **headers})
        self.raw_headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events as they come."""
        async with contextlib.aclosing(self._chunks) as chunks:
            with contextlib.suppress(ClientDisconnect):
                async with stopped_when_gone(receive):
                    await self._send(chunks, send)

    async def _send(self, chunks: AsyncGenerator[bytes, None], send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@contextlib.asynccontextmanager
async def stopped_when_gone(receive: Receive) -> AsyncGenerator[None, None]:
    """Stop the block when the client disconnects. The request's body has to be read before.

    Raises:
        ClientDisconnect: It did.
    """
    me = asyncio.current_task()
    assert me is not None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        me.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if gone and me.uncancel() == 0:  # else it was cancelled by somebody else, too
            raise ClientDisconnect from None
        raise
    finally:
        watcher.cancel()
