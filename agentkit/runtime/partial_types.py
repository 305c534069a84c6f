"""What types say about the values of a field: their parts, their keys in JSON, what is asked of them."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, NotRequired, Required, get_args, get_origin

from annotated_types import GroupedMetadata, MaxLen, MinLen
from pydantic import AliasChoices, BaseModel, RootModel
from pydantic.fields import FieldInfo
from typing_extensions import ReadOnly, TypeAliasType

__all__ = [
    "annotated",
    "bare_of",
    "has_fields",
    "hints_of",
    "is_list_like",
    "is_tag",
    "key_of",
    "lengths_of",
    "unqualified",
]


def bare_of(kind: Any) -> Any:
    """Return a type without what is said about it: annotations, aliases, new names for it."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif isinstance(kind, TypeAliasType):
            kind = kind.__value__
        elif isinstance(kind, typing.NewType):
            kind = kind.__supertype__
        else:
            return kind


def _annotations(kind: Any) -> Iterator[Any]:
    """Yield what is said about a type, each thing by itself."""
    while True:
        if get_origin(kind) is Annotated:
            kind, *said = get_args(kind)
            for each in said:
                if isinstance(each, FieldInfo):
                    yield from each.metadata
                elif isinstance(each, GroupedMetadata):
                    yield from each
                elif not isinstance(each, str):  # a description
                    yield each
        elif isinstance(kind, TypeAliasType):
            kind = kind.__value__
        else:
            return


def lengths_of(kind: Any) -> tuple[int, float] | None:
    """Return the shortest and the longest that texts of a type may be; None where more than that is asked of them."""
    shortest, longest = 0, math.inf
    for each in _annotations(kind):
        if isinstance(each, MinLen):
            shortest = max(shortest, each.min_length)
        elif isinstance(each, MaxLen):
            longest = min(longest, each.max_length)
        else:
            return None
    return shortest, longest


def unqualified(kind: Any) -> Any:
    """Return a TypedDict's type without what is said about whether the key has to be there."""
    while get_origin(kind) in (Required, NotRequired, ReadOnly):
        kind = get_args(kind)[0]
    return kind


def has_fields(cls: type) -> bool:
    """Tell whether a class is a pydantic model of several fields, or a dataclass."""
    if issubclass(cls, BaseModel):
        return not issubclass(cls, RootModel)
    return dataclasses.is_dataclass(cls)


def is_list_like(cls: type) -> bool:
    """Tell whether values of a class are arrays in JSON."""
    return issubclass(cls, Iterable) and not issubclass(cls, (Mapping, str, bytes))


def hints_of(cls: Any) -> dict[str, Any]:
    """Return the types of a class's fields; those of one whose types can't be found as any."""
    described = getattr(cls, "__pydantic_fields__", None)
    if described is not None:
        return {name: annotated(info) for name, info in described.items()}
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError, AttributeError):  # written as text, of a name that isn't known there
        hints = dict.fromkeys(getattr(cls, "__annotations__", {}), Any)
    if dataclasses.is_dataclass(cls):
        return {field.name: hints.get(field.name, Any) for field in dataclasses.fields(cls) if field.init}
    return hints


def annotated(info: FieldInfo) -> Any:
    """Return a field's type with what is asked of its values."""
    return Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation


def key_of(name: str, info: Any) -> str:  # a pydantic FieldInfo, or None
    """Return the key under which a field stands in JSON: its alias, where it has one."""
    alias = None if info is None else info.validation_alias
    if isinstance(alias, AliasChoices):
        alias = next((choice for choice in alias.choices if isinstance(choice, str)), None)
    return alias if isinstance(alias, str) else name


def is_tag(kind: Any) -> bool:
    """Tell whether a field of this type tells members of a union apart: one with its few values spelt out."""
    return get_origin(bare_of(kind)) is Literal
