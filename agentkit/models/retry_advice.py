"""What is known of a failed model call, and whether it is worth making again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from agentkit._retry_after import header, number, retry_after_s
from agentkit.exceptions import AgentsException, ModelServerError
from agentkit.models.retry import ModelRetryAdvice, ModelRetryNormalizedError
from agentkit.tooling import ComputerTool, FileSearchTool, FunctionTool, LocalShellTool, WebSearchTool

__all__ = ["acts", "advise", "normalize"]

_NOT_REACHED = frozenset(
    {
        *("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"),  # httpx, httpx2, requests
        *("ConnectionRefusedError", "gaierror"),
        *("ClientConnectorError", "NewConnectionError", "ConnectTimeoutError"),  # aiohttp, urllib3
    }
)
"""Errors by which the server was surely not reached, by the names of their classes."""

_NETWORK = _NOT_REACHED | {
    *("APIConnectionError", "ModelConnectionError"),
    *("NetworkError", "TransportError", "RemoteProtocolError", "ConnectionError", "ClientConnectionError"),
    *("ServerDisconnectedError", "ClientPayloadError", "IncompleteRead", "ProtocolError"),
}
_TIMEOUT = frozenset({"TimeoutError", "APITimeoutError", "TimeoutException", "Timeout", "ServerTimeoutError"})

_TRANSIENT_STATUS = frozenset({408, 409, 429})
_TRANSIENT_CODES = frozenset({"conversation_locked", "rate_limit_exceeded", "server_error", "vector_store_timeout"})
_USED_UP = frozenset({"billing_hard_limit_reached", "billing_not_active", "insufficient_quota"})
"""What no waiting helps against, though it comes as a 429."""

_REPEATABLE_TOOLS = (FunctionTool, FileSearchTool, WebSearchTool, ComputerTool, LocalShellTool)
"""Tools that the platform doesn't run, or that only read."""


def acts(arguments: dict[str, Any]) -> bool:
    """Return whether a model call, if the platform carries it out twice, may do something twice.

    That is so where the platform keeps the conversation itself, and where it runs tools that change something.

    Args:
        arguments: Those of `Model.get_response`, by name.
    """
    if arguments.get("conversation_id") or arguments.get("prompt"):  # a stored prompt may bring tools of its own
        return True
    if not all(isinstance(tool, _REPEATABLE_TOOLS) for tool in arguments.get("tools") or ()):
        return True
    settings = arguments.get("model_settings")
    more = {**(getattr(settings, "extra_args", None) or {}), **(getattr(settings, "extra_body", None) or {})}
    return any(more.get(name) for name in ("conversation", "prompt", "tools"))


def normalize(error: Exception, *, now: Callable[[], float] = time.time) -> ModelRetryNormalizedError:
    """Return what is known of `error`, and of the errors that it was raised from, whichever package they are of.

    Args:
        error: What the model raised.
        now: The time, in seconds since 1970, against which a date in Retry-After is taken.
    """
    kinds = {kind.__name__ for each in _chain(error) for kind in type(each).__mro__}
    return ModelRetryNormalizedError(
        status_code=_first(error, _status),
        error_code=_first(error, _code),
        message=str(error),
        request_id=_first(error, lambda each: _text(getattr(each, "request_id", None))),
        retry_after=_first(error, lambda each: retry_after_s(_headers(each), now=now)),
        is_abort="CancelledError" in kinds,
        is_network_error=bool(kinds & _NETWORK),
        is_timeout=bool(kinds & _TIMEOUT),
    )


def advise(error: Exception, known: ModelRetryNormalizedError, *, started: bool) -> ModelRetryAdvice:
    """Return whether to make a call again, for models that don't say so themselves.

    Args:
        error: What the model raised.
        known: What is known of it.
        started: Whether the answer had begun.
    """
    safety = "unsafe" if started else "safe" if _did_nothing(error, known) else "unknown"
    suggested, reason = _suggestion(error, known)
    return ModelRetryAdvice(
        suggested,
        retry_after=known.retry_after,
        replay_safety=safety,
        reason=reason,
        normalized=known,
        response_started=started,
    )


def _suggestion(error: Exception, known: ModelRetryNormalizedError) -> tuple[bool | None, str | None]:
    if isinstance(error, AgentsException) and not isinstance(error, ModelServerError):
        return False, "the error is no server's"
    if known.error_code in _USED_UP or _first(error, _kind) in _USED_UP:
        return False, "the quota is used up"
    if (told := _first(error, lambda each: _header(each, "x-should-retry"))) in ("true", "false"):
        return told == "true", "the server says so"
    if _first(error, _client_retries):
        return False, "the client has tried it again already"
    if known.is_timeout:
        return True, "it took too long"
    if known.is_network_error:
        return True, "the connection failed"
    status = known.status_code
    if status is not None and (status in _TRANSIENT_STATUS or 500 <= status < 600):
        return True, f"the server answered {status}"
    if known.error_code in _TRANSIENT_CODES:
        return True, known.error_code
    return (None if status is None else False), None


def _did_nothing(error: Exception, known: ModelRetryNormalizedError) -> bool:
    """Return whether the server surely did nothing: it wasn't reached, or turned the request away."""
    kinds = {kind.__name__ for each in _chain(error) for kind in type(each).__mro__}
    if kinds & _NOT_REACHED or known.error_code == "conversation_locked":
        return True
    if _first(error, lambda each: _header(each, "x-should-retry")) == "true":
        return True
    return known.status_code == 429 or (known.status_code == 503 and known.retry_after is not None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it was raised from."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__


def _first(error: BaseException, read: Callable[[Any], Any]) -> Any:
    """Return the first that `read` finds in the chain."""
    return next((found for each in _chain(error) if (found := read(each)) is not None), None)


def _status(error: Any) -> int | None:
    response = getattr(error, "response", None)
    for found in (getattr(error, "status_code", None), getattr(response, "status_code", None)):
        if isinstance(found, int) and not isinstance(found, bool):
            return found
    code = getattr(error, "code", None)  # some servers put the status of theirs in an error within a stream
    return code if isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600 else None


def _code(error: Any) -> str | None:
    if code := _text(getattr(error, "code", None)):
        return code
    body = getattr(error, "body", None)
    details = body.get("error", body) if isinstance(body, dict) else None
    return _text(details.get("code")) if isinstance(details, dict) else None


def _kind(error: Any) -> str | None:
    """Return the `type` that the platform gives its error."""
    return _text(getattr(error, "type", None))


def _headers(error: Any) -> Any:
    response = getattr(error, "response", None)
    return getattr(response, "headers", None) or getattr(error, "headers", None)


def _header(error: Any, name: str) -> str | None:
    found = header(_headers(error), name)
    return None if found is None else found.strip().lower()


def _client_retries(error: Any) -> int | None:
    """Return how often an `openai` client has made the request again by itself."""
    request = None
    with suppress(RuntimeError):  # an HTTP client's error may have no request yet, and says so by raising
        request = getattr(error, "request", None)
    count = number(header(getattr(request, "headers", None), "x-stainless-retry-count"))
    return int(count) if count else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
