"""What the parts of a type are, so that a value of it can be read before all of it is there."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Union, get_args, get_origin

from pydantic import RootModel, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic_core import to_json
from typing_extensions import is_typeddict

from agentkit.runtime.partial_json import MISSING, Frame
from agentkit.runtime.partial_types import (
    annotated,
    bare_of,
    has_fields,
    hints_of,
    is_list_like,
    is_tag,
    key_of,
    lengths_of,
    unqualified,
)
from agentkit.runtime.partial_view import Partial

__all__ = ["Field", "ListShape", "MappingShape", "ObjectShape", "Shape", "Shapes"]

_ListTypes = (list, tuple, set, frozenset)


class Shapes:
    """The shapes of types, each made once."""

    def __init__(self) -> None:
        self._known: dict[Any, Shape] = {}

    def of(self, kind: Any) -> Shape:
        """Return the shape of a type, whatever it is."""
        try:
            known = self._known.get(kind)
        except TypeError:  # annotated with something that has no hash
            return self._make(kind)
        if known is None:
            known = self._known[kind] = self._make(kind)
        return known

    def _make(self, kind: Any) -> Shape:
        bare = bare_of(kind)
        origin = get_origin(bare)
        outer = origin or bare
        if origin in (Union, types.UnionType):
            return UnionShape(self, kind, get_args(bare))
        if is_typeddict(outer) or (isinstance(outer, type) and has_fields(outer)):
            return ObjectShape(self, kind, outer)
        if isinstance(outer, type) and issubclass(outer, RootModel):
            return RootShape(self, kind, annotated(outer.model_fields["root"]))
        if isinstance(outer, type) and issubclass(outer, Mapping):
            return MappingShape(self, kind, get_args(bare))
        if outer in _ListTypes or (isinstance(outer, type) and origin is not None and is_list_like(outer)):
            return ListShape(self, kind, get_args(bare), fixed=outer is tuple)
        return AnyShape(self, kind) if bare in (Any, object) else Shape(self, kind)


class Shape:
    """A type of values without parts: a number, a date, one of several words. Also what other shapes begin with.

    Args:
        shapes: Where the shapes of its parts come from.
        kind: The type.
    """

    def __init__(self, shapes: Shapes, kind: Any) -> None:
        self._shapes = shapes
        self.kind = kind
        """The type."""
        self._lengths = lengths_of(kind)

    def takes(self, text: str) -> bool:
        """Tell whether the beginning of a text is a value of the type, as it is of `str` and not of a date.

        Where a text has to be of some form, no beginning of it is; where only its length is limited, one that keeps
        to that.
        """
        return bare_of(self.kind) is str and self._fits(text)

    def _fits(self, text: str) -> bool:
        return self._lengths is not None and self._lengths[0] <= len(text) <= self._lengths[1]

    @cached_property
    def _adapter(self) -> TypeAdapter[Any] | None:
        try:
            return TypeAdapter(self.kind)
        except (PydanticUserError, NameError):  # written as text, of a name that isn't known here
            return None

    def complete(self, raw: Any) -> Any:
        """Return the value of this type that JSON stands for; as much as is valid, or MISSING."""
        if self._adapter is None:
            return raw
        try:
            return self._adapter.validate_json(to_json(raw, inf_nan_mode="constants"))
        except Exception:  # validators are the user's, and may raise anything
            return self._valid_parts(raw)

    def _valid_parts(self, raw: Any) -> Any:
        """Return what is valid of a value that isn't as a whole, or MISSING."""
        return MISSING

    def open_object(self, frame: Frame) -> ObjectShape | MappingShape | None:
        """Return what an object that is being read is read as; None where no object has this type."""
        return None

    def open_list(self) -> ListShape | None:
        """Return what an array that is being read is read as; None where no array has this type."""
        return None


class AnyShape(Shape):
    """Any value at all."""

    def takes(self, text: str) -> bool:
        """Tell whether the beginning of a text is a value: it is."""
        return True

    def complete(self, raw: Any) -> Any:
        """Return the value as it is."""
        return raw

    def open_object(self, frame: Frame) -> ObjectShape | MappingShape | None:
        """Return the shape of objects with any values."""
        return self._shapes.of(dict[str, Any]).open_object(frame)

    def open_list(self) -> ListShape | None:
        """Return the shape of lists of any values."""
        return self._shapes.of(list[Any]).open_list()


class RootShape(Shape):
    """A pydantic model that is one value rather than several fields."""

    def __init__(self, shapes: Shapes, kind: Any, inner: Any) -> None:
        super().__init__(shapes, kind)
        self._inner = shapes.of(inner)

    def takes(self, text: str) -> bool:
        """Tell whether the beginning of a text is a value of the model."""
        return self._inner.takes(text)

    def open_object(self, frame: Frame) -> ObjectShape | MappingShape | None:
        """Return what the model's value is read as."""
        return self._inner.open_object(frame)

    def open_list(self) -> ListShape | None:
        """Return what the model's value is read as."""
        return self._inner.open_list()


