"""Errors of the `openai` client as agentkit's own: short, with what to do, and still of the client's classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentkit.exceptions import AgentsException, ModelConnectionError, ModelServerError, ModelStatusError

if TYPE_CHECKING:
    import httpx2
    import openai

__all__ = ["as_model_error", "broken_stream", "stream_error"]

_HINTS = {
    401: "Check the API key: OPENAI_API_KEY, or agentkit.connect(api_key=…).",
    403: "The key may not use this model or this part of the API.",
    404: "Check the model's name and the server's address.",
    429: "The rate limit or the quota is used up; wait, or check the account.",
}


def as_model_error(error: openai.APIError, *, base_url: str) -> AgentsException:
    """Return an exception of the class of `error` that is one of agentkit's too.

    Args:
        error: What the `openai` client raised.
        base_url: The server's address, for the message.
    """
    import openai

    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        hint = _HINTS.get(status, "The server failed; try again." if status >= 500 else None)
        text = f"{base_url} answered {status}: {_said(error)}"
        ours: AgentsException = ModelStatusError(text, status_code=status, hint=hint)
    elif isinstance(error, openai.APITimeoutError):
        ours = ModelConnectionError(
            f"{base_url} did not answer in time.", hint="Try again, or raise the client's timeout."
        )
    elif isinstance(error, openai.APIConnectionError):
        cause = error.__cause__ or error
        ours = ModelConnectionError(
            f"No connection to {base_url}: {cause}.", hint="Is the server running, and the address right?"
        )
    else:
        ours = ModelServerError(f"{base_url}: {error.message}")
    return _both(error, ours)


def broken_stream(error: Exception, *, request: httpx2.Request, base_url: str) -> AgentsException:
    """Return the exception for an answer that broke off in the middle."""
    import openai

    ours = ModelConnectionError(
        f"The answer from {base_url} broke off: {error}.",
        hint="What had come is in the exception's run_data.",
    )
    return _both(openai.APIConnectionError(message=str(error), request=request), ours)


def stream_error(message: str, code: str | None, *, base_url: str) -> AgentsException:
    """Return the exception for an error that the server sent inside a stream or as a failed response."""
    return ModelServerError(f"{base_url} gave up on the answer: {message}" + (f" ({code})" if code else ""))


def _said(error: openai.APIStatusError) -> str:
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or error.response.text[:200] or error.response.reason_phrase)


def _both(error: openai.APIError, ours: AgentsException) -> AgentsException:
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
