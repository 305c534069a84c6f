"""Errors of the `openai` client as agentkit's own: short, with what to do, and still of the client's classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit import _secrets
from agentkit.exceptions import (
    AgentsException,
    ModelConnectionError,
    ModelServerError,
    ModelStatusError,
    UnknownModelError,
)

if TYPE_CHECKING:
    import httpx2
    import openai
    from openai import AsyncOpenAI

__all__ = [
    "as_model_error",
    "broken_stream",
    "joined",
    "said_by",
    "server_of",
    "stream_error",
    "too_slow",
    "unreadable",
]

_HINTS = {
    401: "Check the API key: OPENAI_API_KEY, or agentkit.connect(api_key=…).",
    403: "The key may not use this model or this part of the API.",
    404: "Check the model's name and the server's address.",
    429: "The rate limit or the quota is used up; wait, or check the account.",
}


def server_of(client: AsyncOpenAI) -> str:
    """Return the server's address for a message, without a password that may stand in it."""
    return str(client.base_url.copy_with(username=None, password=None))


def as_model_error(error: openai.APIError, client: AsyncOpenAI) -> AgentsException:
    """Return an exception of the class of `error` that is one of agentkit's too.

    Args:
        error: What the `openai` client raised.
        client: The client, for the server's address, and for the key, which servers like to quote.
    """
    import openai

    server = server_of(client)
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        may_pass = status >= 500 and error.response.headers.get("x-should-retry") != "false"
        hint = _HINTS.get(status, "The server failed; try again." if may_pass else None)
        if status == 404 and error.code == "vector_store_not_found":
            hint = (
                "It was deleted, or has expired. Give the agent a store that there is: agentkit.VectorStore.list() "
                "returns them, agentkit.VectorStore.create(…) makes one."
            )
        elif status == 404 and client.base_url.host != "api.openai.com" and _path_of(error).endswith("/responses"):
            hint = f'{hint} A server that only has Chat Completions: agentkit.connect("…", api="chat_completions").'
        text = f"{server} answered {status}: {_sentence(said_by(error))}"
        kind = UnknownModelError if error.code == "model_not_found" else None
        ours: AgentsException = (
            kind(_without_key(text, client))
            if kind
            else ModelStatusError(_without_key(text, client), status_code=status, hint=hint)
        )
    elif isinstance(error, openai.APITimeoutError):
        ours = ModelConnectionError(
            f"{server} did not answer in time.", hint="Try again, or raise the client's timeout."
        )
    elif isinstance(error, openai.APIConnectionError):
        cause = error.__cause__ or error
        ours = ModelConnectionError(
            f"No connection to {server}: {_sentence(str(cause))}", hint="Is the server running, and the address right?"
        )
    else:
        ours = ModelServerError(_without_key(f"{server}: {error.message}", client))
    return joined(error, ours)


def broken_stream(error: Exception, *, request: httpx2.Request, client: AsyncOpenAI) -> AgentsException:
    """Return the exception for an answer that broke off in the middle."""
    import openai

    why = str(error) or type(error).__name__
    ours = ModelConnectionError(
        f"The answer from {server_of(client)} broke off: {why}.", hint="What had come is in the exception's run_data."
    )
    return joined(openai.APIConnectionError(message=why, request=request), ours)


def too_slow(limit_s: float, client: AsyncOpenAI) -> AgentsException:
    """Return the exception for an answer that took longer than `ModelSettings.timeout`."""
    import httpx2
    import openai

    ours = ModelConnectionError(
        f"{server_of(client)} had not answered in full after {limit_s:g} s.",
        hint="Try again, or raise ModelSettings(timeout=…).",
    )
    return joined(openai.APITimeoutError(request=httpx2.Request("POST", client.base_url)), ours)


def stream_error(error: Any, client: AsyncOpenAI | None) -> AgentsException:
    """Return the exception for an error that the server sent inside a stream or as a failed response.

    Args:
        error: What the server sent of it: an object with `message` and `code`, or text.
        client: The client, where there is one to name the server by.
    """
    details = error if isinstance(error, dict) else {"message": error}
    message, code = details.get("message") or "no reason given", details.get("code")
    text = f"{'The model' if client is None else server_of(client)} gave up on the answer: {message}"
    failure = ModelServerError(_without_key(text + (f" ({code})" if code else ""), client))
    failure.code = code
    return failure


def unreadable(data: bytes, client: AsyncOpenAI) -> AgentsException:
    """Return the exception for an answer that is none: a login page, a proxy's error."""
    start = data[:100].decode(errors="replace")
    return ModelServerError(
        _without_key(f"{server_of(client)} answered something that is no JSON object: {start!r}.", client),
        hint="Is this the address of an API? It most often ends in /v1.",
    )


def _without_key(text: str, client: AsyncOpenAI | None) -> str:
    key = None if client is None else _secrets.secret_of(client.api_key)
    return text.replace(key, "…") if key else text


def _sentence(text: str) -> str:
    """Return what another said with an end to it, so that a hint can follow."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _path_of(error: openai.APIStatusError) -> str:
    request = getattr(error, "request", None)  # errors that other packages make of the client's class may lack it
    return "" if request is None else str(request.url.path)


def said_by(error: openai.APIStatusError) -> str:
    """Return what the server said, without what the client puts around it."""
    body = error.body
    if isinstance(body, dict):
        said = body.get("message") or body.get("detail")  # OpenAI's, and FastAPI's
        if isinstance(said, str) and said:
            return said
    response = getattr(error, "response", None)
    return str(
        (response is not None and response.text[:200]) or error.message or getattr(response, "reason_phrase", "")
    )


def joined(error: openai.APIError, ours: AgentsException) -> AgentsException:
    """Return an exception that is of the class of both, and says what `ours` says."""
    combined = _combine(type(ours), type(error))
    exception = combined.__new__(combined)
    exception.args = ours.args
    exception.__dict__.update(error.__dict__)
    exception.__dict__.update(ours.__dict__)
    return exception


_combined: dict[tuple[type[AgentsException], type[openai.APIError]], type[AgentsException]] = {}


def _combine(ours: type[AgentsException], theirs: type[openai.APIError]) -> type[AgentsException]:
    if (ours, theirs) not in _combined:
        _combined[ours, theirs] = type(
            theirs.__name__, (ours, theirs), {"__module__": ours.__module__, "__str__": Exception.__str__}
        )
    return _combined[ours, theirs]
