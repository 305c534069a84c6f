"""What the browser of a store shows: its files, those on their way, and what was found; as plain text, to be put in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from agentkit.files.marks import excerpt, marked_words
from agentkit.notebook.display.file_search import shown_name
from agentkit.notebook.display.passages import score_text
from agentkit.notebook.display.store_view import size_text
from agentkit.notebook.display.text import clean, one_line
from agentkit.runtime.citations import pages_of

if TYPE_CHECKING:
    from agentkit.files.listing import StoreFile
    from agentkit.files.search import Hit, SearchResult
    from agentkit.files.store import VectorStore

__all__ = ["Job", "JobState", "Put", "count_text", "file_rows", "found_rows", "is_under_way", "job_row", "ranking_line"]

JobState = Literal["receiving", "waiting", "uploading", "indexing", "failed"]

_NAME_CHARS, _REASON_CHARS = 200, 400
_MOST_FILES = 500
_PUT_NAMES = 5
_EXCERPT_CHARS = 260
_PASSAGE_CHARS = 12_000
_STATUS = {"completed": "ready", "in_progress": "being indexed", "failed": "failed", "cancelled": "stopped"}
_STATES = {
    "receiving": "coming from the browser",
    "waiting": "waiting",
    "uploading": "uploading",
    "indexing": "parsing and indexing",
    "failed": "failed",
}


@dataclass(slots=True)
class Job:
    """A file that was dropped or chosen, on its way into the store."""

    key: str
    """By which the front end knows it."""
    name: str
    """What it is called."""
    size_bytes: int = 0
    """Its length, as far as it is known."""
    state: JobState = "receiving"
    """How far it has come."""
    reason: str = ""
    """Why it failed."""


@dataclass(slots=True)
class Put:
    """What became of the files that were put in one after the other, as it is said."""

    added: list[str] = field(default_factory=list)
    """Names of those that are new."""
    replaced: list[str] = field(default_factory=list)
    """Names of those that took the place of an earlier file."""
    unchanged: list[str] = field(default_factory=list)
    """Names of those that were there, with the same content."""

    def note(self, name: str, outcome: str) -> None:
        """Take a file that is in the store now."""
        kinds = {"replaced": self.replaced, "unchanged": self.unchanged, "updated": self.unchanged}
        kinds.get(outcome, self.added).append(one_line(name, _NAME_CHARS))

    @property
    def text(self) -> str:
        """It in a line: "notes.md has replaced the earlier one."; "" for nothing."""
        told = []
        for names, one, many in (
            (self.replaced, "has replaced the earlier one", "have replaced the earlier ones"),
            (self.unchanged, "was there already, the same", "were there already, the same"),
            (self.added, "is in the store", "are in the store"),
        ):
            if len(names) == 1:
                told.append(f"{names[0]} {one}.")
            elif names:
                more = f" and {len(names) - _PUT_NAMES:,} more" if len(names) > _PUT_NAMES else ""
                told.append(f"{len(names):,} files {many}: {', '.join(names[:_PUT_NAMES])}{more}.")
        return " ".join(told)


def is_under_way(files: Sequence[StoreFile]) -> bool:
    """Tell whether files are still being indexed."""
    return any(file.status == "in_progress" for file in files)


def job_row(job: Job) -> dict[str, Any]:
    """Return a file on its way as it is shown."""
    return {
        "key": job.key,
        "name": one_line(job.name, _NAME_CHARS),
        "size": size_text(job.size_bytes) if job.size_bytes else "",
        "state": _STATES[job.state],
        "failed": job.state == "failed",
        "reason": one_line(job.reason, _REASON_CHARS),
    }


def file_rows(files: Sequence[StoreFile]) -> tuple[list[dict[str, Any]], int]:
    """Return the files of a store as they are shown, by name, and how many are left out."""
    ordered = sorted(files, key=lambda file: (_name(file), file.id))
    rows = [
        {
            "id": clean(file.id),
            "name": _name(file),
            "status": _STATUS.get(file.status, clean(str(file.status))),
            "state": file.status if file.status in _STATUS else "",
            "size": size_text(file.usage_bytes) if file.usage_bytes else "",
            "reason": one_line(file.error or "", _REASON_CHARS),
        }
        for file in ordered[:_MOST_FILES]
    ]
    return rows, max(0, len(files) - _MOST_FILES)


def _name(file: StoreFile) -> str:
    return one_line(shown_name(file.name or file.filename), _NAME_CHARS)


def count_text(files: Sequence[StoreFile]) -> str:
    """Return how many files there are, by what can be done with them."""
    if not files:
        return "No files yet"
    total = f"{len(files):,} file{'' if len(files) == 1 else 's'}"
    parts = [(sum(file.status == status for file in files), word) for status, word in _STATUS.items()]
    told = ", ".join(f"{count:,} {word}" for count, word in parts if count)
    return f"{total}: {told}" if told != f"{len(files):,} ready" else f"{total}, all ready"


def ranking_line(store: VectorStore) -> str:
    """Return by what passages are found, and what could be done about it; "" where that isn't known."""
    from agentkit.notebook.display.store_view import ranking_text

    by, hint = ranking_text(store)
    return hint or (f"found by {by}" if by else "")


def found_rows(result: SearchResult) -> list[dict[str, Any]]:
    """Return what was found as it is shown; texts in pieces, each with whether it is a word of the query."""
    return [_found_row(hit, number) for number, hit in enumerate(result, 1)]


def _found_row(hit: Hit, number: int) -> dict[str, Any]:
    whole = clean(hit.text[:_PASSAGE_CHARS])
    line = " ".join(whole.split())
    query = clean(hit.query[:500])
    short = excerpt(line, marked_words(line, query), _EXCERPT_CHARS)
    pages = clean(pages_of(hit.page, hit.last_page))
    told = " · ".join(filter(None, (pages, one_line(hit.heading or "", _NAME_CHARS), score_text(hit.score))))
    return {
        "number": number,
        "file": one_line(shown_name(hit.name), _NAME_CHARS),
        "told": told,
        "short": _pieces(short, query),
        "whole": _pieces(whole, query),
    }


def _pieces(text: str, query: str) -> list[tuple[str, bool]]:
    made, at = [], 0
    for start, end in marked_words(text, query):
        made += [(text[at:start], False), (text[start:end], True)]
        at = end
    return [piece for piece in (*made, (text[at:], False)) if piece[0]]
