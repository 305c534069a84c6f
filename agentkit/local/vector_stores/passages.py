"""What a file becomes in a vector store: passages, and what a search finds of them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Attributes", "Chunk", "Chunking", "Found", "Match"]

Attributes = dict[str, str | float | bool]
"""What is known of a file beside its text: at most 16 keys of at most 64 characters, texts of at most 512."""


@dataclass(frozen=True, slots=True)
class Chunking:
    """How files are cut. The defaults are OpenAI's."""

    max_tokens: int = 800
    """Most tokens of a chunk, 100 to 4,096."""
    overlap_tokens: int = 400
    """Tokens that a chunk shares with the one before it, at most half of `max_tokens`."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a file: what is ranked, quoted and cited."""

    position: int
    """Which of the file's chunks it is, from 0."""
    text: str
    """Its text, as it stands in the parsed file."""
    tokens: int
    """Its length in tokens of o200k_base."""
    start: int
    """Where it begins in the parsed text, in characters from 0."""
    end: int
    """Where it ends there, exclusive."""
    page: int | None = None
    """The page, or slide, that it begins on, from 1; None for files without pages."""
    last_page: int | None = None
    """The page that it ends on."""
    heading: str = ""
    """The headings that it stands under, outermost first: "Installation › Linux"; "" for none."""


@dataclass(frozen=True, slots=True)
class Match:
    """A chunk that one ranking found."""

    key: int
    """The chunk, as its database names it."""
    score: float
    """How well it fits: by words, BM25 as a part of what a chunk with all words of the query would get at most, 0 to 1;
    by meaning, a cosine, -1 to 1. Both mean the same in every search."""


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk with its file, as a search answers it."""

    file_id: str
    """The file that it stands in."""
    filename: str
    """What that file is called."""
    attributes: Attributes
    """Of that file."""
    chunk: Chunk
    """The passage."""
    score: float
    """How well it answers the query after fusion, 0 to 1."""
    semantic: float | None = None
    """The cosine between query and passage, -1 to 1; None where it was not ranked by meaning."""
    keyword: float | None = None
    """BM25 as a part of the most there can be, 0 to 1; None where no word of the query is in it."""
