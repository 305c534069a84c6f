"""Requests to a server, and what went wrong where one isn't answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from agentkit.mcp.connection import Connection, slow
from agentkit.mcp.failures import Failure, RequestFailed
from agentkit.mcp.http import HttpTransport, refused, status_of_request

if TYPE_CHECKING:
    from mcp import ClientSession

__all__ = ["asked", "closed"]

T = TypeVar("T")

_STAND_INS = ("Server returned an error response", "Session terminated", "Not Found")
"""What the protocol's package says of an error status without a message of the server's own."""


async def asked(connection: Connection, send: Callable[[ClientSession], Awaitable[T]]) -> T:
    """Return what a request is answered with.

    Raises:
        RequestFailed: It isn't, or with an error.
    """
    from mcp import MCPError

    statuses: list[int] = []
    status_of_request.set(statuses)
    try:
        return await connection.request(send)
    except MCPError as error:
        raise RequestFailed(await _what_failed(connection, error, statuses)) from None
    except (RuntimeError, ValueError) as error:  # the package's own words for answers that break the protocol
        if str(error).startswith("Server returned InputRequiredResult"):
            raise RequestFailed(Failure("asks the user for more, which agentkit's servers can't")) from None
        raise RequestFailed(Failure(f"sent an answer that can't be used: {error}")) from None


async def closed(*connections: Connection) -> None:
    """Close connections, and wait until nothing is left of them, also where the caller is cancelled meanwhile."""
    cancelled: asyncio.CancelledError | None = None
    for connection in connections:
        connection.stop()
    for connection in connections:
        while not connection.ended.done():
            try:
                await asyncio.shield(asyncio.wrap_future(connection.ended))
            except asyncio.CancelledError as error:
                cancelled = error
        connection.join(1)
    if cancelled is not None:
        raise cancelled


async def _what_failed(connection: Connection, error: Any, statuses: list[int]) -> Failure:
    """Return what an error of the protocol's package stands for, and close a connection that has broken."""
    from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT

    transport, said = connection.transport, str(error)
    if isinstance(transport, HttpTransport) and statuses:
        return _by_status(connection, transport, error, statuses[-1])
    if error.code == REQUEST_TIMEOUT:
        return slow(connection.timeout_s)
    if error.code == CONNECTION_CLOSED and said.startswith("SSE stream"):
        connection.retire()  # this answer broke off; those to other requests come on connections of their own
        return transport.explain(None)
    if error.code == CONNECTION_CLOSED and (said.startswith("Connection closed") or not transport.alive):
        why = await connection.why()
        connection.join(1)
        return why
    return Failure(f"answered with an error: {said} (code {error.code})")  # a server may use the codes for its own


def _by_status(connection: Connection, transport: HttpTransport, error: Any, status: int) -> Failure:
    """Return the failure of a request that got an error status. It is that request's: others go on."""
    from mcp_types import METHOD_NOT_FOUND

    said, where = str(error), transport.shown_url
    failure = refused(where, status)
    if said not in _STAND_INS:
        failure = replace(failure, what=f"at {where} answered with HTTP status {status}: {said} (code {error.code})")
    if status == 404 and error.code == METHOD_NOT_FOUND and said not in _STAND_INS:
        return Failure(f"answered with an error: {said} (code {error.code})", status_code=status)
    if status == 404 or (status == 400 and "session" in said.lower()):
        # it has forgotten the session, most likely since it was started anew. 404 is the protocol's way to say that,
        # 400 that of many servers: https://modelcontextprotocol.io/specification/2025-06-18/basic/transports
        transport.forget_session()
        connection.retire()
        return replace(failure, lost=True, unheard=True)
    return failure
