"""Answers from files that came with the request: the sentence that says what is asked, or how the file begins."""

from __future__ import annotations

from collections.abc import Sequence

from .conversation import Attached
from .lexicon import GENERIC
from .reading import Reading
from .results import stopped
from .rules import sentences
from .words import stem_set

__all__ = ["ABOUT_FILES", "said_of"]

_BEGINNING = 3
"""Sentences of a file that tell how it begins."""
_SENTENCE_CHARACTERS = 300
ABOUT_FILES = stem_set("""
    file files document documents pdf page pages text attachment attached paper summarize summary sum say says contain
    contains content read describe explain tell show shows mean means
""")


def said_of(request: Reading, documents: Sequence[Attached]) -> str:
    """Return what files say of what is asked: of each its name and pages, then a sentence of it, or its first ones.

    Args:
        request: What is asked.
        documents: The files; at least one.
    """
    asked = frozenset(stem for stem in request.content_stems if stem not in GENERIC and stem not in ABOUT_FILES)
    found = [(document, _answering(asked, document)) for document in documents]
    if any(score for _, (score, _) in found):
        best = max(score for _, (score, _) in found)
        found = [entry for entry in found if entry[1][0] == best][:1]
    return "\n\n".join(f"{_named(document)}: {said}" for document, (_, said) in found)


def _answering(asked: frozenset[str], document: Attached) -> tuple[int, str]:
    """Return how many of the words that are asked for the best sentence has, and it; none and the beginning else."""
    said = [line for part in document.text.splitlines() for line in sentences(part)]
    if not said:
        return 0, "…"
    scored = [(len(asked & Reading(sentence).stems), -index) for index, sentence in enumerate(said)] if asked else []
    score, at = max(scored, default=(0, 0))
    if score:
        return score, _short(said[-at])
    return 0, " ".join(stopped(_short(sentence)) for sentence in said[:_BEGINNING])


def _named(document: Attached) -> str:
    kind = "" if document.name.lower().endswith((".docx", ".pptx")) else "PDF, "
    return f"`{document.name}`" + (f" ({kind}{document.pages} p.)" if document.pages else "")


def _short(sentence: str) -> str:
    line = " ".join(sentence.split())
    return line if len(line) <= _SENTENCE_CHARACTERS else f"{line[:_SENTENCE_CHARACTERS].rstrip()}…"
