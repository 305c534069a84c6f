"""The response object."""

from __future__ import annotations

import time
from typing import Any

from agentkit.local.errors import ApiError
from agentkit.local.ids import new_id
from agentkit.local.responses.request import ResponseRequest, options_with_defaults

__all__ = ["fail", "finish", "new_response", "usage_of"]


def new_response(request: ResponseRequest, body: dict[str, Any], *, model: str) -> dict[str, Any]:
    """Return the response to a request as it is before anything is answered.

    Args:
        request: The request.
        body: The same as JSON.
        model: Name of the model that answers.
    """
    return {
        "id": new_id("resp"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": request.instructions,
        "max_output_tokens": request.max_output_tokens,
        "max_tool_calls": request.max_tool_calls,
        "model": model,
        "output": [],
        **options_with_defaults(body),
        "previous_response_id": request.previous_response_id,
        "prompt_cache_key": request.prompt_cache_key,
        "safety_identifier": request.safety_identifier,
        "service_tier": "default",
        "temperature": 1.0 if request.temperature is None else request.temperature,
        "top_logprobs": request.top_logprobs or 0,
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "usage": None,
        "user": request.user,
        "metadata": request.metadata or {},
    }


def finish(response: dict[str, Any], *, cut: bool, usage: dict[str, Any]) -> None:
    """Mark a response as at its end: completed, or incomplete where its tokens ran out."""
    response["status"] = "incomplete" if cut else "completed"
    response["incomplete_details"] = {"reason": "max_output_tokens"} if cut else None
    response["completed_at"] = None if cut else int(time.time())
    response["usage"] = usage


def fail(response: dict[str, Any], error: ApiError) -> None:
    """Mark a response as failed."""
    response["status"] = "failed"
    response["error"] = {"code": "server_error", "message": error.message}


def usage_of(input_tokens: int, output_tokens: int, reasoning_tokens: int = 0) -> dict[str, Any]:
    """Return the tokens used as a response gives them."""
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": reasoning_tokens},
        "total_tokens": input_tokens + output_tokens,
    }
