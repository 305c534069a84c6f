"""The format of an answer: text, any JSON object, or JSON of a schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from agentkit.local.checking import Shape, by_type
from agentkit.local.errors import ApiError

__all__ = ["FormatName", "JsonObjectFormat", "TextFormat", "TextOnlyFormat", "check_json_is_mentioned"]

FormatName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9_-]+$")]


class TextOnlyFormat(Shape):
    """Plain text."""

    type: Literal["text"]


class JsonObjectFormat(Shape):
    """Any JSON object."""

    type: Literal["json_object"]


class JsonSchemaFormat(Shape):
    """JSON that follows a schema."""

    type: Literal["json_schema"]
    name: FormatName
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None
    description: str | None = None


TextFormat = Annotated[
    Annotated[TextOnlyFormat, Tag("<text>")]
    | Annotated[JsonSchemaFormat, Tag("<json_schema>")]
    | Annotated[JsonObjectFormat, Tag("<json_object>")],
    Discriminator(by_type),
]


def check_json_is_mentioned(items: Iterable[dict[str, Any]], *, what: str, option: str, param: str) -> None:
    """Check that the word JSON is in the prompt, which OpenAI asks for with `json_object`.

    Args:
        items: The prompt's items.
        what: What they are called in the request, for the message.
        option: Name of the option that asks for JSON.
        param: Where the items stand in the request.

    Raises:
        ApiError: It isn't there; a model that isn't told may write blanks for ever.
    """
    for item in items:
        content = item.get("content") or item.get("output") or ""
        texts = [content] if isinstance(content, str) else [part.get("text") or "" for part in content]
        if any("json" in text.lower() for text in texts):
            return
    message = f"{what} must contain the word 'json' in some form, to use '{option}' of type 'json_object'."
    raise ApiError(message, param=param)
