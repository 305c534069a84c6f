"""From an engine's pieces to the parts of an answer, counted, and cut where the request says."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from agentkit.local.engines.base import Citation, Engine, FileSearch, FunctionCall, Piece, Prompt, TextDelta, Usage
from agentkit.local.errors import ApiError, engine_failed
from agentkit.local.ids import new_id

__all__ = [
    "ArgumentsPart",
    "CallBegun",
    "CallEnded",
    "CitationPart",
    "Generation",
    "Part",
    "SearchBegun",
    "SearchEnded",
    "Searcher",
    "TextPart",
]

logger = logging.getLogger(__name__)

_FRAGMENT = re.compile(r"\s*(?:\w{1,6}|[^\w\s]{1,3})|\s+")


@dataclass(frozen=True, slots=True)
class TextPart:
    """Some of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class CallBegun:
    """A function call begins."""

    name: str


@dataclass(frozen=True, slots=True)
class ArgumentsPart:
    """Some of the JSON text of the call's arguments, about a token."""

    text: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The function call is at its end."""

    complete: bool
    """Whether all of its arguments came, or the token limit cut them."""


@dataclass(frozen=True, slots=True)
class CitationPart:
    """The text so far rests on a file."""

    file_id: str
    filename: str


@dataclass(frozen=True, slots=True)
class SearchBegun:
    """A search in files begins."""

    id: str
    """`fs_…`"""


@dataclass(frozen=True, slots=True)
class SearchEnded:
    """The search is done."""

    item: dict[str, Any]
    """The `file_search_call`, with all of its `results`."""


Part = TextPart | CallBegun | ArgumentsPart | CallEnded | CitationPart | SearchBegun | SearchEnded


class Searcher(Protocol):
    """Carries out the searches that an engine asks for."""

    async def search(self, item_id: str, queries: tuple[str, ...]) -> dict[str, Any]:
        """Return the `file_search_call` item of a search that was carried out.

        Raises:
            ApiError: It can't be.
        """
        ...

    def goes_on(self, prompt: Prompt, item: dict[str, Any]) -> Prompt:
        """Return the prompt that the engine gets after a search."""
        ...


class Generation:
    """One answer in the making.

    Args:
        engine: Who answers.
        prompt: What was asked.
        searcher: Carries out the searches that the engine asks for; without one, such are passed over.
    """

    def __init__(self, engine: Engine, prompt: Prompt, searcher: Searcher | None = None) -> None:
        self._engine = engine
        self._prompt = prompt
        self._searcher = searcher
        self._pieces: AsyncIterator[Piece] | None = None
        self._first: Piece | None = None
        self.output_tokens = 0
        """Tokens made so far."""
        self.input_tokens: int | None = None
        """Tokens of `prompt`, where the engine told them."""
        self.reasoning_tokens = 0
        """Those of `output_tokens` that are no part of the answer, where the engine told them."""
        self.cut = False
        """Whether the answer was cut at `max_output_tokens`."""
        self._tokens_before_search = 0

    @property
    def prompt(self) -> Prompt:
        """What the engine was given last: with what was found, where it had files searched."""
        return self._prompt

    async def start(self) -> None:
        """Wait for the first piece, so that an engine that can't answer fails before anything is sent.

        Raises:
            ApiError: The engine raised.
        """
        try:
            self._pieces = aiter(self._engine.answer(self._prompt))
            self._first = await anext(self._pieces, None)
        except Exception as error:
            raise self._failure(error) from error

    async def parts(self) -> AsyncGenerator[Part, None]:
        """Yield the answer's parts in order; `start` comes first.

        Raises:
            ApiError: The engine raised.
        """
        if self._pieces is None or self._first is None:
            return
        piece: Piece | None = self._first
        is_over = False  # no more than usage is wanted
        while piece is not None and not self.cut:
            if isinstance(piece, Usage):
                self._take_usage(piece)
            elif is_over:
                pass
            elif isinstance(piece, TextDelta):
                if text := self._text(piece):
                    yield TextPart(text)
            elif isinstance(piece, Citation):
                yield CitationPart(piece.file_id, piece.filename)
            elif isinstance(piece, FileSearch):
                if self._searcher is not None:
                    begun = SearchBegun(new_id("fs"))
                    yield begun
                    item = await self._searcher.search(begun.id, piece.queries)
                    yield SearchEnded(item)
                    await self._ask_again(self._searcher.goes_on(self._prompt, item))
            else:
                for part in self._call_parts(piece):
                    yield part
                if not self._prompt.parallel_tool_calls:
                    if piece.tokens is None:
                        return
                    is_over = True
            if not self.cut:
                piece = await self._next()

    async def aclose(self) -> None:
        """Stop the engine."""
        close = getattr(self._pieces, "aclose", None)
        if close is not None:
            await close()

    async def _ask_again(self, prompt: Prompt) -> None:
        """Let go of what the engine was about to say, and have it answer a longer prompt."""
        await self.aclose()
        self._prompt = prompt
        self._tokens_before_search = self.output_tokens
        try:
            self._pieces = aiter(self._engine.answer(prompt))
        except Exception as error:
            raise self._failure(error) from error

    async def _next(self) -> Piece | None:
        assert self._pieces is not None
        try:
            return await anext(self._pieces, None)
        except Exception as error:
            raise self._failure(error) from error

    def _take_usage(self, usage: Usage) -> None:
        self.input_tokens = usage.input_tokens
        self.output_tokens = self._tokens_before_search + usage.output_tokens
        self.reasoning_tokens += usage.reasoning_tokens
        self.cut = usage.cut

    def _text(self, piece: TextDelta) -> str:
        if piece.tokens is None:
            return self._within_limit([piece.text])
        self.output_tokens += piece.tokens
        return piece.text

    def _call_parts(self, call: FunctionCall) -> Iterator[Part]:
        yield CallBegun(call.name)
        self.output_tokens += call.tokens or 0
        for fragment in _FRAGMENT.findall(call.arguments):
            if text := fragment if call.tokens is not None else self._within_limit([fragment]):
                yield ArgumentsPart(text)
            if self.cut:
                break
        yield CallEnded(complete=call.complete and not self.cut)

    def _within_limit(self, texts: list[str]) -> str:
        """Count `texts` and return what of them is within the limit."""
        limit = self._prompt.max_output_tokens
        kept = ""
        for text in texts:
            tokens = self._engine.count_tokens(text)
            if limit is not None and self.output_tokens + tokens > limit:
                fragments = _FRAGMENT.findall(text)
                if len(fragments) > 1:  # the engine gave several tokens at once: keep those that fit
                    return kept + self._within_limit(fragments)
                self.cut = True
                break
            self.output_tokens += tokens
            kept += text
        return kept

    def _failure(self, error: Exception) -> ApiError:
        if isinstance(error, ApiError):
            return error
        logger.debug("engine failed", exc_info=error)
        return engine_failed(self._prompt.model, error)
