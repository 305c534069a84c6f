"""A request taken apart into what is to be done, and in which order."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .reading import Reading

__all__ = ["Clause", "split_request"]

_SEQUENCE = re.compile(
    r"(?:[,;.]?\s+(?:and\s+)?(?:then|afterwards?|after that|finally|next,|subsequently|once (?:that's|that is"
    r"|you(?:'re| are)) done|luego"
    r"|después|ensuite|puis|danach|dann),?\s+)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"(?<!\b[A-Z]\.)(?<!\b[DMS][rst]\.)(?<!\bMrs\.)(?<!\bProf\.)(?<=[.!?])\s+|\n+|;\s*"  # not after "Dr." or "J."
)
_AND = re.compile(
    r",?\s+(?:and|as well as|plus also|y|et|und|e)\s+(?:also\s+|please\s+)?|,\s+(?:also\s+)?", re.IGNORECASE
)
_MOST_CLAUSES = 24


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a request that asks for one kind of thing."""

    reading: Reading
    stage: int
    """0 for what can be done at once; each "then" adds one."""


def split_request(text: str, starts_anew: Callable[[str], bool], stands_alone: Callable[[str], bool]) -> list[Clause]:
    """Return the parts of a request, in order.

    "and" only parts two clauses where both sides ask for something: "add 2 and 3 and multiply 4 by 5" has two parts.

    Args:
        text: The request.
        starts_anew: Tells whether a text begins by asking for something.
        stands_alone: Tells whether a text asks for something at all.
    """
    masked = _mask_quotes(text)
    clauses: list[Clause] = []
    stage = 0
    position = 0
    for boundary in [*_SEQUENCE.finditer(masked), None]:
        end = boundary.start() if boundary is not None else len(text)
        for start, stop in _sentences(masked, position, end):
            for piece in _by_and(text, masked, start, stop, starts_anew, stands_alone):
                asked = piece.strip(" \t\n.,;!?")
                clauses += [Clause(Reading(piece.strip()), stage)] if asked else []
        if boundary is not None:
            position = boundary.end()
            stage += 1 if clauses else 0
    return clauses[:_MOST_CLAUSES] or [Clause(Reading(text), 0)]


def _mask_quotes(text: str) -> str:
    """Return `text` with quotations blanked, so that nothing is split inside them; the length stays."""
    quoted = Reading(text)
    masked = list(text)
    if len(quoted.text) == len(text):
        for entity in quoted.of("quoted"):
            masked[entity.start : entity.end] = "_" * (entity.end - entity.start)
    return "".join(masked)


def _sentences(masked: str, start: int, end: int) -> list[tuple[int, int]]:
    spans, position = [], start
    for boundary in _SENTENCE.finditer(masked, start, end):
        spans.append((position, boundary.start()))
        position = boundary.end()
    return [*spans, (position, end)]


def _by_and(
    text: str,
    masked: str,
    start: int,
    end: int,
    starts_anew: Callable[[str], bool],
    stands_alone: Callable[[str], bool],
) -> list[str]:
    pieces: list[str] = []
    position = start
    for boundary in _AND.finditer(masked, start, end):
        right = text[boundary.end() : end]
        left = text[position : boundary.start()]
        if left.strip() and starts_anew(right) and stands_alone(left):
            pieces.append(left)
            position = boundary.end()
    return [*pieces, text[position:end]]
