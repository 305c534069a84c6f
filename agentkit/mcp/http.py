"""A server at an address, spoken to by streamable HTTP, or by the older HTTP with server-sent events."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from agentkit import _logging, _secrets
from agentkit.exceptions import UserError
from agentkit.mcp.failures import Failure, without_secrets

__all__ = ["HttpTransport", "http_transport", "refused", "status_of_request"]

_PARAMS = ("url", "headers", "timeout", "sse_read_timeout", "terminate_on_close", "httpx_client_factory", "auth")
_GOODBYE_S = 2.0  # for a server to confirm the end of a session

status_of_request: contextvars.ContextVar[list[int]] = contextvars.ContextVar("agentkit_mcp_status")
"""HTTP statuses of 400 and above that the request under way got: a list that the transport adds to."""


@dataclass
class HttpTransport:
    """Speaks to a server by HTTP."""

    url: str
    """Its address."""
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    """Headers of each request."""
    timeout_s: float = 5.0
    """Seconds that connecting, and sending, may take."""
    read_timeout_s: float = 300.0
    """Seconds that may pass between two pieces of an answer."""
    terminate_on_close: bool = True
    """Whether the server is told that the session is over."""
    client_factory: Callable[..., Any] | None = None
    """Makes the HTTP client, from `headers`, `timeout` and `auth`."""
    auth: Any = None
    """An `httpx2.Auth`."""
    style: Literal["streamable", "sse"] = "streamable"
    """Which of the two protocols."""
    _on_close: Callable[[], None] = field(default=lambda: None, init=False, repr=False)
    _last_status: int | None = field(default=None, init=False, repr=False)
    _session_id: str | None = field(default=None, init=False, repr=False)
    _version: str = field(default="", init=False, repr=False)
    _open: bool = field(default=True, init=False, repr=False)

    @property
    def shown_url(self) -> str:
        """The address without what may be secret in it."""
        return without_secrets(self.url)

    @property
    def session_id(self) -> str | None:
        """What the server calls the session; None where it doesn't, or has forgotten it."""
        return self._session_id

    def forget_session(self) -> None:
        """Take note that the server doesn't know the session any more."""
        self._session_id = None

    def when_closed(self, function: Callable[[], None]) -> None:
        """Have `function` called, on the connection's loop, when no answers can come any more."""
        self._on_close = function

    @property
    def alive(self) -> bool:
        """Whether the way is open; whether a server is at its end shows at the next request."""
        return self._open

    @contextlib.asynccontextmanager
    async def streams(self) -> AsyncIterator[Any]:
        """Open the way, and yield its streams."""
        _secrets.register_headers(self.headers)
        _logging.guard_logs("httpx", "httpx2", "mcp.client.streamable_http", "mcp.client.sse")
        try:
            if self.style == "sse":
                from mcp.client.sse import sse_client

                async with sse_client(
                    self.url,
                    headers=dict(self.headers or {}),
                    timeout=self.timeout_s,
                    sse_read_timeout=self.read_timeout_s,
                    httpx_client_factory=self._client,
                    auth=self.auth,
                ) as (received, to_send):
                    yield _Watched(received, self._ended), to_send
                return
            import httpx2
            from mcp.client.streamable_http import streamable_http_client

            timeout = httpx2.Timeout(self.timeout_s, read=self.read_timeout_s)
            client = self._client(headers=dict(self.headers or {}), timeout=timeout, auth=self.auth)
            async with client:
                way = streamable_http_client(self.url, http_client=client, terminate_on_close=False)
                async with way as (received, to_send):
                    yield _Watched(received, self._ended), to_send
                await self._terminate(client)
        finally:
            self._open = False

    def _ended(self) -> None:
        self._open = False
        self._on_close()

    async def _terminate(self, client: Any) -> None:
        """Tell the server that the session is over. The protocol's package warns of a server that has gone."""
        import httpx2

        if not self.terminate_on_close or self._session_id is None:
            return
        headers = {"mcp-session-id": self._session_id}
        if self._version:
            headers["mcp-protocol-version"] = self._version
        with contextlib.suppress(httpx2.HTTPError):
            await client.delete(self.url, headers=headers, timeout=_GOODBYE_S)

    def explain(self, error: BaseException | None) -> Failure:
        """Return what became of the server."""
        import httpx2

        where = self.shown_url
        if isinstance(error, httpx2.HTTPStatusError):
            self._last_status = error.response.status_code
        if isinstance(error, httpx2.ConnectError):
            hint = "Start the server, or correct the address."
            return Failure(f"can't be reached at {where}: {error}", hint, lost=True)
        if isinstance(error, httpx2.TimeoutException):
            hint = 'Give it more time by params["timeout"] or params["sse_read_timeout"].'
            limit = self.read_timeout_s if isinstance(error, httpx2.ReadTimeout) else self.timeout_s
            return Failure(f"at {where} took longer than {limit:g} s", hint, timeout_s=limit, lost=True)
        if self._last_status is not None:
            return refused(where, self._last_status)
        hint = "The next call connects to it again."
        if error is None:
            return Failure(f"at {where} hung up", hint, lost=True)
        return Failure(f"at {where} broke off the connection: {type(error).__name__}: {error}", hint, lost=True)

    def _client(self, headers: Any = None, timeout: Any = None, auth: Any = None) -> Any:
        import httpx2

        # each request under way has a connection; where their number is limited, others may wait for long
        timeout = httpx2.Timeout(connect=timeout.connect, read=timeout.read, write=timeout.write, pool=None)
        if self.client_factory is not None:
            client = self.client_factory(headers=headers, timeout=timeout, auth=auth)
        else:
            limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
            client = httpx2.AsyncClient(headers=headers, timeout=timeout, auth=auth, limits=limits)
        hooks = client.event_hooks
        client.event_hooks = {**hooks, "response": [*hooks.get("response", []), self._note]}
        return client

    async def _note(self, response: Any) -> None:
        """Note an answer's status and session: what the protocol's package makes of them doesn't tell."""
        request, status = response.request, response.status_code
        if request.method == "DELETE":
            return
        if request.method == "POST" or self.style == "sse":
            self._last_status = status if status >= 400 else None
            self._version = request.headers.get("mcp-protocol-version", self._version)
            if "mcp-session-id" not in request.headers:  # the first answer gives it
                self._session_id = response.headers.get("mcp-session-id")
        if status >= 400:
            with contextlib.suppress(LookupError):
                status_of_request.get().append(status)


