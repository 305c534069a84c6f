"""From the bytes of a request to a checked request, or to the error that OpenAI would answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from agentkit import _json
from agentkit.local.errors import ApiError, missing_parameter, quoted_list

__all__ = ["Shape", "by_type", "check", "read_json", "text_or_list", "wrong_type"]

ModelT = TypeVar("ModelT", bound=BaseModel)


class Shape(BaseModel):
    """Base of all that requests may hold.

    Nothing is converted, so what was checked is what was sent, and the JSON itself can go on. A misspelt parameter is
    an error.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def by_type(value: Any) -> str | None:
    """Return the tag of a union's member: its `type` in angle brackets, which keeps it out of parameter paths."""
    kind = value.get("type") if isinstance(value, dict) else None
    return f"<{kind}>" if isinstance(kind, str) else None


def text_or_list(value: Any) -> str | None:
    """Return the tag for text or for a list of parts."""
    if isinstance(value, str):
        return "<text>"
    return "<list>" if isinstance(value, list) else None


def read_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a request's body.

    Raises:
        ApiError: It isn't JSON, or not an object.
    """
    try:
        value = _json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ApiError(f"We could not parse the JSON body of your request: {error}.") from None
    if not isinstance(value, dict):
        raise ApiError(
            f"Invalid type for the request body: expected an object, but got {_kind(value)} instead.",
            code="invalid_type",
        )
    return value


def check(model: type[ModelT], value: dict[str, Any]) -> ModelT:
    """Return `value` as `model`.

    Raises:
        ApiError: It doesn't fit; the first thing wrong, in OpenAI's words.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _to_api_error(error.errors(include_url=False)[0]) from None


def _to_api_error(error: ErrorDetails) -> ApiError:
    kind, param, given = error["type"], _path(error["loc"]), error["input"]
    ctx: dict[str, Any] = error.get("ctx", {})
    if kind == "missing":
        return missing_parameter(param)
    if kind == "extra_forbidden":
        return ApiError(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")
    if kind.startswith("union_tag"):
        return _wrong_member(param, given, ctx)
    if kind == "literal_error":
        return _wrong_literal(param, given, str(ctx["expected"]))
    if kind in _EXPECTED_TYPES:
        return wrong_type(param, given, _EXPECTED_TYPES[kind])
    if kind in _LIMITS:
        message, code = _LIMITS[kind](given, ctx)
        return ApiError(f"Invalid '{param}': {message}", param=param, code=code)
    return ApiError(f"Invalid '{param}': {error['msg']}.", param=param, code="invalid_value")


_EXPECTED_TYPES = {
    "string_type": "a string",
    "int_type": "an integer",
    "float_type": "a decimal",
    "bool_type": "a boolean",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "none_required": "null",
}


def wrong_type(param: str, given: object, expected: str) -> ApiError:
    """Return the error for a parameter that is of another kind than expected."""
    message = f"Invalid type for '{param}': expected {expected}, but got {_kind(given)} instead."
    return ApiError(message, param=param, code="invalid_type")


def _wrong_literal(param: str, given: object, expected: str) -> ApiError:
    values = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    if not isinstance(given, str):
        return wrong_type(param, given, f"one of {quoted_list(values)}")
    message = f"Invalid value: '{_short(given)}'. Supported values are: {quoted_list(values)}."
    return ApiError(message, param=param, code="invalid_value")


def _wrong_member(param: str, given: object, ctx: dict[str, Any]) -> ApiError:
    """Return the error for a value that is no member of a union: a part, an item, a tool."""
    if ctx["discriminator"] == "text_or_list()":
        return wrong_type(param, given, "a string or an array")
    if not isinstance(given, dict):
        return wrong_type(param, given, "an object")
    if "type" not in given:
        return missing_parameter(f"{param}.type")
    if not isinstance(given["type"], str):
        return wrong_type(f"{param}.type", given["type"], "a string")
    tags = [tag.strip("'<>").partition(":")[0] for tag in ctx["expected_tags"].split(", ")]
    message = f"Invalid value: '{_short(given['type'])}'. Supported values are: {quoted_list(dict.fromkeys(tags))}."
    return ApiError(message, param=f"{param}.type", code="invalid_value")


def _below(given: object, ctx: dict[str, Any]) -> tuple[str, str]:
    noun = "decimal" if isinstance(ctx["ge"], float) else "integer"
    message = f"{noun} below minimum value. Expected a value >= {_number(ctx['ge'])}, but got {given} instead."
    return message, f"{noun}_below_min_value"


def _above(given: object, ctx: dict[str, Any]) -> tuple[str, str]:
    noun = "decimal" if isinstance(ctx["le"], float) else "integer"
    message = f"{noun} above maximum value. Expected a value <= {_number(ctx['le'])}, but got {given} instead."
    return message, f"{noun}_above_max_value"


def _number(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _long_text(given: Any, ctx: dict[str, Any]) -> tuple[str, str]:
    limit = ctx["max_length"]
    message = f"string too long. Expected a string with maximum length {limit}, but got one of {len(given)} instead."
    return message, "string_above_max_length"


def _short_text(given: Any, ctx: dict[str, Any]) -> tuple[str, str]:
    limit = ctx["min_length"]
    message = f"string too short. Expected a string with minimum length {limit}, but got one of {len(given)} instead."
    return message, "string_below_min_length"


def _pattern(given: Any, ctx: dict[str, Any]) -> tuple[str, str]:
    pattern = ctx["pattern"]
    message = (
        f"string does not match pattern. Expected one that matches '{pattern}', but got '{_short(given)}' instead."
    )
    return message, "invalid_value"


def _many(given: Any, ctx: dict[str, Any]) -> tuple[str, str]:
    thing, parts, code = ("object", "properties", "object_above_max_properties")
    if isinstance(given, list):
        thing, parts, code = ("array", "elements", "array_above_max_length")
    limit = ctx["max_length"]
    return f"too many {parts}. Expected an {thing} with at most {limit}, but got {len(given)} instead.", code


def _few(given: Any, ctx: dict[str, Any]) -> tuple[str, str]:
    message = f"empty array. Expected an array with minimum length {ctx['min_length']}, but got an empty array instead."
    return message, "empty_array"


_LIMITS: dict[str, Callable[[Any, dict[str, Any]], tuple[str, str]]] = {
    "greater_than_equal": _below,
    "less_than_equal": _above,
    "string_too_long": _long_text,
    "string_too_short": _short_text,
    "string_pattern_mismatch": _pattern,
    "too_long": _many,
    "too_short": _few,
}


def _path(loc: tuple[int | str, ...]) -> str:
    """Return pydantic's location the way OpenAI writes it: `input[0].content[1].type`."""
    path = ""
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        elif not part.startswith(("<", "[")):  # a union's tag, or pydantic's mark for a key
            path += f".{part}" if path else part
    return path


def _kind(value: object) -> str:
    names = {
        str: "a string",
        bool: "a boolean",
        int: "an integer",
        float: "a decimal",
        list: "an array",
        dict: "an object",
    }
    return "null" if value is None else names.get(type(value), type(value).__name__)


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}…"
