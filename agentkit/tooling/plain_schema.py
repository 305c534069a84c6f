"""JSON schemas of parameters that have only plain types, exactly as pydantic writes them but without a model.

Building a pydantic model and asking it for its schema takes 20 times as long as this, and most tools that are defined
are never called: the model that validates a call is made for the first one.
"""

from __future__ import annotations

import math
import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

__all__ = ["PlainField", "plain_object_schema"]

JSONSchema = dict[str, Any]

_SIMPLE: dict[Any, JSONSchema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    list: {"items": {}, "type": "array"},
    Any: {},
}
_LITERALS = {str: "string", int: "integer"}


@dataclass(frozen=True, slots=True)
class PlainField:
    """A parameter."""

    name: str
    """Its name, which is also the schema's."""
    hint: Any
    """Its type, without annotations."""
    description: str | None
    """What it is, for the model."""
    default: Any
    """Its default; `...` where it has none."""


def plain_object_schema(title: str, fields: Sequence[PlainField]) -> JSONSchema | None:
    """Return the schema of an object with these fields, or None where one of them takes pydantic to describe."""
    properties: JSONSchema = {}
    for field in fields:
        schema = _field_schema(field)
        if schema is None:
            return None
        properties[field.name] = schema
    required = [field.name for field in fields if field.default is ...]
    named = {"required": required} if required else {}
    return {"properties": properties, **named, "title": title, "type": "object"}


def _field_schema(field: PlainField) -> JSONSchema | None:
    schema = _type_schema(field.hint)
    if schema is None:
        return None
    entry = {**schema, "title": field.name.title().replace("_", " ").strip()}
    if field.description:
        entry["description"] = field.description
    if field.default is not ...:
        if not _is_plain_default(field.default):
            return None
        entry["default"] = field.default
    return {key: entry[key] for key in sorted(entry)}


def _is_plain_default(value: Any) -> bool:
    if type(value) is float:
        return math.isfinite(value)
    return value is None or type(value) in (str, int, bool)


def _type_schema(hint: Any) -> JSONSchema | None:
    try:
        known = _SIMPLE.get(hint)
    except TypeError:  # no hash: a Literal of a list, which pydantic has a word for
        return None
    if known is not None:
        return dict(known)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is list:
        items = _type_schema(arguments[0])
        return None if items is None else {"items": items, "type": "array"}
    if origin is Literal:
        return _literal_schema(arguments)
    if origin is Union or origin is types.UnionType:
        return _union_schema(arguments)
    return None


def _literal_schema(values: tuple[Any, ...]) -> JSONSchema | None:
    kinds = {type(value) for value in values}
    if len(kinds) > 1 or (kind := kinds.pop()) not in _LITERALS:
        return None
    allowed = {"const": values[0]} if len(values) == 1 else {"enum": list(values)}
    return {**allowed, "type": _LITERALS[kind]}


def _union_schema(members: tuple[Any, ...]) -> JSONSchema | None:
    """Return the union's schema, null at its end."""
    choices: list[JSONSchema] = []
    for member in sorted(members, key=lambda member: member is type(None)):
        schema = _type_schema(member)
        if schema is None:
            return None
        if schema not in choices:
            choices.append(schema)
    return {"anyOf": choices} if len(choices) > 1 else choices[0]
