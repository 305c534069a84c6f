"""The `openai` package's types, made only when somebody looks.

Building them costs more than all else that happens to a streamed token, and most are never looked at. What the
package has no type for becomes a plain `openai.BaseModel` with the same attributes, never a wrong class.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from openai import BaseModel

__all__ = ["to_json", "typed_event", "typed_item"]


def typed_item(item: dict[str, Any]) -> Any:  # one of the many classes of `ResponseOutputItem`
    """Return an output item as the `openai` class for its `type`."""
    return _class_for(_item_classes(), item).construct(**item)


def typed_event(event: dict[str, Any]) -> Any:  # one of the many classes of `ResponseStreamEvent`
    """Return a stream event as the `openai` class for its `type`."""
    return _class_for(_event_classes(), event).construct(**event)


def to_json(value: Any) -> dict[str, Any]:
    """Return an item or event, given as a dict or as an `openai` object, as the JSON it stands for."""
    if isinstance(value, dict):
        return value
    dumped: dict[str, Any] = value.model_dump(mode="json", exclude_unset=True, by_alias=True, warnings=False)
    return dumped


def _class_for(classes: dict[str, type[BaseModel]], value: dict[str, Any]) -> type[BaseModel]:
    from openai import BaseModel

    return classes.get(value.get("type", ""), BaseModel)


@functools.cache
def _item_classes() -> dict[str, type[BaseModel]]:
    from openai.types.responses import ResponseOutputItem

    return _by_type(ResponseOutputItem)


@functools.cache
def _event_classes() -> dict[str, type[BaseModel]]:
    from openai.types.responses import ResponseStreamEvent

    return _by_type(ResponseStreamEvent)


def _by_type(union: Any) -> dict[str, type[BaseModel]]:
    """Return the members of an annotated union by the values that their `type` field may take."""
    members = get_args(get_args(union)[0])
    return {value: member for member in members for value in get_args(member.model_fields["type"].annotation)}
