"""Attributes of OpenTelemetry's spans, which are plain values, and the values of the store that become one."""

from __future__ import annotations

from typing import Any, TypeAlias

from agentkit import _json
from agentkit.tracing.otlp_messages import value_of

__all__ = ["Attribute", "loaded", "put", "put_json"]

Attribute: TypeAlias = str | bool | int | float | list[str]


def put(attributes: dict[str, Attribute], name: str, value: Any) -> None:
    """Set an attribute, unless there is no value; what isn't a plain value as JSON."""
    if value is None:
        return
    texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
    if texts or isinstance(value, (str, bool, int, float)):
        attributes[name] = value
    else:
        put_json(attributes, name, value)


def put_json(attributes: dict[str, Attribute], name: str, value: Any) -> None:
    """Set an attribute to JSON text, the form that all receivers take; text as it is."""
    if value is not None:
        attributes[name] = value if isinstance(value, str) else _json.dumps(value).decode()


def loaded(text: str | None) -> Any:
    """Return what a column holds. What was no JSON, which only a file from elsewhere has, comes as text."""
    return None if text is None else value_of(text)
