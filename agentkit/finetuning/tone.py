"""How answers are written: what some do and others don't."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["Tone"]

_LONGEST: Final = 4_000
"""Characters of an answer that are looked at."""
_ALL: Final = 2_000
"""Answers that are all looked at."""
_EACH: Final = 20
"""Of those after them, one of so many."""
_FEWEST: Final = 10
"""Answers from which on a mixture is told."""
_MIXED: Final = 0.15
"""The part of the answers from which on those that write otherwise are told."""

# Each tells two ways to write apart; answers that have neither, or both, don't count.
_EITHER: Final = (
    (
        "short forms (don't) and long ones (do not)",
        re.compile(r"\b(?:don|can|won|isn|aren|doesn|didn|it|you|we|i|that)['’](?:t|s|re|m|ll|ve)\b", re.I),
        re.compile(r"\b(?:do not|cannot|will not|is not|are not|does not|did not|you are|we are|i am)\b", re.I),
    ),
    (
        "Sie and du",
        re.compile(r"\b(?:Sie|Ihnen|Ihren?|Ihrem|Ihrer)\b"),
        re.compile(r"\b(?:du|dir|dich|dein(?:e[mnrs]?)?)\b", re.I),
    ),
    ("vous and tu", re.compile(r"\b(?:vous|votre|vos)\b", re.I), re.compile(r"\b(?:tu|ton|tes|toi)\b", re.I)),
)
# Each is in an answer or isn't.
_SOME: Final = (
    ("emoji", re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")),
    ("an exclamation mark at the end", re.compile(r"!\s*\Z")),
    ("Markdown", re.compile(r"^(?:#{1,4} |[-*] |\d\. )|\*\*[^*\n]+\*\*|```", re.M)),
)


class Tone:
    """Counts how answers are written."""

    def __init__(self) -> None:
        self._seen = self._answers = 0
        self._either = [[0, 0] for _ in _EITHER]
        self._some = [0] * len(_SOME)

    def add(self, answer: str) -> None:
        """Look at an answer."""
        self._seen += 1
        if self._seen > _ALL and self._seen % _EACH:
            return
        text = answer if len(answer) <= _LONGEST else answer[:_LONGEST]
        self._answers += 1
        for counts, (_, one, other) in zip(self._either, _EITHER, strict=True):
            found = one.search(text) is not None, other.search(text) is not None
            if found[0] != found[1]:
                counts[found[1]] += 1
        for index, (_, pattern) in enumerate(_SOME):
            self._some[index] += pattern.search(text) is not None

    def mixtures(self) -> Iterator[str]:
        """Yield what is mixed: "Sie and du (40 % to 60 %)", "emoji (in 30 %)"."""
        for (one, other), (name, _, _) in zip(self._either, _EITHER, strict=True):
            told = one + other
            if told >= _FEWEST and min(one, other) >= _MIXED * told:
                yield f"{name} ({one / told:.0%} to {other / told:.0%})"
        for count, (name, _) in zip(self._some, _SOME, strict=True):
            if self._answers >= _FEWEST and _MIXED <= count / self._answers <= 1 - _MIXED:
                yield f"{name} (in {count / self._answers:.0%})"
