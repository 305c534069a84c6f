"""JSON schemas as rehearsal-1 reads them: references followed, unions opened, and a least valid value for each.

Anything that isn't understood is read as "any value"; nothing here raises on a strange schema.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

__all__ = ["MAX_DEPTH", "Schema", "as_text", "fits", "least"]

MAX_DEPTH = 12
"""How deep values are built; recursive schemas end here at the latest."""

_ANY: dict[str, Any] = {}
_KINDS = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
_FORMATS = {
    "date": "2025-01-01",
    "date-time": "2025-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com",
    "url": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "hostname": "example.com",
    "duration": "PT0S",
}


@dataclass(frozen=True)
class Schema:
    """One schema with the document that its references point into."""

    body: dict[str, Any]
    """The schema with `$ref` and `allOf` resolved."""

    root: dict[str, Any]
    """The whole document."""

    name: str = ""
    """The property it describes, or `""`."""

    depth: int = 0
    """How many levels above it."""

    @classmethod
    def of(cls, raw: Any, root: Any = None, *, name: str = "", depth: int = 0) -> Schema:  # Any: outside JSON
        """Return the schema that `raw` describes; what isn't a schema object accepts anything."""
        top = root if isinstance(root, dict) else raw if isinstance(raw, dict) else _ANY
        return cls(_resolve(raw, top), top, name, depth)

    def child(self, raw: Any, name: str = "") -> Schema:
        """Return a schema inside this one."""
        return Schema.of(raw, self.root, name=name, depth=self.depth + 1)

    @cached_property
    def variants(self) -> list[Schema]:
        """The alternatives of `anyOf`, `oneOf` or a list of types, without null."""
        for key in ("anyOf", "oneOf"):
            options = self.body.get(key)
            if isinstance(options, list) and options:
                rest = {k: v for k, v in self.body.items() if k not in (key, "discriminator", "default", "title")}
                opened = [self._same_place(_merge(_resolve(option, self.root), rest)) for option in options[:32]]
                return [option for option in opened if option.body.get("type") != "null"]
        kinds = self.body.get("type")
        if isinstance(kinds, list):
            return [self._same_place({**self.body, "type": kind}) for kind in kinds if kind != "null"]
        return []

    def _same_place(self, body: dict[str, Any]) -> Schema:
        return Schema(body, self.root, self.name, self.depth)

    @cached_property
    def nullable(self) -> bool:
        """Whether null is a valid value."""
        kinds = self.body.get("type")
        if kinds == "null" or (isinstance(kinds, list) and "null" in kinds):
            return True
        if "const" in self.body:
            return self.body["const"] is None
        if isinstance(self.body.get("enum"), list) and None in self.body["enum"]:
            return True
        for key in ("anyOf", "oneOf"):
            options = self.body.get(key)
            if isinstance(options, list):
                return any(_resolve(option, self.root).get("type") == "null" for option in options[:32])
        return False

    @cached_property
    def kind(self) -> str:
        """The JSON type: string, number, integer, boolean, object, array, null, union, enum or any."""
        body = self.body
        if "const" in body or (isinstance(body.get("enum"), list) and body["enum"]):
            return "enum"
        if self.variants:
            return "union"
        if self.nullable and ("anyOf" in body or "oneOf" in body):
            return "null"  # nothing but null was offered
        kind = body.get("type")
        if isinstance(kind, str):
            return kind if kind in _KINDS else "any"
        if isinstance(kind, list):
            return "null"  # only null was left
        if isinstance(body.get("properties"), dict):
            return "object"
        return "array" if "items" in body else "any"

    @property
    def choices(self) -> list[Any]:
        """The values of `enum` or `const`."""
        if "const" in self.body:
            return [self.body["const"]]
        listed = self.body.get("enum")
        return listed if isinstance(listed, list) else []

    @cached_property
    def properties(self) -> dict[str, Schema]:
        """The properties of an object, by name."""
        listed = self.body.get("properties")
        if not isinstance(listed, dict):
            return {}
        return {str(name): self.child(raw, str(name)) for name, raw in list(listed.items())[:256]}

    @cached_property
    def required(self) -> frozenset[str]:
        """The names of the properties that must be there."""
        listed = self.body.get("required")
        return frozenset(name for name in listed if isinstance(name, str)) if isinstance(listed, list) else frozenset()

    @cached_property
    def items(self) -> Schema:
        """The schema of an array's items."""
        return self.child(self.body.get("items", _ANY), self.name)

    @property
    def description(self) -> str:
        """The description, or `""`."""
        text = self.body.get("description")
        return text if isinstance(text, str) else ""

    def number(self, key: str) -> float | None:
        """Return a numeric keyword such as `minimum` or `maxItems`, or None."""
        value = self.body.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        return value


def _resolve(raw: Any, root: dict[str, Any]) -> dict[str, Any]:
    """Return `raw` with its own `$ref` and `allOf` merged in."""
    body = raw if isinstance(raw, dict) else _ANY
    for _ in range(MAX_DEPTH):
        reference = body.get("$ref")
        if not isinstance(reference, str):
            break
        rest = {key: value for key, value in body.items() if key != "$ref"}
        body = _merge(_lookup(reference, root), rest)
    parts = body.get("allOf")
    if isinstance(parts, list) and root is not _ANY:
        merged = {key: value for key, value in body.items() if key != "allOf"}
        for part in parts[:16]:
            if isinstance(part, dict) and "allOf" in part and part is body:
                continue
            merged = _merge(_shallow(part, root), merged)
        body = merged
    return body


