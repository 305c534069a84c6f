"""A server at an address, spoken to by streamable HTTP, or by the older HTTP with server-sent events."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from agentkit.exceptions import UserError
from agentkit.mcp.failures import Failure, without_secrets

__all__ = ["HttpTransport", "http_transport", "refused", "status_of_request"]

_PARAMS = ("url", "headers", "timeout", "sse_read_timeout", "terminate_on_close", "httpx_client_factory", "auth")

status_of_request: contextvars.ContextVar[list[int]] = contextvars.ContextVar("agentkit_mcp_status")
"""HTTP statuses of 400 and above that the request under way got: a list that the transport adds to."""


@dataclass
class HttpTransport:
    """Speaks to a server by HTTP."""

    url: str
    """Its address."""
    headers: Mapping[str, str] | None = None
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
    _last_status: int | None = field(default=None, init=False, repr=False)
    _open: bool = field(default=True, init=False, repr=False)

    @property
    def shown_url(self) -> str:
        """The address without what may be secret in it."""
        return without_secrets(self.url)

    def when_closed(self, function: Callable[[], None]) -> None:
        """Do nothing: each request is a connection of its own, so that none is there to be closed."""

    @property
    def alive(self) -> bool:
        """Whether the way is open; whether a server is at its end shows at the next request."""
        return self._open

    @contextlib.asynccontextmanager
    async def streams(self) -> AsyncIterator[Any]:
        """Open the way, and yield its streams."""
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
                ) as streams:
                    yield streams
                return
            import httpx2
            from mcp.client.streamable_http import streamable_http_client

            timeout = httpx2.Timeout(self.timeout_s, read=self.read_timeout_s)
            client = self._client(headers=dict(self.headers or {}), timeout=timeout, auth=self.auth)
            async with (
                client,
                streamable_http_client(
                    self.url, http_client=client, terminate_on_close=self.terminate_on_close
                ) as streams,
            ):
                yield streams
        finally:
            self._open = False

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
        from mcp.shared._httpx_utils import create_mcp_http_client

        make = self.client_factory or create_mcp_http_client
        client = make(headers=headers, timeout=timeout, auth=auth)
        hooks = client.event_hooks
        client.event_hooks = {**hooks, "response": [*hooks.get("response", []), self._note]}
        return client

    async def _note(self, response: Any) -> None:
        """Note the status of an answer: what the protocol's package makes of it doesn't tell."""
        if response.status_code >= 400 and response.request.method != "DELETE":
            if response.request.method == "POST" or self.style == "sse":
                self._last_status = response.status_code
            with contextlib.suppress(LookupError):
                status_of_request.get().append(response.status_code)


def refused(where: str, status: int) -> Failure:
    """Return the failure of a request that was answered with an error status."""
    hints = {
        401: "Give a key or token in headers or auth.",
        403: "The key or token in headers doesn't allow it.",
        404: "Correct the address: it often ends in /mcp.",
    }
    what = f"at {where} answered with HTTP status {status}"
    return Failure(what, hints.get(status, "See the server's log."), status_code=status, lost=True)


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
