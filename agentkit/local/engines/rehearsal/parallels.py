"""What a text names side by side: "Tokyo, Oslo and Rome", "the weather in Lima with the weather in Quito"."""

from __future__ import annotations

import re
from typing import Any

from .lexicon import STOP
from .reading import Entity, Reading
from .words import fold, stem, words

__all__ = ["values_side_by_side"]

_JOINED = re.compile(
    r"^\s*(?:,\s*|,?\s*(?:and|or|&|y|et|und|e|as well as|plus)\s+|、|和|と)(?:also\s+)?(?:(?:in|at|for|to|from|with|on"
    r"|en|à|the)\s+)*\s*$",
    re.IGNORECASE,
)


def values_side_by_side(reading: Reading, value: str | int | float, command: frozenset[str]) -> list[Any]:
    """Return the values that the text lists together with `value`, itself included, in order of mention."""
    pools: list[list[Entity]] = [
        reading.of(kind) for kind in ("proper", "quoted", "date", "id", "email", "path", "url", "language")
    ]
    if isinstance(value, str):
        pools.append(reading.noun_phrases)
    else:
        pools = [reading.of("number")]
    for pool in pools:
        for index, entity in enumerate(pool):
            if (entity.value if not isinstance(value, str) else entity.text.lower().lstrip("#")) != (
                value if not isinstance(value, str) else value.lower()
            ):
                continue
            low = high = index
            while low > 0 and _joins(reading.text[pool[low - 1].end : pool[low].start], command):
                low -= 1
            while high + 1 < len(pool) and _joins(reading.text[pool[high].end : pool[high + 1].start], command):
                high += 1
            run = pool[low : high + 1]
            if len(run) < 2:
                continue
            if not isinstance(value, str):
                return list(dict.fromkeys(entity.value for entity in run))
            titled = value.istitle() and all(entity.text.islower() for entity in run)
            return list(dict.fromkeys((e.text.title() if titled else e.text.lstrip("#")) for e in run))
    return []


_COMPARING = frozenset({"with", "versus", "vs", "against", "than", "and"})


def _joins(gap: str, command: frozenset[str]) -> bool:
    """Return whether the text between two values puts them side by side: "and", ", in", "with the weather in"."""
    if len(gap) > 60:
        return False
    if _JOINED.match(gap):
        return True
    between = [fold(word) for word in words(gap)]
    compared = "than" in between
    telling = [word for word in between if word not in _COMPARING and word not in STOP]
    if not any(word in _COMPARING for word in between) or not (telling or compared):
        return False
    return all(stem(word) in command or (compared and word.endswith("er")) for word in telling)
