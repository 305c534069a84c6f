"""Text cut into the pieces that stand for tokens: about four characters each, with their leading space."""

from __future__ import annotations

import re

__all__ = ["count_pieces", "pieces"]

_PIECE = re.compile(
    r" ?[A-Za-z]{1,8}(?:'[A-Za-z]{1,2}(?![A-Za-z]))?"  # a word, or a part of a long one
    r"| ?[0-9]{1,3}"
    r"|[\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]{1,2}"  # scripts that write without spaces
    r"| ?[^\W\d_A-Za-z]{1,4}"
    r"|\n+|[ \t]{1,16}|(?:(?! )[\W_]){1,3}|.",
    re.DOTALL,
)


def pieces(text: str) -> list[str]:
    """Return the pieces of `text`; joined they are `text` again."""
    return _PIECE.findall(text)


def count_pieces(text: str) -> int:
    """Return how many pieces `text` has."""
    return len(_PIECE.findall(text))
