"""rehearsal-1 as an engine of the embedded platform."""

from __future__ import annotations

from collections.abc import AsyncIterator

from agentkit.local.engines.base import Piece, Prompt, TextDelta

from .decide import reply
from .tokens import count_pieces, pieces

__all__ = ["RehearsalEngine"]


class RehearsalEngine:
    """Answers prompts by rule: no network, no clock, no chance, and no knowledge."""

    model = "rehearsal-1"
    """The name that it answers under."""

    async def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Yield the reply to `prompt`: a search, whole calls, or text in pieces of about a token each, with citations.

        The pieces come as fast as they are taken; the platform sets the pace and keeps to `max_output_tokens`.
        """
        answer = reply(prompt)
        if answer.search is not None:
            yield answer.search
            return
        for call in answer.calls:
            yield call
        if answer.calls:
            return
        start = 0
        for end, citation in (*answer.cited, (len(answer.text), None)):
            for piece in pieces(answer.text[start:end]):
                yield TextDelta(piece)
            if citation is not None:
                yield citation
            start = end

    def count_tokens(self, text: str) -> int:
        """Return how many pieces `answer` would cut `text` into; 0 for no text."""
        return count_pieces(text)
