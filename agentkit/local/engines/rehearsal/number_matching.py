"""Which of a text's numbers belongs in which slot: by the words beside it, else by order of mention."""

from __future__ import annotations

import re

from .lexicon import GENERIC, STOP, groups_of
from .meaning import Slot
from .reading import Entity, Reading
from .words import fold, stem, stem_set

__all__ = ["assign_numbers", "is_unit", "numbers_in_order"]


def numbers_in_order(reading: Reading) -> list[Entity]:
    """Return the numbers in the order in which an operation takes them: "subtract 3 from 10" gives 10, then 3."""
    numbers = reading.of("number")
    if len(numbers) == 2:
        between = fold(reading.text[numbers[0].end : numbers[1].start]).strip()
        first = reading.tokens[:12]
        opening = {token.stem for token in first if token.end <= numbers[0].start}
        takes_away = bool(opening & {"subtract", "take", "deduct", "remov", "restar", "resta"}) and between in (
            "from",
            "de",
            "off",
        )
        if takes_away or between in ("less than", "subtracted from", "into", "fewer than"):
            return numbers[::-1]
    return numbers


def assign_numbers(
    reading: Reading, slots: dict[str, Slot], used: set[tuple[int, int]], *, strict: bool
) -> dict[str, Entity]:
    """Return which number goes into which slot.

    Numbers with telling neighbours go first; required slots without any take what is left, in order of mention.

    Args:
        reading: The text.
        slots: Numeric slots by name.
        used: Places whose values are taken already.
        strict: Leave a number over rather than put it where nothing speaks for it, if it plainly counts something else.
    """
    numbers = [entity for entity in numbers_in_order(reading) if (entity.start, entity.end) not in used]
    pairs = [
        (_number_score(reading, entity, slot), -i, -j, name, entity)
        for i, (name, slot) in enumerate(slots.items())
        for j, entity in enumerate(numbers)
    ]
    chosen: dict[str, Entity] = {}
    taken: set[int] = set()
    for score, _, _, name, entity in sorted(pairs, key=lambda pair: pair[:3], reverse=True):
        if score >= 1.5 and name not in chosen and entity.start not in taken:
            chosen[name] = entity
            taken.add(entity.start)
    left = [entity for entity in numbers if entity.start not in taken]
    if strict and len(slots) == 1 and len(left) > 1:
        left = []
    for name, slot in slots.items():
        if name in chosen or not slot.required:
            continue
        suitable = next((entity for entity in left if _may_take(entity, slot)), None)
        if suitable is not None:
            chosen[name] = suitable
            left.remove(suitable)
    return chosen


def _may_take(entity: Entity, slot: Slot) -> bool:
    kinds = {option.kind for option in slot.schema.variants} or {slot.schema.kind}
    if "number" not in kinds and entity.value is not None and not float(entity.value).is_integer():
        return False
    return not (entity.mark == "%" and bool(slot.words & {"amount", "price", "cost"}))


def _number_score(reading: Reading, entity: Entity, slot: Slot) -> float:
    near, following = reading.before(entity.start, 3), reading.after(entity.end, 3)
    after = [stem(word) for word in following]
    before = [stem(word) for word in near]
    named = slot.words - GENERIC or slot.words
    described = slot.wide_words - slot.words - GENERIC - STOP
    groups = {group for word in named for group in groups_of(word)} | {_unit_of(word) for word in named} - {""}
    score = 0.0
    if after and (after[0] in named or _unit_of(after[0]) in groups):
        score += 3
    elif len(after) > 1 and after[1] in named and after[0] not in ("and", "to"):
        score += 2
    elif after and after[0] in described:
        score += 1.6
    gap = reading.text[max(0, entity.start - 40) : entity.start]
    in_reach = [word for word in before if word] if not re.search(r"\d[^\d]*$|,[^,]*$", gap[-20:]) else before[:2]
    if in_reach and in_reach[0] in named:
        score += 3
    elif set(in_reach) & named:
        score += 2
    elif in_reach and in_reach[0] in described:
        score += 0.8
    previous = near[0] if near else ""
    if slot.is_low and previous in ("from", "between", "de", "least", "minimum", "above"):
        score += 2
    if (
        slot.is_high
        and previous in ("to", "and", "until", "through", "most", "maximum", "under", "below")
        and len(slot.words) < 4
    ):
        score += 2 if previous != "and" or "between" in reading.lower else 0.5
    score += _mark_score(entity, slot)
    if slot.words & _COUNTS and after and after[0].isalpha() and not _unit_of(after[0]) and not entity.mark:
        score += 1.6  # "5 headlines", for a `limit`
    if "old" in following[:2] and slot.words & {"age"}:
        score += 3
    return score


def _mark_score(entity: Entity, slot: Slot) -> float:
    percent = bool(slot.wide_words & {"percent", "percentag", "rat", "tip", "discount", "tax", "interest"})
    money = bool(
        slot.wide_words & {"price", "pric", "cost", "budget", "amount", "salary", "fee", "total", "money", "bill"}
    )
    if entity.mark == "%":
        return 2.5 if percent else -2
    if entity.mark:
        return 2.5 if money else -1
    return 0.0


_COUNTS = stem_set("limit count max maximum num top results amount")
_UNITS = {
    stem(word): unit
    for unit, text in {
        "people": "people persons person guests guest adults party size passengers seats "
        "attendees travellers participants",
        "night": "nights night stay",
        "day": "days day duration",
        "minute": "minutes minute min mins",
        "hour": "hours hour hrs",
        "second": "seconds second secs",
        "year": "years year yrs age old",
        "month": "months month",
        "degree": "degrees degree temperature celsius fahrenheit",
        "mass": "kg kilos kilograms grams pounds lbs weight",
        "length": "cm m meters metres feet inches height tall",
        "distance": "km kilometers kilometres miles mile distance",
        "money": "dollars dollar euros euro pounds usd eur gbp amount price cost budget bucks",
        "quantity": "copies pieces units quantity times items qty",
        "star": "stars star rating",
        "percent": "percent percentage rate",
    }.items()
    for word in text.split()
}


def is_unit(stemmed: str, slot: Slot) -> bool:
    """Return whether a word names the unit that a slot counts in."""
    units = {_unit_of(word) for word in slot.words} - {""}
    return stemmed in slot.words or _unit_of(stemmed) in units


def _unit_of(stemmed: str) -> str:
    return _UNITS.get(stemmed, "")
