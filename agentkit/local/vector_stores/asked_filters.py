"""Filters as requests have them, checked and made into `filters.Filter`."""

from __future__ import annotations

import math
from typing import Any, get_args

from agentkit.local.checking import wrong_type
from agentkit.local.errors import ApiError, invalid_value, missing_parameter
from agentkit.local.vector_stores.filters import AllOf, AnyOf, Comparison, Filter, Operator

__all__ = ["read_filter"]

_OPERATORS: tuple[Operator, ...] = get_args(Operator)
_ORDERED = ("gt", "gte", "lt", "lte")
_DEEPEST = 16


def read_filter(value: Any, param: str = "filters", *, depth: int = 0) -> Filter:
    """Return the filter that a request's JSON describes.

    Args:
        value: `{"type": "eq", "key", "value"}` and its like, or `{"type": "and" | "or", "filters": […]}`.
        param: Where it stands in the request, for errors.
        depth: How many filters are around it.

    Raises:
        ApiError: It isn't a filter: the first thing wrong, in OpenAI's words.
    """
    if not isinstance(value, dict):
        raise wrong_type(param, value, "an object")
    if depth > _DEEPEST:
        raise ApiError(f"Invalid '{param}': filters may be nested {_DEEPEST} deep at most.", param=param)
    if "type" not in value:
        raise missing_parameter(f"{param}.type")
    kind = value["type"]
    if kind in ("and", "or"):
        return _read_compound(value, param, depth)
    if kind not in _OPERATORS:
        raise invalid_value(kind, f"{param}.type", [*_OPERATORS, "and", "or"])
    return _read_comparison(value, param)


def _read_compound(value: dict[str, Any], param: str, depth: int) -> Filter:
    _check_keys(value, ("type", "filters"), param)
    parts = value["filters"]
    if not isinstance(parts, list):
        raise wrong_type(f"{param}.filters", parts, "an array")
    if not parts:
        message = "Expected an array with minimum length 1, but got an empty array instead."
        raise ApiError(
            f"Invalid '{param}.filters': empty array. {message}", param=f"{param}.filters", code="empty_array"
        )
    read = tuple(read_filter(part, f"{param}.filters[{index}]", depth=depth + 1) for index, part in enumerate(parts))
    return AllOf(read) if value["type"] == "and" else AnyOf(read)


def _read_comparison(value: dict[str, Any], param: str) -> Comparison:
    _check_keys(value, ("type", "key", "value"), param)
    operator, key, given = value["type"], value["key"], value["value"]
    if not isinstance(key, str):
        raise wrong_type(f"{param}.key", key, "a string")
    place = f"{param}.value"
    if operator in ("in", "nin"):
        if not isinstance(given, list):
            raise wrong_type(place, given, "an array")
        return Comparison(operator, key, tuple(_scalar(one, f"{place}[{index}]") for index, one in enumerate(given)))
    scalar = _scalar(given, place)
    if operator in _ORDERED and isinstance(scalar, bool):
        message = f"Invalid '{place}': booleans have no order. Compare them with 'eq' or 'ne'."
        raise ApiError(message, param=place, code="invalid_value")
    return Comparison(operator, key, scalar)


def _scalar(value: Any, param: str) -> str | float | bool:
    if isinstance(value, float) and not math.isfinite(value):
        raise ApiError(f"Invalid '{param}': {value} is no number to compare with.", param=param, code="invalid_value")
    if isinstance(value, str | int | float):
        return value
    raise wrong_type(param, value, "a string, a number or a boolean")


def _check_keys(value: dict[str, Any], keys: tuple[str, ...], param: str) -> None:
    for key in keys:
        if key not in value:
            raise missing_parameter(f"{param}.{key}")
    for key in value:
        if key not in keys:
            raise ApiError(f"Unknown parameter: '{param}.{key}'.", param=f"{param}.{key}", code="unknown_parameter")
