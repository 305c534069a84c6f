"""What answers rest on: the places in their text where the platform named a file or a page, with the passage behind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from agentkit._repr import brief, fields_repr
from agentkit.runtime.graph.labels import visible

__all__ = ["Citation", "citations_in", "pages_of"]

Item = Mapping[str, Any]

_KINDS: Final[Mapping[str, Literal["file", "url", "container_file"]]] = {
    "file_citation": "file", "url_citation": "url", "container_file_citation": "container_file",
}  # fmt: skip
_OWN: Final = "agentkit_source"
_WORD: Final = re.compile(r"\w{3,}")
_SENTENCE_CHARS: Final = 400


@dataclass(frozen=True)
class Citation:
    """A place in an answer that rests on a file, or on a page of the web."""

    __repr__ = fields_repr

    number: int
    """What it is numbered by, from 1: the same for the same passage, or file where the passage isn't known."""
    kind: Literal["file", "url", "container_file"]
    """What is cited: a file of a vector store, a page of the web, or a file that a tool made."""
    file_id: str | None = None
    """Id of the file."""
    filename: str = ""
    """Name of the file; title of the page."""
    url: str | None = None
    """Address of the page."""
    quote: str | None = None
    """The passage of the file, where the answer holds what the search found (`include_search_results=True`). Of several
    passages of one file it is the one that has most of the sentence's words."""
    score: float | None = None
    """How well that passage answered the search, 0 to 1."""
    page: int | None = None
    """The page or slide that it begins on, where the platform tells."""
    last_page: int | None = None
    """The page that it ends on, where the platform tells."""
    heading: str | None = None
    """The headings that it stands under, where the platform tells."""
    chunk: int | None = None
    """Which of the file's passages it is, from 0, where the platform tells."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """What is known of the file."""
    said: str = ""
    """The sentence of the answer that rests on it."""
    message: int = 0
    """In which of the run's messages it stands, from 0."""
    part: int = 0
    """In which part of that message's content, from 0: most have one."""
    index: int = 0
    """Where in that part's text, in characters from 0: behind what rests on it."""

    @property
    def place(self) -> str:
        """Where the passage stands, for a person: "handbook.pdf, page 3, Leave › Illness", or "pages 3–4"."""
        parts = [self.filename or self.url or "", pages_of(self.page, self.last_page), self.heading or ""]
        return ", ".join(filter(None, parts))

    def __str__(self) -> str:
        return f"[{self.number}] {visible(self.place)}" + (f": {brief(self.quote, 100)}" if self.quote else "")


def pages_of(first: int | None, last: int | None) -> str:
    """Return the pages that a passage stands on, for a person: "page 3", "pages 3–4"; "" where none is known."""
    if first is None:
        return ""
    return f"page {first}" if last is None or last == first else f"pages {first}–{last}"


def citations_in(items: Iterable[Item]) -> list[Citation]:
    """Return the citations in a run's items, in the order in which they stand.

    Args:
        items: Items of the Responses API as JSON, in their order: messages and calls of searches.
    """
    found: list[Citation] = []
    results: list[Item] = []
    numbers: dict[Any, int] = {}
    message = 0
    for item in items:
        if item.get("type") == "file_search_call":
            results += [each for each in item.get("results") or () if isinstance(each, Mapping)]
        if item.get("role") != "assistant" or not isinstance(item.get("content"), list):
            continue
        for place, part in enumerate(item["content"]):
            if isinstance(part, Mapping) and part.get("type") == "output_text":
                found += _in_part(part, results, numbers, message, place)
        message += 1
    return found


def _in_part(
    part: Item, results: Sequence[Item], numbers: dict[Any, int], message: int, place: int
) -> Iterable[Citation]:
    text = str(part.get("text") or "")
    told = [each for each in part.get("annotations") or () if isinstance(each, Mapping) and each.get("type") in _KINDS]
    for annotation in sorted(told, key=_index):
        index = min(_index(annotation), len(text))
        said = _sentence(text, index)
        common: dict[str, Any] = {"said": said, "message": message, "part": place, "index": index}
        if annotation["type"] == "url_citation":
            url = str(annotation.get("url") or "")
            number = numbers.setdefault(url, len(numbers) + 1)
            yield Citation(number, "url", filename=str(annotation.get("title") or ""), url=url, **common)
            continue
        file_id, filename = str(annotation.get("file_id") or ""), str(annotation.get("filename") or "")
        passage = _passage(file_id, said, results) if annotation["type"] == "file_citation" else None
        key = (file_id, None if passage is None else passage.get("text"))
        number = numbers.setdefault(key, len(numbers) + 1)
        if passage is None:
            yield Citation(number, _KINDS[annotation["type"]], file_id, filename, **common)
        else:
            yield Citation(number, "file", file_id, filename, **_details(passage), **common)


def _index(annotation: Item) -> int:
    index = annotation.get("end_index") if "end_index" in annotation else annotation.get("index")
    return index if isinstance(index, int) and index >= 0 else 0


def _details(passage: Item) -> dict[str, Any]:
    more = passage.get("agentkit")
    more = more if isinstance(more, Mapping) else {}
    attributes = passage.get("attributes")
    score = passage.get("score")
    return {
        "quote": str(passage.get("text") or ""),
        "score": float(score) if isinstance(score, (int, float)) else None,
        "page": more.get("page"),
        "last_page": more.get("last_page"),
        "heading": more.get("heading") or None,
        "chunk": more.get("position"),
        "attributes": {key: value for key, value in (attributes or {}).items() if key != _OWN},
    }


def _passage(file_id: str, said: str, results: Sequence[Item]) -> Item | None:
    """Return the passage of a file that a sentence rests on, as far as its words tell."""
    of_file = [each for each in results if each.get("file_id") == file_id and each.get("text")]
    if len(of_file) < 2:
        return of_file[0] if of_file else None
    words = set(_WORD.findall(said.casefold()))
    return max(of_file, key=lambda each: len(words & set(_WORD.findall(str(each["text"]).casefold()))))


def _sentence(text: str, end: int) -> str:
    """Return the sentence before a place in a text, or the one around it where it stands at the sentence's front."""
    before = text[max(0, end - _SENTENCE_CHARS) : end].rstrip()
    cut = max((before.rfind(mark, 0, max(len(before) - 1, 0)) for mark in (". ", "! ", "? ", "\n")), default=-1)
    return before[cut + 1 :].strip()
