"""From tokens to text as they come: never half a character, and joined exactly what all tokens together are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Detokenizer"]

_BROKEN = "\N{REPLACEMENT CHARACTER}"
_MOST_BYTES = 4
"""Of a character: so many broken ones at the end may still become one."""


class Detokenizer:
    """Turns tokens into text. Special tokens are left out, but for some that mean something.

    Some tokenizers write a token in another way at the beginning of a text, so each is decoded behind the one before.

    Args:
        tokenizer: A Hugging Face tokenizer.
        marks: Special tokens that are to be seen in the text, and their texts.
    """

    def __init__(self, tokenizer: Any, marks: Mapping[int, str]) -> None:
        self._tokenizer = tokenizer
        self._marks = marks
        self._tokens: list[int] = []
        self._start = 0
        """Where what is decoded begins."""
        self._known = 0
        """Up to where the text is known."""
        self._said = ""
        """What has been given of the text from `_start`."""

    def feed(self, token: int) -> str:
        """Return the text that is certain, now that `token` has come."""
        if (mark := self._marks.get(token)) is not None:
            return self.end() + mark
        self._tokens.append(token)
        text = self._decoded(self._tokens[self._start :])
        if not text.startswith(self._said):  # bytes that were a character until now: wait for what they become
            return ""
        if not text.endswith(_BROKEN):
            new = text[len(self._said) :]
            self._start, self._known = self._known, len(self._tokens)
            self._said = self._decoded(self._tokens[self._start :])
            return new
        certain = max(len(text.rstrip(_BROKEN)), len(text) - _MOST_BYTES)
        new = text[len(self._said) : certain]
        self._said += new
        return new

    def end(self) -> str:
        """Return the rest, now that no more will come of it."""
        rest = self._decoded(self._tokens[self._start :])[len(self._said) :]
        self._tokens, self._start, self._known, self._said = [], 0, 0, ""
        return rest

    def _decoded(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))
