"""Conditions on files' attributes, as searches have them: exact, and the same for every storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeGuard, TypeVar

from agentkit.local.vector_stores.passages import Attributes

__all__ = ["AllOf", "AnyOf", "Comparison", "Filter", "Operator", "holds"]

Value = str | float | bool
Ordered = TypeVar("Ordered", str, float)

Operator = Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One attribute against a value, or against several for "in" and "nin"."""

    operator: Operator
    key: str
    value: str | float | bool | tuple[str | float | bool, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of the filters."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the filters."""

    filters: tuple[Filter, ...]


Filter = Comparison | AllOf | AnyOf


def holds(filters: Filter | None, attributes: Attributes) -> bool:
    """Return whether a file's attributes fulfil a filter; None is fulfilled by all.

    Where the file lacks the attribute, only "ne" and "nin" hold. Types don't mix: a number is never equal to, greater
    or less than a text, and a bool is no number. Numbers are ordered by value, texts by code points, bools not at all.
    """
    if filters is None:
        return True
    if isinstance(filters, AllOf):
        return all(holds(part, attributes) for part in filters.filters)
    if isinstance(filters, AnyOf):
        return any(holds(part, attributes) for part in filters.filters)
    return _compares(filters, attributes)


def _compares(comparison: Comparison, attributes: Attributes) -> bool:
    operator, wanted = comparison.operator, comparison.value
    if operator in ("ne", "nin"):
        return not _is_one_of(attributes, comparison.key, wanted)
    if operator in ("eq", "in"):
        return _is_one_of(attributes, comparison.key, wanted)
    actual = attributes.get(comparison.key)
    if isinstance(actual, str) and isinstance(wanted, str):
        return _ordered(operator, actual, wanted)
    if _is_number(actual) and _is_number(wanted):
        return _ordered(operator, actual, wanted)
    return False


def _is_one_of(attributes: Attributes, key: str, wanted: Value | tuple[Value, ...]) -> bool:
    if key not in attributes:
        return False
    actual = attributes[key]
    return any(_same(actual, value) for value in (wanted if isinstance(wanted, tuple) else (wanted,)))


def _same(actual: Value, wanted: Value) -> bool:
    return isinstance(actual, bool) is isinstance(wanted, bool) and actual == wanted


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ordered(operator: Operator, actual: Ordered, wanted: Ordered) -> bool:
    if operator == "gt":
        return actual > wanted
    if operator == "gte":
        return actual >= wanted
    if operator == "lt":
        return actual < wanted
    return actual <= wanted
