"""What a search finds: passages with their scores, files and marked words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, overload

from agentkit._repr import brief
from agentkit.files.attributes import Attributes, Source, own_attributes, source_of
from agentkit.files.details import details_of
from agentkit.files.marks import excerpt, marked_words
from agentkit.runtime.citations import pages_of
from agentkit.runtime.graph.labels import visible

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Hit", "SearchResult", "hit_of"]

_FIXED: Final = (
    "score", "filename", "name", "page", "last_page", "heading", "chunk", "text", "file_id", "semantic_score",
    "keyword_score",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a search found."""

    text: str
    """The passage."""
    score: float
    """How well it answers, 0 to 1."""
    file_id: str
    """The file that it stands in."""
    filename: str
    """What that file is called."""
    attributes: Attributes
    """What is known of the file, without what agentkit keeps there."""
    query: str
    """What was searched for."""
    source: Source | None = None
    """Where agentkit had the file from; None for files that it hasn't added."""
    page: int | None = None
    """The page or slide that the passage begins on, from 1; None where the platform doesn't tell, or there are none."""
    last_page: int | None = None
    """The page that it ends on, where the platform tells."""
    heading: str | None = None
    """The headings that it stands under, outermost first; None where the platform doesn't tell, or there are none."""
    chunk: int | None = None
    """Which of the file's passages it is, from 0, where the platform tells."""
    semantic_score: float | None = None
    """The cosine between query and passage, where the platform tells."""
    keyword_score: float | None = None
    """The score of its words (BM25), where the platform tells."""

    @property
    def name(self) -> str:
        """By what the file is known: its path, address or name where agentkit added it, or else its file name."""
        return self.source.name if self.source is not None else self.filename

    @property
    def marks(self) -> tuple[tuple[int, int], ...]:
        """Where words of the query stand in the text: start and end of each, in characters from 0, end exclusive."""
        return marked_words(self.text, self.query)

    def excerpt(self, chars: int = 300) -> str:
        """Return the part of the text with the most words of the query, in at most `chars` characters.

        What is left out is marked by "…".
        """
        return excerpt(self.text, self.marks, chars)

    @property
    def place(self) -> str:
        """Where it stands, for a person: "handbook.pdf, page 3, Leave › Illness", or "pages 3–4"."""
        return ", ".join(filter(None, [self.filename, pages_of(self.page, self.last_page), self.heading or ""]))

    def __repr__(self) -> str:
        return f"Hit({self.score:.2f}, {brief(self.place, 120)}, {brief(self.excerpt(80), 100)})"


class SearchResult(Sequence[Hit]):
    """What a search found, best first: a sequence of hits that shows itself.

    Args:
        query: What was searched for.
        store: Name of the store.
        hits: The passages.
        searched: What the platform searched for instead, where it rewrote the query.
    """

    def __init__(self, query: str, store: str, hits: Sequence[Hit], searched: Sequence[str] = ()) -> None:
        self._query = query
        self._store = store
        self._hits = tuple(hits)
        self._searched = tuple(searched)

    @property
    def query(self) -> str:
        """What was searched for."""
        return self._query

    @property
    def store(self) -> str:
        """Name of the store."""
        return self._store

    @property
    def searched(self) -> tuple[str, ...]:
        """What the platform searched for, as far as it tells: the query, or what it rewrote it to."""
        return self._searched

    @property
    def files(self) -> list[str]:
        """Names of the files that were found, best first, each once."""
        return list(dict.fromkeys(hit.filename for hit in self._hits))

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> SearchResult: ...
    def __getitem__(self, index: int | slice) -> Hit | SearchResult:
        if isinstance(index, slice):
            return SearchResult(self._query, self._store, self._hits[index], self._searched)
        return self._hits[index]

    def __len__(self) -> int:
        return len(self._hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self._hits)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SearchResult) and (self._query, self._hits) == (other._query, other._hits)

    __hash__ = None  # type: ignore[assignment]

    def to_dataframe(self) -> pd.DataFrame:
        """Return the hits as a dataframe, a row each, best first.

        Columns: `score` (Float64), `filename` and `name` (string: what it is called, and by what `store.add` knew it),
        `page` and `last_page` (Int64), `heading` (string), `chunk` (Int64), `text` (string), `file_id` (string),
        `semantic_score` and `keyword_score` (Float64), then one for each attribute. What the platform doesn't tell is
        NA.
        """
        from agentkit.files.frames import frame_of

        kinds = {
            "score": "Float64", "page": "Int64", "last_page": "Int64", "chunk": "Int64", "semantic_score": "Float64",
            "keyword_score": "Float64",
        }  # fmt: skip
        columns = {name: (kinds.get(name, "string"), [getattr(hit, name) for hit in self._hits]) for name in _FIXED}
        return frame_of(columns, [hit.attributes for hit in self._hits])

    def __repr__(self) -> str:
        return f"SearchResult({brief(self._query)}, {len(self._hits)} hits in {self._store!r})"

    def __str__(self) -> str:
        if not self._hits:
            return f"Nothing in {self._store!r} answers {self._query!r}."
        lines: list[str] = []
        for number, hit in enumerate(self._hits, 1):
            lines += [f"{number}. {visible(hit.place)} · {hit.score:.2f}", f"   {visible(hit.excerpt(240))}"]
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # IPython's
        printer.text(repr(self) if cycle else str(self))


def hit_of(told: Any, query: str) -> Hit:
    """Return a hit as the client tells of it.

    Args:
        told: The client's `VectorStoreSearchResponse`, which may have details beside the documented fields.
        query: What was searched for.
    """
    parts = [part.text for part in told.content or () if part.text]
    attributes = dict(told.attributes or {})
    more = details_of(told)
    return Hit(
        "\n".join(parts), float(told.score), told.file_id, told.filename, own_attributes(attributes), query,
        source_of(attributes), more.page, more.last_page, more.heading, more.chunk, more.semantic_score,
        more.keyword_score,
    )  # fmt: skip
