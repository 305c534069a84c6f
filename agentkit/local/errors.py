"""Errors in OpenAI's shape, and the sentences that OpenAI says.

The body is `{"error": {"message", "type", "param", "code"}}`; the `openai` client turns its status into an exception
class: 400 `BadRequestError`, 401 `AuthenticationError`, 404 `NotFoundError`, 422 `UnprocessableEntityError`; one that
has no class of its own, such as 413, becomes an `APIStatusError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = [
    "ApiError",
    "engine_failed",
    "invalid_value",
    "missing_parameter",
    "model_gone",
    "model_not_found",
    "not_offered",
    "quoted_list",
    "storage_failed",
    "too_large",
    "unsupported_parameter",
]


class ApiError(Exception):
    """A request that can't be answered, as the client will see it.

    Args:
        message: What was wrong, with the value.
        status: HTTP status.
        kind: OpenAI's `type`, such as "invalid_request_error".
        param: Path of the parameter, such as `input[0].role`.
        code: OpenAI's short code, such as "invalid_value".
        headers: Headers for the answer.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.param = param
        self.code = code
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the answer."""
        return {
            "error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code},
        }


def missing_parameter(param: str) -> ApiError:
    """Return the error for a parameter that has to be there."""
    return ApiError(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def invalid_value(value: object, param: str, supported: Iterable[str]) -> ApiError:
    """Return the error for a value that isn't one of `supported`."""
    message = f"Invalid value: {value!r}. Supported values are: {quoted_list(supported)}."
    return ApiError(message, param=param, code="invalid_value")


def unsupported_parameter(param: str, instead: str) -> ApiError:
    """Return the error for a parameter that OpenAI knows and this model doesn't."""
    message = f"Unsupported parameter: '{param}' is not supported with this model. {instead}"
    return ApiError(message, param=param, code="unsupported_parameter")


def not_offered(param: str, what: str, instead: str) -> ApiError:
    """Return the error for a well-formed request for something that only OpenAI's own platform does."""
    message = f"'{param}' can't be processed: the embedded platform has no {what}. {instead}"
    return ApiError(message, status=422, param=param, code="unsupported_feature")


def model_not_found(name: str, known: Iterable[str]) -> ApiError:
    """Return the error for a model that the platform doesn't have."""
    message = f"The model '{name}' does not exist on the embedded platform. It has: {quoted_list(known)}."
    return ApiError(message, status=404, param="model", code="model_not_found")


def model_gone(message: str) -> ApiError:
    """Return the error for a model that was trained, or lies in a folder, and can't be found; told by `message`."""
    return ApiError(message, status=404, param="model", code="model_not_found")


def too_large(limit_bytes: int) -> ApiError:
    """Return the error for a request whose body is longer than `limit_bytes`."""
    message = f"Request body too large: this server takes at most {limit_bytes:,} bytes."
    return ApiError(message, status=413, code="request_too_large")


def engine_failed(model: str, error: Exception) -> ApiError:
    """Return the error for an engine that raised.

    The client is told not to try again: the engine would raise again.
    """
    message = f"The model '{model}' failed while answering: {type(error).__name__}: {error}"
    headers = {"x-should-retry": "false"}
    return ApiError(message, status=500, kind="server_error", code="server_error", headers=headers)


def storage_failed(error: Exception) -> ApiError:
    """Return the error for a storage or an embedder that can't do it; its message says what to do.

    The client is told not to try again.
    """
    headers = {"x-should-retry": "false"}
    return ApiError(str(error), status=500, kind="server_error", code="storage_error", headers=headers)


def quoted_list(values: Iterable[str]) -> str:
    """Return `'a', 'b', and 'c'`."""
    *rest, last = [f"'{value}'" for value in values]
    return f"{', '.join(rest)}{',' if len(rest) > 1 else ''} and {last}" if rest else last
