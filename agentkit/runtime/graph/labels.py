"""Names fit to be drawn: what a reader can see of them, how wide that is, and where it is cut."""

from __future__ import annotations

import unicodedata

from agentkit._secrets import Redactor

__all__ = ["cut", "visible", "width"]

_JOINERS = "\u200c\u200d"
"""They have no width and no category of letters, but scripts and emoji are spelt with them."""
_LONGEST = 10_000
"""Characters of a name that are looked at at all."""

_NARROW, _WIDE = frozenset("iljtfrI.,:;'|!()[]{}`/\\ "), frozenset("mwMWQOGD@%&")


def visible(name: object) -> str:
    """Return a name on one line, with what a reader can see: without keys, and without what turns text around."""
    text = str(name)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    seen = "".join(c if c.isprintable() or c in _JOINERS else " " if c.isspace() else "" for c in text)
    return " ".join(Redactor().clean(seen).strip(_JOINERS).split()) or "(no name)"


def cut(text: str, limit: int) -> str:
    """Return at most `limit` characters of a visible text, with an ellipsis where some are missing."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def width(text: str, size: float, *, mono: bool = False) -> float:
    """Return how wide a text is, about and rather too much, in the unit of `size`, the size of its letters."""
    return size * sum(_ems(character, mono) for character in text)


def _ems(character: str, mono: bool) -> float:
    if unicodedata.combining(character) or character in _JOINERS:
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.25 if ord(character) > 0x1F000 else 1.0
    if mono:
        return 0.61
    if character in _NARROW:
        return 0.36
    if character in _WIDE:
        return 1.0
    return 0.71 if character.isupper() else 0.62
