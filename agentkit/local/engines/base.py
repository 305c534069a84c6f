"""What an engine of the embedded platform is given, and what it gives back, piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

__all__ = [
    "Citation",
    "CountingEngine",
    "Engine",
    "FileSearch",
    "FunctionCall",
    "Piece",
    "Prompt",
    "TextDelta",
    "Usage",
]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request to a model, whichever of the platform's paths it came through."""

    model: str
    """Name of the model that was asked for."""

    items: list[dict[str, Any]]
    """Responses-API input items, oldest first; instructions are a leading system or developer message.

    Images that came with their bytes have a `size` such as "PNG, 640 × 480 px" and their `tokens`; files that can be
    read have a `document` with `name`, `pages` and `text`.

    A search in files is a `file_search_call` item with its `queries`, its `results` (`file_id`, `filename`, `score`,
    `attributes`, `text`, `page`) and its `output`: the same results as a model is to read them, quoted as data. An
    engine that asks a model sends the item as a call of a tool with that output as its result, and nothing of a result
    anywhere else.
    """

    tools: list[dict[str, Any]]
    """Tools in the Responses shape: function tools are flat; `file_search` is there while it may still be asked for."""

    tool_choice: str | dict[str, Any]
    """`"auto"`, `"none"`, `"required"`, or an object that names a function, `file_search` or the allowed tools."""

    parallel_tool_calls: bool
    """Whether one answer may hold several calls."""

    text_format: dict[str, Any]
    """`{"type": "text"}`, `{"type": "json_object"}`, or `json_schema` with `name`, `schema` and `strict`."""

    max_output_tokens: int | None
    """Tokens after which the platform cuts the answer, or None."""

    temperature: float | None = None
    """How freely the answer's tokens are drawn, 0 (never) to 2; None: as the model has it."""

    top_p: float | None = None
    """Share of the probability from which they are drawn, 0 to 1; None: as the model has it."""

    seed: int | None = None
    """Makes what is drawn repeatable; None: it is not."""

    effort: str | None = None
    """How much a model is to think, "none" to "max"; None: as it does by itself."""

    stop: tuple[str, ...] = ()
    """Texts at which the answer ends. The platform sees to it too: an engine may go on."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer's text, about one token long."""

    text: str
    """The piece, with its spaces; all pieces joined are the answer."""

    tokens: int | None = None
    """How many tokens it is; None: as many as `Engine.count_tokens` says. An engine that tells keeps to
    `max_output_tokens` by itself."""


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A whole function call."""

    name: str
    """Name of the tool."""

    arguments: str
    """JSON text of one object."""

    tokens: int | None = None
    """As of a `TextDelta`."""

    complete: bool = True
    """Whether the arguments are all there, or were cut at `max_output_tokens`."""


@dataclass(frozen=True, slots=True)
class FileSearch:
    """The files are to be searched. The engine is asked again, with what was found as the prompt's last item."""

    queries: tuple[str, ...]
    """What to look for, in one or several ways."""


@dataclass(frozen=True, slots=True)
class Citation:
    """What the answer's text has said just now stands in a file."""

    file_id: str
    """`file-…`, of a result of a search."""

    filename: str
    """What the file is called."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer took, for an engine that knows: the last piece, or the last before a search."""

    input_tokens: int
    """Tokens of the prompt as the model read it."""

    output_tokens: int
    """Tokens that the model made, those that are not in the answer too: marks, and what it thought."""

    reasoning_tokens: int
    """Those of `output_tokens` that it thought."""

    cut: bool
    """Whether the answer ends at `max_output_tokens`, or where the model can't go on."""


Piece = TextDelta | FunctionCall | FileSearch | Citation | Usage


class Engine(Protocol):
    """Something that answers prompts: rehearsal-1, or a real model."""

    def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Return the answer's pieces in order."""
        ...

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` has for this engine."""
        ...


@runtime_checkable
class CountingEngine(Protocol):
    """An engine that tells how many tokens a whole prompt is, as its model reads it."""

    async def count_prompt(self, prompt: Prompt) -> int:
        """Return the tokens of `prompt`.

        Raises:
            ApiError: It can't be counted.
        """
        ...
