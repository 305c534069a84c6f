"""Requests through the `openai` client, bytes in and bytes out.

The client does keys, retries, timeouts, the connection pool and its exceptions. Its typed layer is left out: it walks
the whole input on each call, and builds objects for each streamed token.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from agentkit.models.errors import as_model_error, broken_stream
from agentkit.models.settings import ModelSettings
from agentkit.models.stream import ServerSentEvents

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

__all__ = ["Body", "post", "post_streamed"]

Body = bytes | bytearray

logger = logging.getLogger("agentkit")


async def post(client: AsyncOpenAI, path: str, body: Body, settings: ModelSettings) -> bytes:
    """Return what the server answers.

    Raises:
        ModelServerError: It didn't answer, or answered with an error, after the client's retries.
    """
    response = await _send(client, path, body, settings, stream=False)
    content: bytes = response.content
    return content


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
        yield _events(response, str(client.base_url))
    finally:
        await response.aclose()


async def _events(response: httpx2.Response, base_url: str) -> AsyncIterator[list[tuple[bytes, bytes]]]:
    import httpx2

    cutter = ServerSentEvents()
    try:
        async for chunk in response.aiter_bytes():
            if events := cutter.feed(chunk):
                yield events
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        raise broken_stream(error, request=response.request, base_url=base_url) from error
    if events := cutter.end():
        yield events


async def _send(
    client: AsyncOpenAI, path: str, body: Body, settings: ModelSettings, *, stream: bool
) -> httpx2.Response:
    import httpx2
    import openai

    options: dict[str, Any] = {"headers": _headers(settings.extra_headers, stream)}
    if settings.extra_query:
        options["params"] = settings.extra_query
    post: Any = client.post  # its type leaves out the raw response, which it gives all the same, unread when streamed
    try:
        response: httpx2.Response = await post(
            path, content=bytes(body), cast_to=httpx2.Response, options=options, stream=stream
        )
    except openai.APIError as error:
        raise as_model_error(error, base_url=str(client.base_url)) from error
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
