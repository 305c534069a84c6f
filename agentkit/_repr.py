"""Short texts for values, the same each time: no addresses, no keys, and what was left at its default left out."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agentkit._secrets import Redactor

__all__ = ["bare_repr", "brief", "fields_repr", "set_fields"]

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_MOST, _DEEPEST = 8, 3
"""Entries of a collection that are shown, and how deep within each other."""


def brief(value: Any, limit: int = 80) -> str:
    """Return a value as Python would write it, in at most `limit` characters on one line; functions by their names."""
    text = " ".join(Redactor().clean(_brief(value, 0, limit)).split())
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def set_fields(thing: Any) -> dict[str, Any]:  # a dataclass's instance
    """Return the fields of a dataclass's instance that have another value than by default."""
    found = {}
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        if field.repr and not _is_default(field, value):
            found[field.name] = value
    return found


def fields_repr(self: Any) -> str:
    """Return `Name(field=value, …)` of a dataclass's instance, for its `__repr__`: the fields that are set."""
    shown = ", ".join(f"{name}={brief(value)}" for name, value in set_fields(self).items())
    return f"{type(self).__name__}({shown})"


def bare_repr(self: object) -> str:
    """Return `Name()`, for the `__repr__` of classes whose objects have nothing to tell."""
    return f"{type(self).__name__}()"


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default is not dataclasses.MISSING:
        default = field.default
    elif field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    else:
        return False
    return value is default or (type(value) is type(default) and bool(value == default))


def _brief(value: Any, depth: int, limit: int) -> str:
    if isinstance(value, str) and type(value) is str:
        return repr(value if len(value) <= limit else f"{value[: limit - 1]}…")
    if isinstance(value, (bytes, bytearray)) and len(value) > limit:
        return f"<{len(value):,} bytes>"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, functools.partial):
        return _brief(value.func, depth, limit)
    if isinstance(value, type):
        return value.__name__
    if callable(value) and isinstance(name := getattr(value, "__name__", None), str):
        return f"{name}()"
    if type(value) in (list, tuple, set, frozenset, dict) or isinstance(value, Mapping):
        return _collection(value, depth, limit)
    if getattr(type(value), "__repr__", None) is object.__repr__:
        return f"<{type(value).__name__}>"
    try:
        return _ADDRESS.sub("", repr(value))
    except Exception:  # somebody else's code
        return f"<{type(value).__name__}>"


def _collection(value: Any, depth: int, limit: int) -> str:
    opening, closing = "[]" if type(value) is list else "()" if type(value) is tuple else "{}"
    if not value:
        return repr(value) if type(value) in (set, frozenset) else opening + closing
    if depth >= _DEEPEST:
        return f"{opening}…{closing}"
    if isinstance(value, Mapping):
        parts = [
            f"{_brief(key, depth + 1, limit)}: {_brief(each, depth + 1, limit)}"
            for key, each in list(value.items())[:_MOST]
        ]
    else:
        entries = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
        parts = [_brief(each, depth + 1, limit) for each in list(entries)[:_MOST]]
    if len(value) > _MOST:
        parts.append("…")
    end = "," if type(value) is tuple and len(value) == 1 else ""
    return opening + ", ".join(parts) + end + closing