class _Watched:
    """A stream of messages that tells when it ends: a sender that fails closes it, and says nothing."""

    def __init__(self, stream: Any, ended: Callable[[], None]) -> None:
        self._stream = stream
        self._ended = ended

    @property
    def last_context(self) -> contextvars.Context | None:
        """The context that the last message was sent in."""
        context: contextvars.Context | None = self._stream.last_context
        return context

    async def receive(self) -> Any:
        return await self._stream.receive()

    async def aclose(self) -> None:
        await self._stream.aclose()

    def __aiter__(self) -> _Watched:
        return self

    async def __anext__(self) -> Any:
        return await self._stream.__anext__()

    async def __aenter__(self) -> _Watched:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ended()  # nobody reads on
        await self.aclose()


def refused(where: str, status: int) -> Failure:
    """Return the failure of a request that was answered with an error status."""
    hints = {
        401: "Give a key or token in headers or auth.",
        403: "The key or token in headers doesn't allow it.",
        404: "Correct the address: it often ends in /mcp.",
    }
    what = f"at {where} answered with HTTP status {status}"
    passing = status >= 500 or status in (404, 408, 425, 429)  # another time it may answer
    return Failure(what, hints.get(status, "See the server's log."), status_code=status, lost=passing)


def http_transport(params: Mapping[str, Any], style: Literal["streamable", "sse"], who: str) -> HttpTransport:
    """Return the transport for the `params` that a user gave.

    Raises:
        UserError: One of them is missing, unknown or of the wrong kind.
    """
    if unknown := sorted(set(params) - set(_PARAMS)):
        raise UserError(f"{who}: params has the unknown key {unknown[0]!r}.", hint=f"It takes {', '.join(_PARAMS)}.")
    url = params.get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise UserError(f"{who}: params['url'] has to be an address such as 'http://localhost:8000/mcp', not {url!r}.")
    return HttpTransport(
        url,
        headers=params.get("headers"),
        timeout_s=_seconds(params.get("timeout", 5.0), "timeout", who),
        read_timeout_s=_seconds(params.get("sse_read_timeout", 300.0), "sse_read_timeout", who),
        terminate_on_close=bool(params.get("terminate_on_close", True)),
        client_factory=params.get("httpx_client_factory"),
        auth=params.get("auth"),
        style=style,
    )


def _seconds(value: Any, name: str, who: str) -> float:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds <= 0:
        raise UserError(f"{who}: params[{name!r}] has to be a number of seconds above 0, not {value!r}.")
    return float(seconds)
