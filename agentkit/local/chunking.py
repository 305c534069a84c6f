"""A file's text cut into passages by tokens: the unit of what is ranked, quoted and cited.

Passages end where paragraphs, sentences or lines do if one does near, and share as many tokens as asked with the one
before. The text is tokenised once; what a cut changes at its edges is counted again, so that a passage's length is
exact. Tables (CSV) are cut between rows, each passage with the header.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentkit.local.parsing.parsed import MAX_FILE_TOKENS, Mark, Parsed, too_many_tokens
from agentkit.local.tokenizing import count_tokens, encode_segments, is_boundary, next_boundary, token_bytes
from agentkit.local.vector_stores.passages import Chunk, Chunking

if TYPE_CHECKING:
    import numpy as np

__all__ = ["cut"]

_LEAST_TOKENS = 8
_NEAR = 8
"""A better place is looked for in the last eighth of a passage, and in the first quarter of what two share."""
_MAX_HEADING = 300
_SENTENCE_END = re.compile(r"""[.!?:;。！？][)"'\]»”’]{0,3}(?=\s)|[。！？]""")
_WORD = re.compile(r"\s(?=\S)")


def cut(parsed: Parsed, chunking: Chunking | None = None, *, name: str = "The file") -> list[Chunk]:
    """Return a file's passages in order.

    Args:
        parsed: The file's text.
        chunking: How long they are and how much they share; OpenAI's 800 and 400 tokens by default.
        name: What the file is called, for the error.

    Returns:
        Passages of at most `max_tokens` tokens of o200k_base, each with its page and headings. `text` is
        `parsed.text[start:end]`, without white space at its ends; every other character is in at least one of them.
        Of a "csv", `text` is the header, a line end, and the rows `parsed.text[start:end]`; rows stand for themselves,
        so passages of them share none.

    Raises:
        Unreadable: It has more than 5,000,000 tokens.
        ValueError: The numbers of `chunking` don't fit.
    """
    chunking = chunking or Chunking()
    if chunking.max_tokens < _LEAST_TOKENS or not 0 <= chunking.overlap_tokens <= chunking.max_tokens // 2:
        raise ValueError(
            f"A passage has {_LEAST_TOKENS} tokens or more and shares at most half of them: not "
            f"max_tokens={chunking.max_tokens}, overlap_tokens={chunking.overlap_tokens}."
        )
    tokens = _Tokens(parsed.text, name)
    if parsed.kind == "csv":
        from agentkit.local.row_chunking import cut_rows

        return cut_rows(parsed.text, chunking.max_tokens, tokens.before)
    places = _Places(parsed)
    spans = _Cutter(tokens, parsed, chunking).spans()
    return [
        Chunk(
            position,
            parsed.text[start:end],
            count,
            start,
            end,
            page=places.page(start),
            last_page=places.page(end - 1),
            heading=places.heading(start),
        )
        for position, (start, end, count) in enumerate(spans)
    ]


class _Tokens:
    """Where a text's tokens begin.

    Args:
        text: The text.
        name: The file, for the error.

    Raises:
        Unreadable: It has too many.
    """

    def __init__(self, text: str, name: str) -> None:
        import numpy as np

        self.text = text
        lengths = token_bytes()
        parts: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
        total = 0
        for start, end, tokens in encode_segments(text):
            total += len(tokens)
            if total > MAX_FILE_TOKENS:
                raise too_many_tokens(name, MAX_FILE_TOKENS)
            ends = np.cumsum(lengths[tokens], dtype=np.int64)
            parts.append(np.concatenate(([0], _characters(text[start:end], ends)[:-1])) + start)
        self._starts = np.concatenate([*parts, [len(text)]]) if parts else np.zeros(1, dtype=np.int64)
        self.count = total

    def place(self, token: int) -> int:
        """Return where a token begins, in characters; the text's end for those behind it."""
        return int(self._starts[min(max(token, 0), self.count)])

    def before(self, place: int) -> int:
        """Return how many tokens begin before a place; exact where tokens end there."""
        return int(self._starts.searchsorted(place, side="right")) - 1

    def between(self, start: int, end: int) -> int:
        """Return how many tokens `text[start:end]` has by itself."""
        first = start if is_boundary(self.text, start) else next_boundary(self.text, start, min(end, start + 200))
        last = end if is_boundary(self.text, end) else _last_boundary(self.text, max(start, end - 200), end)
        if first is None or last is None or first >= last or not (self._known(first) and self._known(last)):
            return count_tokens(self.text[start:end])
        edges = count_tokens(self.text[start:first]) + count_tokens(self.text[last:end])
        return self.before(last) - self.before(first) + edges

    def _known(self, place: int) -> bool:
        return self.place(self.before(place)) == place