class UnionShape(Shape):
    """One of several types. What is being read is taken for the first that agrees with what there is."""

    def __init__(self, shapes: Shapes, kind: Any, members: tuple[Any, ...]) -> None:
        super().__init__(shapes, kind)
        self._members = [shapes.of(member) for member in members]

    def takes(self, text: str) -> bool:
        """Tell whether the beginning of a text is a value of one of them."""
        return self._fits(text) and any(member.takes(text) for member in self._members)

    def open_object(self, frame: Frame) -> ObjectShape | MappingShape | None:
        """Return the first member that an object with such keys may be of."""
        found = [shape for member in self._members if (shape := member.open_object(frame)) is not None]
        return next((shape for shape in found if shape.agrees(frame)), found[0] if found else None)

    def open_list(self) -> ListShape | None:
        """Return the first member that is a list."""
        return next((shape for member in self._members if (shape := member.open_list()) is not None), None)


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """A field of an object."""

    name: str
    """Its name in Python."""
    shape: Shape
    """The shape of its values."""


class ObjectShape(Shape):
    """A pydantic model, dataclass or TypedDict."""

    def __init__(self, shapes: Shapes, kind: Any, cls: Any) -> None:
        super().__init__(shapes, kind)
        self.cls = cls
        """The class."""

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The fields by their keys in JSON, in their order."""
        hints = hints_of(self.cls)
        described = getattr(self.cls, "__pydantic_fields__", {})
        fields = {}
        for name in described or hints:
            info = described.get(name)
            kind = unqualified(hints.get(name, Any))
            fields[key_of(name, info)] = Field(name, self._shapes.of(kind))
        return fields

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the fields, in their order."""
        return tuple(field.name for field in self.fields.values())

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields.values()}

    def field(self, key: str) -> Field | None:
        """Return the field with a key, or, as models may allow, of that name; None where there is none."""
        found = self.fields.get(key) or self._by_name.get(key)
        if found is None and (getattr(self.cls, "model_config", None) or {}).get("extra") == "allow":
            return Field(key, self._shapes.of(Any))
        return found

    def open_object(self, frame: Frame) -> ObjectShape:
        """Return itself."""
        return self

    def agrees(self, frame: Frame) -> bool:
        """Tell whether an object of which this much has come may be of this type."""
        if frame.key is not None and self.field(frame.key) is None:
            return False
        assert isinstance(frame.value, dict)
        return all(self._may_have(key, value) for key, value in frame.value.items())

    def _may_have(self, key: str, value: Any) -> bool:
        """Tell whether there is such a field, and, where it tells members of a union apart, whether the value fits."""
        field = self.field(key)
        return field is not None and (not is_tag(field.shape.kind) or field.shape.complete(value) is not MISSING)

    def _valid_parts(self, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return MISSING
        values = {}
        for key, entry in raw.items():
            field = self.field(key)
            if field is not None and (value := field.shape.complete(entry)) is not MISSING:
                values[field.name] = value
        return Partial(self.cls, self.names, values, frozenset(values))


class MappingShape(Shape):
    """A dictionary of any keys."""

    def __init__(self, shapes: Shapes, kind: Any, arguments: tuple[Any, ...]) -> None:
        super().__init__(shapes, kind)
        key, value = arguments if len(arguments) == 2 else (str, Any)
        self._key = None if key in (str, Any) else shapes.of(key)
        self._value = value

    @cached_property
    def values(self) -> Shape:
        """The shape of the values."""
        return self._shapes.of(self._value)

    def field(self, key: str) -> Field | None:
        """Return what a key stands for; None where it isn't a valid one."""
        name = key if self._key is None else self._key.complete(key)
        return None if name is MISSING else Field(name, self.values)

    def open_object(self, frame: Frame) -> MappingShape:
        """Return itself."""
        return self

    def agrees(self, frame: Frame) -> bool:
        """Tell whether an object of which this much has come may be of this type: each may."""
        return True

    def _valid_parts(self, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return MISSING
        pairs = ((self.field(key), entry) for key, entry in raw.items())
        values = {field.name: field.shape.complete(entry) for field, entry in pairs if field is not None}
        return {name: value for name, value in values.items() if value is not MISSING}


class ListShape(Shape):
    """A list, or another collection that is an array in JSON."""

    def __init__(self, shapes: Shapes, kind: Any, arguments: tuple[Any, ...], *, fixed: bool) -> None:
        super().__init__(shapes, kind)
        self._one = not fixed or arguments[1:] == (...,) or not arguments
        self._items = arguments[:1] if self._one and arguments else arguments or (Any,)

    def item(self, number: int) -> Shape | None:
        """Return the shape of the item with a number, from 0; None where there is no such item."""
        if self._one:
            return self._shapes.of(self._items[0])
        return self._shapes.of(self._items[number]) if number < len(self._items) else None

    def open_list(self) -> ListShape:
        """Return itself."""
        return self

    def _valid_parts(self, raw: Any) -> Any:
        if not isinstance(raw, list):
            return MISSING
        pairs = ((self.item(number), entry) for number, entry in enumerate(raw))
        values = (shape.complete(entry) for shape, entry in pairs if shape is not None)
        return [value for value in values if value is not MISSING]
