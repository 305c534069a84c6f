"""The labelled set: files, and questions each of which one file answers, in a part to develop with and one to test."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.retrieval_quality.documents import Document
from benchmarks.retrieval_quality.faqs import debian_faq, perl_faq, python_faq
from benchmarks.retrieval_quality.manual_pages import manual_pages
from benchmarks.retrieval_quality.programs import docstrings, readmes
from benchmarks.retrieval_quality.sources import fetch

__all__ = ["LabelledSet", "Question", "build"]

_MOST_OF_A_KIND = 150
"""Questions of one kind, so that none outweighs the others."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the file that answers it."""

    text: str
    answer: str
    """Key of the file."""
    kind: str
    for_test: bool
    """Whether it counts; the others are for choosing settings."""


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Files and questions."""

    documents: tuple[Document, ...]
    questions: tuple[Question, ...]

    @property
    def digest(self) -> str:
        """What tells this set from another: the sources may have been updated."""
        told = hashlib.sha256()
        for document in self.documents:
            told.update(f"{document.key}\0{document.text}\0{document.question}\0".encode(errors="replace"))
        return told.hexdigest()[:12]


def build(folder: Path) -> LabelledSet:
    """Return the set, fetching what it is made from into a folder if it isn't there."""
    unpacked = fetch(folder)
    documents = tuple({document.key: document for document in _all(unpacked)}.values())
    return LabelledSet(documents, tuple(_questions(documents)))


def _all(unpacked: Path) -> Iterator[Document]:
    yield from manual_pages(unpacked)
    yield from perl_faq(unpacked)
    yield from python_faq(unpacked)
    yield from debian_faq(unpacked)
    yield from docstrings(unpacked)
    yield from readmes()


def _questions(documents: tuple[Document, ...]) -> Iterator[Question]:
    """Yield questions in an order that no one chose; every third is for development."""
    asked = [document for document in documents if document.question]
    asked.sort(key=lambda document: hashlib.sha256(document.key.encode()).hexdigest())
    for kind in sorted({document.kind for document in asked}):
        of_kind = [document for document in asked if document.kind == kind][:_MOST_OF_A_KIND]
        for number, document in enumerate(of_kind):
            yield Question(document.question, document.key, kind, number % 3 != 0)
