"""JSON, fast: pydantic's parser and writer, with the standard library for what they refuse.

Half an escaped surrogate pair (a model may cut an emoji in two) is refused by every fast parser; it is rare, so the
slow path is taken only then.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

__all__ = ["dumps", "loads"]


def loads(data: bytes | str) -> Any:
    """Return the value that `data` holds.

    Raises:
        ValueError: `data` isn't JSON.
    """
    try:
        return from_json(data)
    except (ValueError, TypeError):  # the latter for text with half a surrogate pair
        return _slowly(data)


def _slowly(data: bytes | str) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("This JSON is nested too deeply.") from None


def dumps(value: Any) -> bytes:
    """Return `value` as compact UTF-8 JSON; pydantic models, dataclasses and dates included.

    Raises:
        TypeError: Something in `value` has no JSON form.
    """
    try:
        return to_json(value, inf_nan_mode="null")
    except PydanticSerializationError as error:
        if "surrogates" in str(error):
            return json.dumps(value, separators=(",", ":")).encode()
        raise TypeError(str(error)) from None
