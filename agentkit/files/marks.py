"""Words of a query found again in a passage, whatever their case, accents and endings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

__all__ = ["excerpt", "marked_words", "words_of"]

_WORD: Final = re.compile(r"\w+(?:['’]\w+)?")
_LIGHT: Final = frozenset(
    re.findall(
        r"\w+",
        """a about an and are as at be been but by can could did do does for from had has have how i if in into is it
        its may me my no not of on or our shall should so than that the their them then there these they this those to
        under was we were what when where which who whom whose why will with would you your""",
    )
)
"""Words too common to be worth a mark, unless the query has no others."""
_STEM_CHARS: Final = 4
_ENDING_CHARS: Final = 3


def marked_words(text: str, query: str) -> tuple[tuple[int, int], ...]:
    """Return where words of a query stand in a text: start and end of each, in characters from 0, end exclusive.

    A word is marked that is the same but for case and accents, or has another ending of up to three letters: "filters"
    for "filter". Signs of writing without spaces are marked where the query's run of them stands.
    """
    wanted = words_of(query)
    if not wanted:
        return ()
    found = [match.span() for match in _WORD.finditer(text) if _is_any(_plain(match[0]), wanted)]
    for word in wanted:
        if _has_no_spaces(word):
            found += [match.span() for match in re.finditer(re.escape(word), text)]
    return tuple(_merged(found))


def words_of(query: str) -> tuple[str, ...]:
    """Return the words of a query that tell something, in lower case and without accents, each once."""
    words = tuple(dict.fromkeys(_plain(match[0]) for match in _WORD.finditer(query)))
    return tuple(word for word in words if word not in _LIGHT) or words


def excerpt(text: str, marks: Sequence[tuple[int, int]], chars: int) -> str:
    """Return the part of a text with the most marks, in at most `chars` characters, cut between words."""
    if len(text) <= chars:
        return text
    room = max(chars - 2, 1)
    best, most = 0, -1
    for start, _ in marks or ((0, 0),):
        within = sum(start <= low and high <= start + room for low, high in marks)
        if within > most:
            best, most = start, within
    end_of_marks = max((high for low, high in marks if best <= low and high <= best + room), default=best)
    begin = max(0, min(best - (room - (end_of_marks - best)) // 3, len(text) - room))
    end = min(len(text), begin + room)
    if begin > 0 and (space := text.find(" ", begin, best)) != -1:
        begin = space + 1
    if end < len(text) and (space := text.rfind(" ", end_of_marks, end)) > begin:
        end = space
    return f"{'…' if begin > 0 else ''}{text[begin:end].strip()}{'…' if end < len(text) else ''}"


@lru_cache(maxsize=4096)
def _plain(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _is_any(word: str, wanted: tuple[str, ...]) -> bool:
    return any(word == each or _same_stem(word, each) for each in wanted)


def _same_stem(one: str, other: str) -> bool:
    if one[:_STEM_CHARS] != other[:_STEM_CHARS] or min(len(one), len(other)) < _STEM_CHARS:
        return False
    shared = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return max(len(one), len(other)) - shared <= _ENDING_CHARS and shared >= max(len(one), len(other)) * 0.6


def _has_no_spaces(word: str) -> bool:
    return any("\u3040" <= sign <= "\u9fff" or "\u0e00" <= sign <= "\u0eff" for sign in word)


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    made: list[tuple[int, int]] = []
    for start, end in sorted(set(spans)):
        if made and start < made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((start, end))
    return made
