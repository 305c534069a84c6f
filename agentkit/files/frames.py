"""Dataframes of what a store has and finds: fixed columns first, then one for each attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

__all__ = ["frame_of", "taken_apart"]


def frame_of(columns: Mapping[str, tuple[str, Sequence[Any]]], attributes: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a dataframe of columns, each with its dtype and values, and of the rows' attributes.

    None is NA. An attribute whose key is the name of a fixed column gets "attribute_" before it.

    Args:
        columns: The fixed columns: dtype and values of each.
        attributes: The attributes of each row.
    """
    made = {name: _array(values, kind) for name, (kind, values) in columns.items()}
    for key, values in taken_apart(attributes).items():
        name = f"attribute_{key}" if key in columns else key
        made[name] = _array(values, _kind(values))
    return pd.DataFrame(made)


def taken_apart(attributes: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the values of each attribute, None for rows that lack it; keys in the order in which they come."""
    keys = dict.fromkeys(key for each in attributes for key in each)
    return {key: [each.get(key) for each in attributes] for key in keys}


def _array(values: Sequence[Any], kind: str) -> Any:  # one of pandas' arrays
    if kind == "time":
        stamps = [pd.NaT if value is None else pd.Timestamp(value, unit="s", tz="UTC") for value in values]
        return pd.DatetimeIndex(stamps, dtype="datetime64[s, UTC]")
    if kind == "object":
        return pd.Series(list(values), dtype=object).array
    if kind == "category":
        return pd.Categorical(list(values))
    return pd.Series([pd.NA if value is None else value for value in values], dtype=kind).array


def _kind(values: Sequence[Any]) -> str:
    there = [value for value in values if value is not None]
    if all(isinstance(value, bool) for value in there):
        return "boolean"
    if all(isinstance(value, str) for value in there):
        return "string"
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in there):
        whole = all(float(value).is_integer() and abs(value) < 2**53 for value in there)
        return "Int64" if whole else "Float64"
    return "object"
