"""What a model looked up in files, and which passages its answer refers to: read from items of the Responses API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentkit.files.attributes import source_of
from agentkit.runtime.citations import pages_of

__all__ = ["Citation", "FileSearch", "Passage", "citations_of", "passages_of", "shown_name"]

_MOST_PASSAGES = 50
_MOST_CITATIONS = 200
_CITED = ("file_citation", "url_citation", "container_file_citation")
_KEPT = ("filename", "file_id", "score", "page", "last_page", "heading")
_KEPT_CHARS = 8_000
"""Characters of a passage that are looked at; the API's largest have 4,096 tokens."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a file that was found."""

    text: str
    """The passage."""
    filename: str
    """What its file is called."""
    file_id: str = ""
    """Its file's id, by which citations name it. Never shown: it is another on each platform."""
    score: float | None = None
    """How well it answers, 0 to 1; None where that wasn't told."""
    page: int | None = None
    """The page that it begins on, from 1; None where that isn't known."""
    heading: str = ""
    """The headings that it stands under; "" where that isn't known."""
    query: str = ""
    """What was searched for."""
    name: str = ""
    """By what agentkit knows the file, its path or address; "" for files that it hasn't added."""
    last_page: int | None = None
    """The page that it ends on; None where that isn't known."""

    @property
    def pages(self) -> str:
        """The pages that it stands on, "page 3" or "pages 3–4"; "" where that isn't known."""
        return pages_of(self.page, self.last_page)

    @property
    def shown_name(self) -> str:
        """By what the file is told of: its path where it has one."""
        return shown_name(self.name or self.filename)

    @property
    def place(self) -> str:
        """Where it stands: "handbook.pdf · page 3 · Leave › Illness"."""
        return " · ".join(filter(None, (self.shown_name, self.pages, self.heading)))

    @classmethod
    def of(cls, told: Any, query: str) -> Passage:  # JSON of the platform's
        """Return a passage as a `file_search_call` has it, and the embedded platform's search."""
        told = told if isinstance(told, Mapping) else {}
        more = told.get("agentkit")
        more = more if isinstance(more, Mapping) else told
        text = told.get("text")
        if not isinstance(text, str):
            parts = told.get("content")
            texts = [part.get("text") for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []
            text = "\n".join(part for part in texts if isinstance(part, str))
        score = told.get("score")
        attributes = told.get("attributes")
        source = source_of(attributes) if isinstance(attributes, Mapping) else None
        return cls(
            text[:_KEPT_CHARS],
            _text(told.get("filename")),
            _text(told.get("file_id")),
            float(score) if isinstance(score, (int, float)) and not isinstance(score, bool) else None,
            _page(more.get("page")),
            _text(more.get("heading")),
            query,
            _text(told.get("name")) if source is None else source.name,
            _page(more.get("last_page")),
        )


@dataclass(frozen=True, slots=True)
class FileSearch:
    """One search of a model's in files."""

    queries: tuple[str, ...]
    """What it searched for."""
    passages: tuple[Passage, ...] | None = None
    """What was found, best first; None where the platform tells only when asked, and wasn't."""

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> FileSearch:
        """Return the search of a `file_search_call`."""
        given = item.get("queries")
        queries = tuple(each for each in given if isinstance(each, str)) if isinstance(given, list) else ()
        results = item.get("results")
        if not isinstance(results, list):
            return cls(queries)
        query = " ".join(queries)
        return cls(queries, tuple(Passage.of(each, query) for each in results[:_MOST_PASSAGES]))

    @property
    def told(self) -> str:
        """What came of it, in a few words; "" where that isn't known."""
        if self.passages is None:
            return ""
        if not self.passages:
            return "nothing found"
        count, files = len(self.passages), len({(each.file_id, each.filename) for each in self.passages})
        found = f"{count} passage{'' if count == 1 else 's'}"
        return found if files == count == 1 else f"{found} of {files} file{'' if files == 1 else 's'}"

    def to_json(self, most_chars: int) -> dict[str, Any]:
        """Return it as JSON, to be kept; texts cut at `most_chars` characters."""
        found = None
        if self.passages is not None:
            found = [
                {
                    **{name: getattr(each, name) for name in _KEPT},
                    "text": each.text[:most_chars],
                    "name": each.name,
                }
                for each in self.passages
            ]
        return {"queries": [query[:most_chars] for query in self.queries], "results": found}


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in an answer that refers to a file, or to a page of the web."""

    index: int
    """Where it stands in the answer, in characters from 0."""
    file_id: str
    """The file."""
    filename: str
    """What that is called; the page's title."""
    url: str = ""
    """The page's address; "" for a file."""


def citations_of(item: Mapping[str, Any], start: int = 0) -> list[Citation]:
    """Return the files and pages that a message refers to, with their places in its text.

    Args:
        item: A message in the shape of the Responses API.
        start: Where its text begins in the whole answer.
    """
    found: list[Citation] = []
    parts = item.get("content")
    for part in parts if isinstance(parts, list) else ():
        if not isinstance(part, Mapping):
            continue
        text = _text(part.get("text")) or _text(part.get("refusal"))
        notes = part.get("annotations")
        for note in notes if isinstance(notes, list) else ():
            if not isinstance(note, Mapping) or note.get("type") not in _CITED or len(found) >= _MOST_CITATIONS:
                continue
            index = note.get("end_index") if "end_index" in note else note.get("index")
            index = start + (min(max(index, 0), len(text)) if isinstance(index, int) else len(text))
            if note["type"] == "url_citation":
                found.append(Citation(index, "", _text(note.get("title")), _text(note.get("url"))))
            else:
                found.append(Citation(index, _text(note.get("file_id")), _text(note.get("filename"))))
        start += len(text)
    return found


def passages_of(items: Iterable[Mapping[str, Any]]) -> list[Passage]:
    """Return what the searches among items found, the first first."""
    searches: Sequence[FileSearch] = [FileSearch.of(item) for item in items if item.get("type") == "file_search_call"]
    return [passage for search in searches for passage in search.passages or ()]


def shown_name(name: str) -> str:
    """Return a file's name as it is told of: without what agentkit puts before names of bytes and rows."""
    for before in ("bytes:", "row:"):
        if name.startswith(before) and len(name) > len(before):
            return name.removeprefix(before)
    return name or "a file without a name"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _page(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
