"""Proper nouns in running text: names of people, places and things, told by their capitals."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .lexicon import EVENT_NOUNS, STARTERS, STOP, VERBS, groups_of
from .places import COORDINATES, REGIONS
from .words import fold, stem, word_set

__all__ = ["find_names"]

_UPPER = "".join(chr(code) for code in range(0x41, 0x590) if chr(code).isupper())
_CAP = rf"[{_UPPER}][\w'’&.-]{{0,40}}"
_PROPER = re.compile(
    rf"(?<![\w'’]){_CAP}(?:[ \t]+(?:(?:de|da|do|del|der|la|le|van|von|of|of the|am|di|du|al|bin|ter"
    rf"|d')[ \t]+)?{_CAP}){{0,5}}"
)
_PARTICLE = frozenset(
    {"de", "da", "do", "del", "der", "la", "le", "van", "von", "of", "the", "am", "di", "du", "al", "bin"}
)
_TITLES = frozenset({"mr", "mrs", "ms", "dr", "prof", "st", "sir", "mt"})
_CALENDAR_WORDS = word_set("""
    monday tuesday wednesday thursday friday saturday sunday january february march april june july august september
    october november december i ok am pm usd eur gbp jpy ai us
""")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;\n\"“(¿¡…]|- |\* )\s*$")


def find_names(text: str) -> list[tuple[int, int]]:
    """Return where the names in `text` begin and end; "Paris, France" is one name, "Paris, Rome" are two."""
    names: list[tuple[int, int]] = []
    for match in _PROPER.finditer(text):
        names += _names_in_run(text, match.start(), match.end())
    return _with_regions(names, text)


def _names_in_run(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the names in a run of capitalised words.

    A run ends at a full stop ("Ask Ada. Oslo is fine"), unless the stop belongs to a title or an initial.
    """
    spans = [(start + part.start(), start + part.end()) for part in re.finditer(r"\S+", text[start:end])]
    spans = _without_opener(text, spans)
    run: list[tuple[int, int]] = []
    for span in spans:
        run.append(span)
        word = text[span[0] : span[1]]
        bare = word.rstrip(".")
        if word.endswith(".") and len(bare) > 1 and bare.lower() not in _TITLES:
            yield from _name(text, run)
            run = []
    yield from _name(text, run)


def _without_opener(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the words of a run less the one that only opens a sentence, and less "I" and the days."""
    opens = bool(spans) and _opens_sentence(text, spans[0][0])
    while spans:
        lower = fold(text[spans[0][0] : spans[0][1]].strip(".'’-")).split("'")[0]
        if opens:
            plain = lower in STARTERS or _is_common(lower) if len(spans) > 1 else _opens_only(lower)
        else:
            plain = lower in STOP or lower in _CALENDAR_WORDS
        if not plain:
            return spans
        spans = spans[1:]
        while spans and text[spans[0][0] : spans[0][1]] in _PARTICLE:
            spans = spans[1:]
        opens = False
    return spans


def _opens_only(lower: str) -> bool:
    return lower in STARTERS or lower in STOP or _is_common(lower)


def _is_common(lower: str) -> bool:
    """Return whether a word is no name though it opens a sentence ("Workshop on pottery"); "New" may open one."""
    stemmed = stem(lower)
    return stemmed in VERBS or stemmed in EVENT_NOUNS or (lower != "new" and bool(groups_of(stemmed)))


def _opens_sentence(text: str, position: int) -> bool:
    return _SENTENCE_START.search(text[max(0, position - 4) : position]) is not None


def _name(text: str, run: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the name that a run of words makes, if it makes one: no lone "I", no day, no label such as "Team:"."""
    if not run:
        return
    start, end = run[0][0], run[-1][1]
    name = text[start:end].rstrip(".'’-&")
    label = text[end : end + 1] == ":" and _opens_sentence(text, start)
    if not name or label or name in ("I", "A") or fold(name) in _CALENDAR_WORDS:
        return
    if name.endswith(("'s", "’s")) and _owns(text, end):
        name = name[:-2]
    yield start, start + len(name)


def _owns(text: str, end: int) -> bool:
    """Return whether a word in the genitive has its noun behind it ("Ada's cat"; not "at Luigi's on Friday")."""
    following = re.match(r"\s+([^\W\d_]+)", text[end : end + 40])
    return following is not None and fold(following[1]) not in STOP


def _with_regions(names: list[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """Join "Paris" and "France" where the text says "Paris, France"."""
    joined: list[tuple[int, int]] = []
    for start, end in names:
        last = joined[-1] if joined else None
        if last is not None and text[last[1] : start] in (", ", ",") and text[start:end].lower() in REGIONS:
            town = text[last[0] : last[1]].lower()
            sure = town in COORDINATES or end - start == 2 or text[end : end + 1] != ","
            if sure and town not in REGIONS:
                joined[-1] = (last[0], end)
                continue
        joined.append((start, end))
    return joined
