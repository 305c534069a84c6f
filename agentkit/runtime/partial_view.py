"""An object of which some fields have come."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Partial", "fields_of", "kind_of", "plain"]


class Partial:
    """An object of which some fields have come: a look at it that doesn't change.

    A field that has come is an attribute and an item, `partial.city` or `partial["city"]`; one that hasn't raises
    AttributeError or KeyError, so that `getattr(partial, "city", None)` and `partial.get("city")` give None. Iterating
    gives the names of the fields that have come. A field whose name is also that of a method is read as an item.

    Args:
        kind: The class that it will be an instance of.
        names: The names of all its fields.
        values: What has come, by field.
        complete: The names of the fields whose value will not change any more.
    """

    complete: frozenset[str]
    """The names of the fields whose value will not change any more; of the others, more may come."""

    def __init__(self, kind: Any, names: tuple[str, ...], values: Mapping[str, Any], complete: frozenset[str]) -> None:
        # Fields are entries of the instance's own dictionary, where they come before methods of the same name.
        self.__dict__.update({"_kind": kind, "_names": names, "_values": dict(values), "complete": complete})
        self.__dict__.update({name: value for name, value in values.items() if name not in _RESERVED})

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field, or `default` where it hasn't come."""
        return self._values.get(name, default)

    def model_dump(self) -> dict[str, Any]:
        """Return what has come as dictionaries, lists and plain values."""
        return {name: plain(value) for name, value in self._values.items()}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_names" not in self.__dict__:
            raise AttributeError(name)
        title = self._kind.__name__
        if name in self._names:
            raise AttributeError(f"{name!r} of the {title} has not come yet.", name=name, obj=self)
        raise AttributeError(f"{title} has no field {name!r}.", name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"What has come of an answer can't be changed: {name!r}.", name=name, obj=self)

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"What has come of an answer can't be changed: {name!r}.", name=name, obj=self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Partial):
            return NotImplemented
        mine, others = (each.__dict__ for each in (self, other))
        return all(mine[name] == others[name] for name in ("_kind", "_values", "complete"))

    __hash__ = None  # type: ignore[assignment]

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *self._values})

    def __repr__(self) -> str:
        shown = [f"{name}={value!r}{'' if name in self.complete else '…'}" for name, value in self._values.items()]
        if len(self._values) < len(self._names):
            shown.append("…")
        return f"Partial {self._kind.__name__}({', '.join(shown)})"


_RESERVED = frozenset({"_kind", "_names", "_values", "complete"})


def fields_of(partial: Partial) -> tuple[str, ...]:
    """Return the names of all fields, those that haven't come too, in their order."""
    names: tuple[str, ...] = partial.__dict__["_names"]
    return (*names, *(name for name in partial if name not in names))


def kind_of(partial: Partial) -> Any:
    """Return the class that it will be an instance of."""
    return partial.__dict__["_kind"]


def plain(value: Any) -> Any:
    """Return a value with its parts as dictionaries, lists and plain values."""
    if isinstance(value, Partial) or hasattr(type(value), "model_dump"):
        return value.model_dump()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(entry) for entry in value]
    return value
