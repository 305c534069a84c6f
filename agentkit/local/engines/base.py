"""What an engine of the embedded platform is given, and what it gives back, piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Engine", "FunctionCall", "Piece", "Prompt", "TextDelta"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request to a model, whichever of the platform's paths it came through."""

    model: str
    """Name of the model that was asked for."""

    items: list[dict[str, Any]]
    """Responses-API input items, oldest first; instructions are a leading system or developer message.

    Images that came with their bytes have a `size` such as "PNG, 640 × 480 px" and their `tokens`; files that can be
    read have a `document` with `name`, `pages` and `text`.
    """

    tools: list[dict[str, Any]]
    """Tools in the Responses shape: function tools are flat."""

    tool_choice: str | dict[str, Any]
    """`"auto"`, `"none"`, `"required"`, or an object that names a function or the allowed tools."""

    parallel_tool_calls: bool
    """Whether one answer may hold several calls."""

    text_format: dict[str, Any]
    """`{"type": "text"}`, `{"type": "json_object"}`, or `json_schema` with `name`, `schema` and `strict`."""

    max_output_tokens: int | None
    """Tokens after which the platform cuts the answer, or None."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer's text, about one token long."""

    text: str
    """The piece, with its spaces; all pieces joined are the answer."""


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A whole function call."""

    name: str
    """Name of the tool."""

    arguments: str
    """JSON text of one object."""


Piece = TextDelta | FunctionCall


class Engine(Protocol):
    """Something that answers prompts: rehearsal-1, or a real model."""

    def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Return the answer's pieces in order."""
        ...

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` has for this engine."""
        ...
