"""Where values may be taken from, and what has been taken already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from .facts import Fact
from .lexicon import GENERIC
from .meaning import Slot
from .reading import Reading
from .schemas import fits
from .words import fold, stem_set, word_set

__all__ = ["MISSING", "Judge", "Sources", "refers_back", "told_before"]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""No value was found."""


class Judge(Protocol):
    """Decides what isn't said in so many words; only answers are judged, arguments of calls never."""

    def boolean(self, slot: Slot) -> bool:
        """Return whether what the slot asks is so."""
        ...

    def choice(self, slot: Slot, choices: list[Any]) -> Any:
        """Return the choice that fits best."""
        ...

    def number(self, slot: Slot) -> int | float | None:
        """Return a judged number (a rating, a confidence, a count), or None."""
        ...

    def text(self, slot: Slot) -> str | None:
        """Return the text that belongs there, or None for what the request itself says."""
        ...

    def listing(self, slot: Slot) -> list[str]:
        """Return the strings of a list that nothing in the request gives."""
        ...


@dataclass
class Sources:
    """Where values may be taken from, and what has been taken."""

    clause: Reading
    """The part of the request that this call or answer is about."""

    whole: Reading
    """The whole request."""

    facts: list[Fact] = field(default_factory=list)
    """Told before, newest first."""

    referent: str | None = None
    """What "it" and "the result" stand for."""

    command: frozenset[str] = frozenset()
    """Stems of the tool's own words."""

    told: str = ""
    """The instructions."""

    judge: Judge | None = None
    """Set when an answer is filled."""

    forced: bool = False
    """Something has to be put where nothing is found."""

    used: set[tuple[int, int]] = field(default_factory=set)
    """Places in the clause whose values are taken."""

    @property
    def readings(self) -> list[Reading]:
        """The clause, and behind it the whole request where that is more."""
        return [self.clause] if self.whole.text == self.clause.text else [self.clause, self.whole]


_ALSO_CALLED = {
    "place": stem_set("city location town live place"),
    "email": stem_set("email"),
    "phone": stem_set("phone"),
}
_POINTING = word_set("it that this them these those result results answer output outcome lo le es")
_BEFORE_EMPTY_IT = word_set("is was does did will")  # "what time is it", "will it rain"


def told_before(sources: Sources, slot: Slot, *, exact: bool) -> Any:
    """Return what a result or an earlier message says under the slot's own name, or MISSING.

    Args:
        sources: Holds the facts, newest first.
        slot: What is looked for.
        exact: Only under exactly that name, and only where an answer sums up; else a request's own words go first.
    """
    wanted = slot.words - GENERIC or slot.words
    if not wanted or (exact and sources.judge is None):
        return MISSING
    alike = _ALSO_CALLED.get(slot.meaning, frozenset())
    for fact in sources.facts:
        same = slot.words == fact.key
        if not exact and not same:
            same = (wanted <= fact.words and bool(wanted & fact.key)) or bool(alike & fact.words)
        if same and fits(fact.value, slot.schema):
            return fact.value
    return MISSING


def refers_back(reading: Reading) -> bool:
    """Return whether a text speaks of a result: it, that, this, them, the result, the answer."""
    previous = ""
    for token in reading.tokens:
        word = fold(token.text)
        if word in _POINTING and not (word == "it" and previous in _BEFORE_EMPTY_IT):
            return True
        previous = word
    return False
