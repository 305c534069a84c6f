"""From an engine's pieces to the parts of an answer, counted, and cut where the request says."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass

from agentkit.local.engines.base import Engine, FunctionCall, Piece, Prompt, TextDelta
from agentkit.local.errors import ApiError, engine_failed

__all__ = ["ArgumentsPart", "CallBegun", "CallEnded", "Generation", "Part", "TextPart"]

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


Part = TextPart | CallBegun | ArgumentsPart | CallEnded


class Generation:
    """One answer in the making.

    Args:
        engine: Who answers.
        prompt: What was asked.
    """

    def __init__(self, engine: Engine, prompt: Prompt) -> None:
        self._engine = engine
        self._prompt = prompt
        self._pieces: AsyncIterator[Piece] | None = None
        self._first: Piece | None = None
        self.output_tokens = 0
        """Tokens made so far."""
        self.cut = False
        """Whether the answer was cut at `max_output_tokens`."""

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
        while piece is not None and not self.cut:
            if isinstance(piece, TextDelta):
                if text := self._within_limit([piece.text]):
                    yield TextPart(text)
            else:
                for part in self._call_parts(piece):
                    yield part
                if not self._prompt.parallel_tool_calls:
                    return
            if not self.cut:
                piece = await self._next()

    async def aclose(self) -> None:
        """Stop the engine."""
        close = getattr(self._pieces, "aclose", None)
        if close is not None:
            await close()

    async def _next(self) -> Piece | None:
        assert self._pieces is not None
        try:
            return await anext(self._pieces, None)
        except Exception as error:
            raise self._failure(error) from error

    def _call_parts(self, call: FunctionCall) -> Iterator[Part]:
        yield CallBegun(call.name)
        for fragment in _FRAGMENT.findall(call.arguments):
            if text := self._within_limit([fragment]):
                yield ArgumentsPart(text)
            if self.cut:
                break
        yield CallEnded(complete=not self.cut)

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
