"""The lines of a training file as strict models: what most lines look like, checked in compiled code.

A line that fits is right. One that doesn't may be right, too: tools, images and whatever is about several messages at
once are left to the rules in `agentkit.training_files.rules`, which also say what is wrong.
"""

from __future__ import annotations

import functools
from typing import Annotated, Any, Literal, NotRequired, cast

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from pydantic_core import SchemaValidator
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

__all__ = ["PairLine", "TextLine", "is_plain"]

_STRICT = ConfigDict(strict=True, extra="forbid")

Text = Annotated[str, Field(pattern=r"[^\s\x1c-\x1f]")]
"""A text that says something."""


@with_config(_STRICT)
class TextPart(TypedDict):
    """A part of a message."""

    type: Literal["text"]
    text: str


@with_config(_STRICT)
class Told(TypedDict):
    """A message that the model is told."""

    role: Literal["system", "developer", "user"]
    content: Text | Annotated[list[TextPart], Field(min_length=1)]
    name: NotRequired[str]


@with_config(_STRICT)
class Answer(TypedDict):
    """What the model is to say."""

    role: Literal["assistant"]
    content: Text
    name: NotRequired[str]
    weight: NotRequired[Annotated[int, Field(ge=0, le=1)]]


Message = Annotated[Told | Answer, Field(discriminator="role")]


@with_config(_STRICT)
class TextLine(TypedDict):
    """A conversation of texts, for supervised fine-tuning."""

    messages: Annotated[list[Message], Field(min_length=2)]


@with_config(_STRICT)
class Prompt(TypedDict):
    """What both answers of a pair answer."""

    messages: Annotated[list[Message], Field(min_length=1)]


@with_config(_STRICT)
class PairLine(TypedDict):
    """A liked and a disliked answer, for direct preference optimization."""

    input: Prompt
    preferred_output: Annotated[list[Answer], Field(min_length=1, max_length=1)]
    non_preferred_output: Annotated[list[Answer], Field(min_length=1, max_length=1)]


@functools.cache
def _validator(kind: str) -> SchemaValidator:
    adapter: TypeAdapter[Any] = TypeAdapter(TextLine if kind == "sft" else PairLine)
    return cast("SchemaValidator", adapter.validator)


def is_plain(kind: str, value: Any) -> bool:
    """Return whether a line fits its model, and is right; False: the rules have to look.

    Args:
        kind: "sft" or "preferences".
        value: The line: parsed JSON.
    """
    if len(value) != (1 if kind == "sft" else 3) or not _validator(kind).isinstance_python(value):
        return False
    if kind == "sft":
        messages = value["messages"]
        if messages[-1]["role"] != "assistant":
            return False
        if messages[-1].get("weight") == 0:  # is an answer before it learnt?
            return False
        return messages[-2]["role"] == "user" or any(message["role"] == "user" for message in messages)
    return bool(
        value["input"]["messages"][-1]["role"] == "user" and value["preferred_output"] != value["non_preferred_output"]
    )
