"""Requests through the `openai` client, bytes in and bytes out.

The client does keys, retries, timeouts, the connection pool and its exceptions. Its typed layer is left out: it walks
the whole input on each call, and builds objects for each streamed token.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from agentkit import _json, _secrets
from agentkit.models.errors import as_model_error, broken_stream, stream_error, unreadable
from agentkit.models.settings import ModelSettings
from agentkit.models.stream import ServerSentEvents

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

__all__ = ["Body", "client_retries_off", "post", "post_streamed", "read_object"]

Body = bytes | bytearray

logger = logging.getLogger("agentkit")

client_retries_off: ContextVar[bool] = ContextVar("agentkit_client_retries_off", default=False)
"""Whether the client is to try once only, as whoever called the model sees to retries."""


async def post(client: AsyncOpenAI, path: str, body: Body, settings: ModelSettings) -> dict[str, Any]:
    """Return what the server answers, as JSON.

    Some servers stream unless told not to; of such an answer it is what the last event holds as the response.

    Raises:
        ModelServerError: It didn't answer, or answered with an error or no JSON, after the client's retries.
    """
    response = await _send(client, path, body, settings, stream=False)
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        return _last_response(response.content, client)
    return read_object(response.content, client)


def _last_response(stream: bytes, client: AsyncOpenAI) -> dict[str, Any]:
    cutter = ServerSentEvents()
    events = [read_object(data, client) for _, data in [*cutter.feed(stream), *cutter.end()] if data != b"[DONE]"]
    last = events[-1] if events else {}
    if "response" not in last:
        raise stream_error(last["error"], client) if "error" in last else unreadable(stream, client)
    response: dict[str, Any] = last["response"]
    return response


def read_object(data: bytes, client: AsyncOpenAI) -> dict[str, Any]:
    """Return the JSON object that a server sent.

    Raises:
        ModelServerError: It isn't one.
    """
    try:
        value = _json.loads(data)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise unreadable(data, client)
    return value


@asynccontextmanager
async def post_streamed(
    client: AsyncOpenAI, path: str, body: Body, settings: ModelSettings
) -> AsyncIterator[AsyncIterator[list[tuple[bytes, bytes]]]]:
    """Give the server's events as they come: for each piece that arrives, the list of those it completes.

    Leaving the block early closes the connection, which tells the server to stop.

    Raises:
        ModelServerError: As for `post`.
        ModelConnectionError: The answer broke off in the middle.
    """
    response = await _send(client, path, body, settings, stream=True)
    try:
        yield _events(response, client)
    finally:
        await response.aclose()


async def _events(response: httpx2.Response, client: AsyncOpenAI) -> AsyncIterator[list[tuple[bytes, bytes]]]:
    import httpx2

    cutter = ServerSentEvents()
    try:
        if response.headers.get("content-type", "").startswith(("application/json", "text/html")):
            raise _no_stream(await response.aread(), client)
        async for chunk in response.aiter_bytes():
            if events := cutter.feed(chunk):
                yield events
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        raise broken_stream(error, request=response.request, client=client) from error
    for name, data in cutter.end():
        if data != b"[DONE]" and not _is_json(data):  # cut in the middle of an event
            cut = EOFError("the connection was closed in the middle of an event")
            raise broken_stream(cut, request=response.request, client=client)
        yield [(name, data)]


def _no_stream(body: bytes, client: AsyncOpenAI) -> Exception:
    """Return the exception for an answer that was to be a stream and isn't."""
    if _is_json(body) and isinstance(answer := _json.loads(body), dict) and "error" in answer:
        return stream_error(answer["error"], client)
    return unreadable(body, client)


def _is_json(data: bytes) -> bool:
    try:
        _json.loads(data)
    except ValueError:
        return False
    return True


async def _send(
    client: AsyncOpenAI, path: str, body: Body, settings: ModelSettings, *, stream: bool
) -> httpx2.Response:
    import httpx2
    import openai

    _secrets.register_headers(settings.extra_headers)
    _secrets.register_headers(settings.extra_query)
    options: dict[str, Any] = {"headers": _headers(settings.extra_headers, stream)}
    if settings.extra_query:
        options["params"] = settings.extra_query
    if client_retries_off.get():
        options["max_retries"] = 0
    post: Any = client.post  # its type leaves out the raw response, which it gives all the same, unread when streamed
    try:
        response: httpx2.Response = await post(
            path, content=bytes(body), cast_to=httpx2.Response, options=options, stream=stream
        )
    except openai.APIError as error:
        raise as_model_error(error, client) from error
    if notice := response.headers.get("x-agentkit-notice"):
        _say_once(notice)
    return response


@functools.cache
def _say_once(notice: str) -> None:
    """Pass on what the embedded platform has to say of an answer, such as that another model gave it."""
    logger.warning(notice)


def _headers(extra: Mapping[str, str] | None, stream: bool) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Accept": "text/event-stream" if stream else "application/json",
    }
    return headers | dict(extra) if extra else headers
