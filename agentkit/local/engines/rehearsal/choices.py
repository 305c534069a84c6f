"""Which of a schema's choices a text names: by the word, by a near-synonym, by what stands before it."""

from __future__ import annotations

from typing import Any

from .lexicon import groups_of
from .meaning import FROM_WORDS, TO_WORDS, Slot
from .reading import Reading
from .words import fold, identifier_words, stem

__all__ = ["choice_by_cue", "mentioned_choices", "names_choice"]


def choice_by_cue(reading: Reading, choices: list[Any], slot: Slot, taken: set[str]) -> Any:
    """Return the choice that is named behind "from" or "to", as the slot's name wants it; else the first free one."""
    named = mentioned_choices(reading, choices)
    if len(named) < 2:
        return named[0] if named else None
    for choice in named:
        parts = [stem(part) for part in identifier_words(str(choice))]
        for index, token in enumerate(reading.tokens):
            if token.stem not in parts[:1]:
                continue
            before = {fold(t.text) for t in reading.tokens[max(0, index - 2) : index]}
            if (slot.is_origin and before & FROM_WORDS) or (
                slot.is_target and not slot.is_origin and before & TO_WORDS
            ):
                return choice
    return next((choice for choice in named if str(choice) not in taken), named[0])


def mentioned_choices(reading: Reading, choices: list[Any]) -> list[Any]:
    """Return the choices that the text names, in order of mention; by near-synonyms only where none is named."""
    exact: list[tuple[int, int, Any]] = []
    near: list[tuple[int, int, Any]] = []
    positions: dict[str, int] = {}
    for index, token in enumerate(reading.tokens):
        positions.setdefault(token.stem, index)
    for order, choice in enumerate(choices[:200]):
        if isinstance(choice, bool) or choice is None:
            continue
        if isinstance(choice, int | float):
            hits = [entity.start for entity in reading.of("number") if entity.value == choice]
            exact += [(hits[0], order, choice)] if hits else []
            continue
        if not isinstance(choice, str):
            continue
        parts = [stem(part) for part in identifier_words(choice)] or [choice.lower()]
        if all(part in positions for part in parts) and not _denied(reading, positions[parts[0]]):
            exact.append((positions[parts[0]], order, choice))
            continue
        alike = _near(parts, positions)
        if alike is not None and not _denied(reading, alike):
            near.append((alike, order, choice))
    return [choice for _, _, choice in sorted(exact or near[:1], key=lambda hit: hit[:2])]


def names_choice(stemmed: str, choice: str) -> bool:
    """Return whether a single word names a choice, exactly or by a near-synonym."""
    parts = {stem(part) for part in identifier_words(choice)}
    return stemmed in parts or any(stemmed in group and parts & group for group in _ALIKE)


def _denied(reading: Reading, index: int) -> bool:
    return any(fold(token.text) in ("not", "no", "without") for token in reading.tokens[max(0, index - 1) : index])


_ALIKE: tuple[frozenset[str], ...] = tuple(
    frozenset(stem(word) for word in text.split())
    for text in (
        "celsius metric centigrade c",
        "fahrenheit imperial f",
        "small little tiny s",
        "medium regular m moderate average",
        "large big huge l",
        "high urgent critical asap immediately important emergency",
        "low minor trivial unimportant whenever",
        "ascending asc increasing alphabetical oldest cheapest lowest",
        "descending desc decreasing newest latest highest",
        "fast quick quickest fastest express",
        "cheap economy budget affordable cheapest",
        "business executive",
        "formal polite professional",
        "casual informal friendly",
        "short brief concise",
        "long detailed thorough verbose",
        "car drive driving auto",
        "walk walking foot",
        "bike bicycle cycling cycle",
        "transit bus train subway metro public",
        "add plus sum",
        "subtract minus difference",
        "multiply times product",
        "divide quotient over",
        "yes true on",
        "no false off",
        "male man boy m",
        "female woman girl f",
        "usd dollar dollars",
        "eur euro euros",
        "gbp pound pounds sterling",
        "jpy yen",
        "km kilometer kilometers kilometre kilometres",
        "mi mile miles",
        "kg kilogram kilograms kilo kilos",
        "lb pound pounds lbs",
        "open start begin",
        "close closed shut finished done",
        "buy purchase long",
        "sell short",
    )
)


def _near(parts: list[str], positions: dict[str, int]) -> int | None:
    if len(parts) != 1:
        return None
    for group in _ALIKE:
        if parts[0] in group:
            for word in group:
                if word in positions and len(word) > 1:
                    return positions[word]
    for group_name in groups_of(parts[0]):
        for word, index in positions.items():
            if group_name in groups_of(word) and len(groups_of(word)) == 1:
                return index
    return None