def _characters(
    text: str, places: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return places in bytes of UTF-8 as places in characters; one within a character becomes its end."""
    import numpy as np

    if text.isascii():
        return places
    data = np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8)
    before = np.concatenate(([0], np.cumsum((data & 0xC0) != 0x80, dtype=np.int64)))
    found: np.ndarray[tuple[int], np.dtype[np.int64]] = before[np.minimum(places, len(data))]
    return found


def _last_boundary(text: str, start: int, end: int) -> int | None:
    for place in range(end - 1, start, -1):
        if is_boundary(text, place):
            return place
    return None


class _Cutter:
    """Finds where passages begin and end."""

    def __init__(self, tokens: _Tokens, parsed: Parsed, chunking: Chunking) -> None:
        self._tokens = tokens
        self._text = parsed.text
        self._most = chunking.max_tokens
        self._shared = chunking.overlap_tokens
        self._sections = sorted({mark.start for mark in (*parsed.headings, *parsed.pages)})
        """Where headings and pages begin: the best places."""

    def spans(self) -> Iterator[tuple[int, int, int]]:
        """Yield `(start, end, tokens)` of each passage."""
        start = self._visible(0)
        while start < len(self._text):
            place, end, count = self._end(start)
            yield start, end, count
            unseen = self._visible(place)
            if unseen >= len(self._text):
                return
            following = self._visible(self._next_start(place, end)) if self._shared else unseen
            start = following if following > start else unseen

    def _visible(self, start: int) -> int:
        """Return where text begins from a place on; the line's beginning where only its indent is before."""
        text = self._text
        while start < len(text) and text[start].isspace():
            start += 1
        if start == len(text):
            return start
        line = text.rfind("\n", 0, start) + 1
        return line if line > start - 80 and not text[line:start].strip(" \t") and line < start else start

    def _end(self, start: int) -> tuple[int, int, int]:
        """Return the place of the next cut, the passage's visible end, and its tokens."""
        tokens, text = self._tokens, self._text
        first, most = tokens.before(start), self._most
        while True:
            limit = tokens.place(first + most)
            if limit >= len(text):
                place = len(text)
            else:
                place = self._last_good(tokens.place(first + most - self._most // _NEAR), limit)
            end = place
            while end > start and text[end - 1].isspace():
                end -= 1
            count = tokens.between(start, end)
            if count <= self._most or most <= 1:
                return max(place, start + 1), max(end, start + 1), count
            most -= min(count - self._most, most - 1)

    def _next_start(self, place: int, end: int) -> int:
        """Return where the next passage begins, so that it shares at most as much as asked with this one."""
        tokens, shared = self._tokens, self._shared
        here = tokens.before(place)
        while shared > 0:
            lowest = tokens.place(here - shared)
            start = self._first_good(lowest, tokens.place(here - shared + self._shared // 4))
            count = tokens.between(start, end) if start < end else 0
            if count <= self._shared:
                return start
            shared -= count - self._shared
        return place

    def _last_good(self, low: int, high: int) -> int:
        """Return the best place to end at within `text[low:high]`: of a section, paragraph, sentence or line, word."""
        text, index = self._text, bisect_right(self._sections, high)
        if index and self._sections[index - 1] > low:
            return self._sections[index - 1]
        if (paragraph := text.rfind("\n\n", low, high)) >= low:
            return paragraph + 2
        ends = [match.end() for match in _SENTENCE_END.finditer(text, low, high)]
        best = max(ends[-1] if ends else -1, text.rfind("\n", low, high) + 1)
        if best > low:
            return best
        words = [match.end() for match in _WORD.finditer(text, low, high)]
        return words[-1] if words else high

    def _first_good(self, low: int, high: int) -> int:
        """Return the best place to begin at within `text[low:high]`, the first of its kind."""
        text, index = self._text, bisect_right(self._sections, low - 1)
        if index < len(self._sections) and self._sections[index] <= high:
            return self._sections[index]
        if (paragraph := text.find("\n\n", low, high)) >= 0:
            return paragraph + 2
        sentence = _SENTENCE_END.search(text, low, high)
        line = text.find("\n", low, high) + 1
        found = [place for place in (sentence.end() if sentence else 0, line) if place]
        if found:
            return min(found)
        word = _WORD.search(text, low, high)
        return word.end() if word else low


class _Places:
    """Which page and headings a place in a text has."""

    def __init__(self, parsed: Parsed) -> None:
        self._page_starts = [mark.start for mark in parsed.pages]
        self._pages = [mark.number for mark in parsed.pages]
        self._heading_starts = [mark.start for mark in parsed.headings]
        self._headings = list(_paths(parsed.headings))

    def page(self, place: int) -> int | None:
        index = bisect_right(self._page_starts, place)
        return self._pages[max(index, 1) - 1] if self._pages else None

    def heading(self, place: int) -> str:
        index = bisect_right(self._heading_starts, place)
        return self._headings[index - 1] if index else ""


def _paths(headings: tuple[Mark, ...]) -> Iterator[str]:
    """Yield each heading with those that it stands under, outermost first."""
    open_: list[Mark] = []
    for mark in headings:
        while open_ and open_[-1].number >= mark.number:
            open_.pop()
        open_.append(mark)
        path = " › ".join(each.title for each in open_)
        yield path if len(path) <= _MAX_HEADING else f"…{path[1 - _MAX_HEADING :]}"