def _shallow(part: Any, root: dict[str, Any]) -> dict[str, Any]:
    body = part if isinstance(part, dict) else _ANY
    for _ in range(MAX_DEPTH):
        reference = body.get("$ref")
        if not isinstance(reference, str):
            return {key: value for key, value in body.items() if key != "allOf"}
        body = _merge(_lookup(reference, root), {key: value for key, value in body.items() if key != "$ref"})
    return _ANY


def _lookup(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    here: Any = root
    if not reference.startswith("#"):
        return _ANY
    for part in reference[1:].split("/"):
        if not part:
            continue
        part = part.replace("~1", "/").replace("~0", "~")
        here = here.get(part) if isinstance(here, dict) else None
    return here if isinstance(here, dict) else _ANY


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = {**base, **over}
    if isinstance(base.get("properties"), dict) and isinstance(over.get("properties"), dict):
        merged["properties"] = {**base["properties"], **over["properties"]}
    if isinstance(base.get("required"), list) and isinstance(over.get("required"), list):
        merged["required"] = [*base["required"], *over["required"]]
    return merged


def least(schema: Schema, budget: list[int] | None = None) -> Any:
    """Return the plainest value that `schema` accepts: its default, its first choice, `""`, 0, false, [] or {}.

    Args:
        schema: What the value has to be.
        budget: How many values may still be built; endless schemas end when it is spent.
    """
    budget = [2_000] if budget is None else budget
    budget[0] -= 1
    body = schema.body
    if "const" in body:
        return body["const"]
    if "default" in body and fits(body["default"], schema):
        return body["default"]
    if schema.nullable:
        return None
    if schema.kind == "enum":
        return schema.choices[0]
    if schema.depth > MAX_DEPTH or budget[0] < 0:
        return {"object": {}, "array": [], "string": "", "boolean": False}.get(schema.kind, 0)
    if schema.kind == "union":
        plain = sorted(schema.variants, key=lambda option: option.kind in ("object", "array"))
        return least(plain[0], budget) if plain else None
    match schema.kind:
        case "string":
            return _least_string(schema)
        case "integer" | "number":
            return _least_number(schema)
        case "boolean":
            return False
        case "array":
            count = min(int(schema.number("minItems") or 0), 100)
            return [least(schema.items, budget) for _ in range(count)]
        case "object":
            listed = schema.properties
            return {name: least(listed[name], budget) for name in listed if name in schema.required}
        case "null":
            return None
    return ""


def _least_string(schema: Schema) -> str:
    form = schema.body.get("format")
    if isinstance(form, str) and form in _FORMATS:
        return _FORMATS[form]
    return "-" * min(int(schema.number("minLength") or 0), 10_000)


def _least_number(schema: Schema) -> int | float:
    value: float = 0
    low, high = schema.number("minimum"), schema.number("maximum")
    above, below = schema.number("exclusiveMinimum"), schema.number("exclusiveMaximum")
    multiple = schema.number("multipleOf")
    step: float = multiple or 1
    if low is not None and value < low:
        value = low
    if above is not None and value <= above:
        value = above + step
    if high is not None and value > high:
        value = high
    if below is not None and value >= below:
        value = below - step if above is None else (above + below) / 2
    if multiple:
        value = math.ceil(value / multiple) * multiple
    if schema.kind == "integer":
        return math.ceil(value) if low is not None or above is not None else math.floor(value)
    return value


def fits(value: Any, schema: Schema) -> bool:
    """Return whether `value` is valid, as far as types, choices, bounds and sizes go."""
    body = schema.body
    if value is None:
        return schema.nullable or schema.kind == "any"
    if schema.kind == "enum":
        return any(value == choice and isinstance(value, bool) == isinstance(choice, bool) for choice in schema.choices)
    if schema.kind == "union":
        return any(fits(value, option) for option in schema.variants)
    match schema.kind:
        case "string":
            return isinstance(value, str) and _sized(len(value), body, "Length")
        case "boolean":
            return isinstance(value, bool)
        case "integer" | "number":
            return _number_fits(value, schema)
        case "array":
            if not isinstance(value, list) or not _sized(len(value), body, "Items"):
                return False
            return schema.depth > MAX_DEPTH or all(fits(item, schema.items) for item in value)
        case "object":
            return _object_fits(value, schema)
        case "null":
            return False
    return True


def _sized(size: int, body: dict[str, Any], what: str) -> bool:
    low, high = body.get(f"min{what}"), body.get(f"max{what}")
    return not (isinstance(low, int) and size < low) and not (isinstance(high, int) and size > high)


def _number_fits(value: Any, schema: Schema) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if schema.kind == "integer" and not float(value).is_integer():
        return False
    low, high = schema.number("minimum"), schema.number("maximum")
    above, below = schema.number("exclusiveMinimum"), schema.number("exclusiveMaximum")
    inside = (low is None or value >= low) and (high is None or value <= high)
    inside = inside and (above is None or value > above) and (below is None or value < below)
    multiple = schema.number("multipleOf")
    return inside and (not multiple or abs(value / multiple - round(value / multiple)) < 1e-9)


def _object_fits(value: Any, schema: Schema) -> bool:
    if not isinstance(value, dict) or not schema.required <= value.keys():
        return False
    closed = schema.body.get("additionalProperties") is False
    if closed and not value.keys() <= schema.properties.keys():
        return False
    known = ((schema.properties[key], item) for key, item in value.items() if key in schema.properties)
    return schema.depth > MAX_DEPTH or all(fits(item, property_) for property_, item in known)


def as_text(value: Any) -> str:
    """Return `value` as it is said in a sentence: strings as they are, the rest as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
