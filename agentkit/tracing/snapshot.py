"""A value as it is now, in JSON's terms: what a function was given may be changed before its span is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentkit._json import loads
from agentkit.tracing.rows import loosely

__all__ = ["snapshot"]

JSON = Any  # texts, numbers, truth values, None, and lists and dictionaries of them

_MAX_PARTS = 10_000
"""Values that are copied of one value, those within it included."""
_MAX_DEPTH = 32
_UNCHANGING = (str, bool, int, float, type(None))


def snapshot(value: Any) -> JSON:  # anything a user's function takes or returns
    """Return a copy of `value` that has a JSON form; what has none as its repr. Never raises, and consumes nothing.

    Args:
        value: Anything. An iterator stays where it is. Of a value with more than 10,000 parts the first are copied,
            followed by how many there are more.
    """
    return _Copier().copy(value, 0)


class _Copier:
    """Copies one value, and knows how much of it there was already."""

    def __init__(self) -> None:
        self._left = _MAX_PARTS

    def copy(self, value: Any, depth: int) -> JSON:
        self._left -= 1
        if isinstance(value, _UNCHANGING):
            return value
        if depth > _MAX_DEPTH:
            return f"<{type(value).__name__}, nested too deeply>"
        if isinstance(value, (bytes, bytearray, memoryview)):
            return f"<{len(value):,} bytes>"
        try:
            return self._parts(value, depth)
        except Exception:  # the value's own methods may raise anything
            return f"<{type(value).__name__}>"

    def _parts(self, value: Any, depth: int) -> JSON:
        if isinstance(value, Mapping):
            return self._pairs(value, depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._items(value, depth)
        if isinstance(value, type) or hasattr(type(value), "__next__") or hasattr(type(value), "__anext__"):
            return loads(loosely(repr(value)))  # to make JSON of an iterator would use it up
        if isinstance(fields := getattr(value, "__dataclass_fields__", None), dict):
            return self._pairs({name: getattr(value, name, None) for name in fields}, depth)
        if isinstance(getattr(type(value), "model_fields", None), dict):  # a pydantic model
            return self._pairs(dict(value), depth)
        if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
            return self.copy(value.item(), depth + 1)
        return loads(loosely(value))

    def _pairs(self, value: Mapping[Any, Any], depth: int) -> dict[str, JSON]:
        copied: dict[str, JSON] = {}
        for place, (key, item) in enumerate(list(value.items())):
            if self._left <= 0:
                copied["…"] = f"{len(value) - place:,} more"
                break
            copied[key if isinstance(key, str) else str(key)] = self.copy(item, depth + 1)
        return copied

    def _items(self, value: Any, depth: int) -> list[JSON]:
        copied: list[JSON] = []
        for place, item in enumerate(value):
            if self._left <= 0:
                copied.append(f"… ({len(value) - place:,} more)")
                break
            copied.append(self.copy(item, depth + 1))
        return copied
