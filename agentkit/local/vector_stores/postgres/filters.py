"""Filters as conditions in SQL: what `vector_stores.filters.holds` says of a file's attributes, to the letter."""

from __future__ import annotations

from typing import TypeGuard

from agentkit import _json
from agentkit.local.vector_stores.filters import AllOf, AnyOf, Comparison, Filter
from agentkit.local.vector_stores.postgres.records import compared_value, storable

__all__ = ["condition"]

_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_VALUE = "f.compared -> %s::text"


def condition(filters: Filter) -> tuple[str, list[object]]:
    """Return a condition on a row `f` of the table of files, and the values of its parameters."""
    if isinstance(filters, Comparison):
        return _comparison(filters)
    parts = [condition(part) for part in filters.filters]
    values = [value for _, some in parts for value in some]
    if isinstance(filters, AllOf):
        return " AND ".join(["TRUE", *(f"({text})" for text, _ in parts)]), values
    assert isinstance(filters, AnyOf)
    return " OR ".join(["FALSE", *(f"({text})" for text, _ in parts)]), values


def _comparison(comparison: Comparison) -> tuple[str, list[object]]:
    operator, key, wanted = comparison.operator, storable(comparison.key), comparison.value
    if operator in ("eq", "ne", "in", "nin"):
        several = wanted if isinstance(wanted, tuple) else (wanted,)
        text = f"coalesce({_VALUE} = ANY(%s::jsonb[]), FALSE)"
        return f"NOT {text}" if operator in ("ne", "nin") else text, [key, [_as_json(value) for value in several]]
    sign = _SIGNS[operator]
    if isinstance(wanted, str):
        text = f"""jsonb_typeof({_VALUE}) = 'string' AND (f.compared ->> %s::text) COLLATE "C" {sign} %s::text"""
        return f"coalesce({text}, FALSE)", [key, key, storable(wanted)]
    if _is_number(wanted):
        text = f"jsonb_typeof({_VALUE}) = 'number' AND {_VALUE} {sign} %s::jsonb"
        return f"coalesce({text}, FALSE)", [key, key, _as_json(wanted)]
    return "FALSE", []


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_json(value: str | float | bool) -> str:
    return _json.dumps(compared_value(value)).decode()
