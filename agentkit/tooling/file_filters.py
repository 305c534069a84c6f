"""Conditions on files' attributes, written as Python or as the API's dictionaries, and checked before they are sent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final

from agentkit._repr import brief
from agentkit.exceptions import UserError

__all__ = ["Attribute", "Condition", "attr", "filter_json", "plain_value"]

Json = dict[str, Any]

_SIGNS: Final = {"eq": "==", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_OPPOSITES: Final = {
    "eq": "ne", "ne": "eq", "gt": "lte", "lte": "gt", "lt": "gte", "gte": "lt", "in": "nin", "nin": "in",
    "and": "or", "or": "and",
}  # fmt: skip
_OPERATORS: Final = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "and", "or")
_LONGEST_KEY: Final = 64
_JOINED: Final = 'Join conditions by &, | and ~, each in parentheses: (attr("year") >= 2024) & (attr("lang") == "en").'


class Condition:
    """A condition on a file's attributes: what comparing an `attr(…)` gives. Joined by `&`, `|` and `~`.

    Args:
        json: The condition as the API takes it.

    Raises:
        UserError: It is none that the API takes.
    """

    __slots__ = ("_json",)

    def __init__(self, json: Mapping[str, Any]) -> None:
        self._json = _checked(json, "filters")

    def to_dict(self) -> Json:
        """Return the condition as the API takes it: `{"type": "gte", "key": "year", "value": 2024}`."""
        return _copied(self._json)

    def __and__(self, other: object) -> Condition:
        return _joined("and", self, other)

    def __rand__(self, other: object) -> Condition:
        return _joined("and", other, self)

    def __or__(self, other: object) -> Condition:
        return _joined("or", self, other)

    def __ror__(self, other: object) -> Condition:
        return _joined("or", other, self)

    def __invert__(self) -> Condition:
        return Condition(_negated(self._json))

    def __bool__(self) -> bool:
        raise UserError(f"Whether {self!r} holds is found out file by file, when the store is searched.", hint=_JOINED)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self._json == other._json

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return _written(self._json)


class Attribute:
    """An attribute of files, to be compared: `attr("year") >= 2024`. Made by `attr`."""

    __slots__ = ("_key",)

    def __init__(self, key: str) -> None:
        if not isinstance(key, str) or not key:
            raise UserError(f"An attribute is named by its key, a text, not by {brief(key)}.", hint='Use attr("year").')
        if len(key) > _LONGEST_KEY:
            raise UserError(f"The key {brief(key)} has {len(key)} characters; at most {_LONGEST_KEY} are allowed.")
        self._key = key

    def __eq__(self, value: object) -> Condition:  # type: ignore[override]
        return self._compared("eq", value)

    def __ne__(self, value: object) -> Condition:  # type: ignore[override]
        return self._compared("ne", value)

    def __gt__(self, value: object) -> Condition:
        return self._compared("gt", value)

    def __ge__(self, value: object) -> Condition:
        return self._compared("gte", value)

    def __lt__(self, value: object) -> Condition:
        return self._compared("lt", value)

    def __le__(self, value: object) -> Condition:
        return self._compared("lte", value)

    def isin(self, values: Iterable[Any]) -> Condition:
        """Return the condition that the attribute is one of `values`."""
        return self._compared("in", _several(values, "isin"))

    def notin(self, values: Iterable[Any]) -> Condition:
        """Return the condition that the attribute is none of `values`, or missing."""
        return self._compared("nin", _several(values, "notin"))

    def _compared(self, operator: str, value: object) -> Condition:
        if isinstance(value, (Attribute, Condition)):
            raise UserError(f"{self!r} can't be compared with {value!r}, only with a value.", hint=_JOINED)
        return Condition({"type": operator, "key": self._key, "value": value})

    def _misused(self, *_: object) -> Condition:
        raise UserError(f"{self!r} is not a condition yet, and can't be joined with one.", hint=_JOINED)

    __and__ = __rand__ = __or__ = __ror__ = __invert__ = _misused
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise UserError(f"{self!r} is not a condition yet.", hint='Compare it: attr("draft") == True.')

    def __contains__(self, value: object) -> bool:
        raise UserError(f"{self!r} can't be looked into.", hint='Use attr("tag").isin(["a", "b"]).')

    def __repr__(self) -> str:
        return f"attr({self._key!r})"


def attr(key: str) -> Attribute:
    """Return an attribute of files, to write filters with.

    ```python
    (attr("year") >= 2024) & ~attr("status").isin(["draft", "withdrawn"])
    ```

    It is compared by `==`, `!=`, `<`, `<=`, `>`, `>=`, `.isin([…])` and `.notin([…])` with texts, numbers, booleans and
    dates (which count as seconds since 1970, naive ones in UTC). A file that lacks the attribute fulfils `!=` and
    `.notin` alone; so of `attr("year") > 2020` and its `~` neither holds for it.

    Args:
        key: The attribute's name, 1 to 64 characters.

    Raises:
        UserError: The key is no such text; or, when compared, the value is none that attributes can have.
    """
    return Attribute(key)


def filter_json(filters: object, *, name: str = "filters") -> Json | None:
    """Return a filter as the API takes it, checked.

    Args:
        filters: A condition, the API's dictionary, or None.
        name: What the argument is called, for errors.

    Raises:
        UserError: It is no filter; the message says where.
    """
    if filters is None:
        return None
    if isinstance(filters, Condition):
        return filters.to_dict()
    if hasattr(filters, "model_dump"):  # one of the client's objects
        filters = filters.model_dump(exclude_unset=True)
    if isinstance(filters, Mapping):
        return _checked(filters, name)
    if isinstance(filters, Attribute):
        raise UserError(f"{name} is {filters!r}, which is not a condition yet.", hint=f"Compare it: {filters!r} == 1.")
    raise UserError(
        f"{name} can't be {type(filters).__name__} {brief(filters)}.",
        hint='Use attr("year") >= 2024, or {"type": "gte", "key": "year", "value": 2024}.',
    )


def plain_value(value: Any, where: str) -> str | float | bool:
    """Return a value as attributes have it: text, a finite number or a boolean. Dates become seconds since 1970.

    Args:
        value: The value; numpy's and pandas' scalars are taken too.
        where: What it is of, for the error.

    Raises:
        UserError: It is nothing of these.
    """
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, date):  # a datetime is one
        if value != value:  # pandas' NaT
            raise UserError(f"{where} is NaT, which is no value.", hint=_LEFT_OUT)
        return _seconds(value)
    if type(value).__module__ == "numpy" and hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0:
        return plain_value(value.astype("datetime64[us]").item() if value.dtype.kind == "M" else value.item(), where)
    if isinstance(value, (int, float)):
        if not math.isfinite(value):
            raise UserError(f"{where} is {value}, which is no value.", hint=_LEFT_OUT)
        return value
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        raise UserError(f"{where} is {value}, which is no value.", hint=_LEFT_OUT)
    raise UserError(
        f"{where} can't be {type(value).__name__} {brief(value)}.", hint="Use text, a number, True or False, or a date."
    )


_LEFT_OUT = 'A file without a value lacks the attribute: != and .notin are true of it, as in attr("year") != 2024.'


def _seconds(value: date) -> int | float:
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = moment.timestamp()
    return int(seconds) if seconds.is_integer() else seconds


def _several(values: object, method: str) -> list[Any]:
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise UserError(f"{method} takes several values, not {brief(values)}.", hint=f"Pass a list: .{method}([…]).")
    return list(values)


def _checked(given: Mapping[str, Any], where: str) -> Json:
    kind = given.get("type")
    if kind not in _OPERATORS:
        near = _SIGNS_TO_NAMES.get(str(kind), "")
        meant = f' Did you mean "{near}"?' if near else ""
        raise UserError(
            f"{where} has no operator {kind!r}.{meant}" if "type" in given else f"{where} names no operator.",
            hint=f'"type" is one of {", ".join(_OPERATORS)}.',
        )
    known = {"type", "filters"} if kind in ("and", "or") else {"type", "key", "value"}
    if odd := [key for key in given if key not in known]:
        raise UserError(f"{where} has {odd[0]!r}, which {kind!r} doesn't take.", hint=f"It takes {_listed(known)}.")
    if missing := [key for key in sorted(known) if key not in given]:
        raise UserError(f"{where} lacks {missing[0]!r}, which {kind!r} needs.")
    if kind in ("and", "or"):
        return {"type": kind, "filters": _parts(given["filters"], where)}
    key = Attribute(given["key"])._key
    return {"type": kind, "key": key, "value": _compared_value(kind, given["value"], f"{where}: the value of {key!r}")}


_SIGNS_TO_NAMES: Final = {sign: name for name, sign in _SIGNS.items()} | {"ge": "gte", "le": "lte", "not_in": "nin"}


def _parts(given: object, where: str) -> list[Json]:
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise UserError(f"{where}.filters has to be a list of filters, not {brief(given)}.")
    parts = [filter_json(part, name=f"{where}.filters[{place}]") for place, part in enumerate(given)]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts) or not found:
        raise UserError(
            f"{where}.filters {'is empty' if not parts else 'holds None'}.", hint="Leave such a filter out."
        )
    return found


def _compared_value(kind: str, value: Any, where: str) -> Any:  # what attributes can have, or a list of that
    if kind in ("in", "nin"):
        values = [plain_value(each, where) for each in _several(value, "isin" if kind == "in" else "notin")]
        if not values:
            raise UserError(f"{where} is an empty list.", hint="Compare with at least one value.")
        return values
    plain = plain_value(value, where)
    if isinstance(plain, bool) and kind not in ("eq", "ne"):
        raise UserError(f"{where} is {plain}: booleans have no order.", hint="Compare them by == or !=.")
    return plain


def _joined(kind: str, *sides: object) -> Condition:
    parts: list[Json] = []
    for side in sides:
        if not isinstance(side, (Condition, Mapping)):
            raise UserError(f"{brief(side)} is no condition, and can't be joined with one.", hint=_JOINED)
        part = filter_json(side) or {}
        parts += part["filters"] if part["type"] == kind else [part]
    return Condition({"type": kind, "filters": parts})


def _negated(json: Json) -> Json:
    kind = _OPPOSITES[json["type"]]
    return {"type": kind, "filters": [_negated(each) for each in json["filters"]]} if "filters" in json else (
        json | {"type": kind}
    )  # fmt: skip


def _copied(json: Json) -> Json:
    if "filters" in json:
        return {"type": json["type"], "filters": [_copied(each) for each in json["filters"]]}
    value = json["value"]
    return json | {"value": list(value) if isinstance(value, list) else value}


def _written(json: Json) -> str:
    kind = json["type"]
    if "filters" in json:
        sign = " & " if kind == "and" else " | "
        return sign.join(f"({_written(each)})" for each in json["filters"])
    named = f"attr({json['key']!r})"
    if kind in ("in", "nin"):
        return f"{named}.{'isin' if kind == 'in' else 'notin'}({brief(json['value'], 200)})"
    return f"{named} {_SIGNS[kind]} {brief(json['value'], 200)}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(repr(word) for word in sorted(words))
