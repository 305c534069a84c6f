"""What structured values are made of, whatever their class: fields, items, and what of them is still to come."""

from __future__ import annotations

import dataclasses
import enum
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from agentkit.runtime.partial_json import MISSING
from agentkit.runtime.partial_view import Partial, fields_of, kind_of

__all__ = ["MISSING", "Member", "columns_of", "items_of", "members_of", "pretty", "title_of", "word_of"]

_LISTS = (list, tuple, set, frozenset, deque)
_COLUMN_LIMIT = 20
_ITEM_LIMIT = 1_000


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """A field of an object, or an entry of a dictionary."""

    name: str
    """Its name."""
    value: Any
    """Its value, or `MISSING` where it is still to come."""
    is_open: bool = False
    """Whether more of the value may come."""


def members_of(value: Any, *, is_open: bool = False) -> list[Member] | None:
    """Return the fields of a value, in their order; None where it has none, and is to be shown in another way.

    Args:
        value: A pydantic model, dataclass, dictionary or `Partial`; anything else has no fields.
        is_open: Whether more of the value may come: in a dictionary, more of its last entry.
    """
    if isinstance(value, Partial):
        return [Member(name, value.get(name, MISSING), name not in value.complete) for name in fields_of(value)]
    if isinstance(value, dict):
        last = len(value) - 1
        entries = enumerate(value.items())
        return [Member(_label(key), entry, is_open and number == last) for number, (key, entry) in entries]
    names = _field_names(value)
    found = [(name, getattr(value, name, MISSING)) for name in names or ()]  # a model made without checks may lack some
    return None if names is None else [Member(name, entry) for name, entry in found if entry is not MISSING]


def _field_names(value: Any) -> list[str] | None:
    kind = type(value)
    if hasattr(kind, "model_fields"):  # a pydantic model
        return [*kind.model_fields, *(getattr(value, "__pydantic_extra__", None) or ())]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [field.name for field in dataclasses.fields(value) if field.repr]
    return None


def _label(key: Any) -> str:
    return key if isinstance(key, str) else repr(key)


def items_of(value: Any) -> Sequence[Any] | None:
    """Return the items of a list, tuple, set or the like; None for anything else."""
    if not isinstance(value, _LISTS) or hasattr(value, "_fields"):  # a named tuple says more as it is
        return None
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)  # the same each time it is shown
    return value if isinstance(value, (list, tuple)) else list(value)


def title_of(value: Any) -> str:
    """Return the name of an object's class; "" for a dictionary, which is no more than its entries."""
    if isinstance(value, Partial):
        return str(getattr(kind_of(value), "__name__", ""))
    return "" if isinstance(value, Mapping) else type(value).__name__


def columns_of(rows: Sequence[Any]) -> list[str] | None:
    """Return the columns of a table of `rows`, in order of their appearance; None where they make none.

    They do where each is an object with fields, and there aren't more than 20 different ones.
    """
    names: dict[str, None] = {}
    for row in rows:
        members = members_of(row)
        if members is None:
            return None
        names |= dict.fromkeys(member.name for member in members)
        if len(names) > _COLUMN_LIMIT:
            return None
    return list(names) or None


def word_of(value: Any) -> str | None:
    """Return a value that is shown as a word, without quotes: text, a date, one of an Enum's. None for all others."""
    if isinstance(value, enum.Enum):
        value = value.value
    return str(value) if isinstance(value, (str, date, time, timedelta, UUID, Decimal)) else None


def pretty(value: Any, *, width: int = 88) -> str:
    """Return a value as Python writes it, in lines of `width` characters; of a list its first thousand items."""
    import pprint

    if isinstance(value, (list, tuple)) and len(value) > _ITEM_LIMIT:
        value = [*value[:_ITEM_LIMIT], ...]
    try:
        return pprint.pformat(value, width=width, sort_dicts=False)
    except Exception as error:  # any class's repr
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
