"""Searches in files: when one is worth it, what is looked for, and what is said of what was found.

Only what is asked is looked for, and only sentences of the passages are quoted. What a passage tells a reader to do is
text like any other: it is never read as a request or as an instruction.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from agentkit.local.vector_stores.rewriting import rewrite_query

from .answers import Writer
from .conversation import Conversation
from .documents import ABOUT_FILES
from .lexicon import GENERIC, groups_of
from .passages import Passage
from .reading import Reading
from .rules import sentences
from .words import stem

__all__ = ["Cited", "found_in", "goes_on", "names_files", "queries_of", "said_of_passages", "searches"]

_NAMES_FILES = re.compile(
    r"\b(?:files?|documents?|docs|documentation|handbook|manual|knowledge base|pdfs?|uploads?|vector stores?)\b",
    re.IGNORECASE,
)
_QUESTIONS = re.compile(
    r"(?<=[?？])\s+|,?\s+and\s+(?=(?:what|when|where|who|why|how|which|tell|show|does|do|is|are)\b)", re.IGNORECASE
)
_ELLIPTIC = re.compile(r"^\s*(?:and|what about|how about|also|then|or)\b", re.IGNORECASE)
_MOST_QUERIES = 3
_MOST_PASSAGES = 8
_MOST_SENTENCES = 3
_SENTENCE_CHARACTERS = 400
_NEAR = 0.4
"""Cosine from which a passage is worth quoting though it has no word of the question."""
_NEARLY_AS_GOOD = 0.7
_STOPS = ".!?:;…。！？"
_ENOUGH = 0.34
"""Part of what is asked that a sentence has to have."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A stretch of an answer, and the passage that it is taken from."""

    text: str
    passage: Passage | None = None


def names_files(conversation: Conversation) -> bool:
    """Return whether the request speaks of the files themselves."""
    return _NAMES_FILES.search(conversation.request.text[:4_000]) is not None


def searches(conversation: Conversation, writer: Writer) -> bool:
    """Return whether the files may know what is asked: it is no small talk, and nothing else answers it."""
    return conversation.can_search and not conversation.results and not writer.answers_alone()


def queries_of(conversation: Conversation) -> tuple[str, ...]:
    """Return what to look for: the request's questions without their question forms.

    One that goes on from the question before it ("And in Norway?") is looked for together with that.
    """
    text = conversation.request.text.strip()
    if _goes_on(conversation):
        text = f"{rewrite_query(conversation.exchanges[-2].request)} {rewrite_query(text)}"
    asked = [part for part in _QUESTIONS.split(text) if part.strip()]
    if conversation.tools and any(_NAMES_FILES.search(part) for part in asked):
        asked = [part for part in asked if _NAMES_FILES.search(part)]  # the rest is for other tools
    if not asked or len(asked) > _MOST_QUERIES:
        asked = [text]
    return tuple(dict.fromkeys(rewrite_query(part)[:1_000] for part in asked)) or (text,)


def goes_on(text: str) -> bool:
    """Return whether a request says that it goes on from the one before ("And in Norway?")."""
    return _ELLIPTIC.match(text) is not None


def _goes_on(conversation: Conversation) -> bool:
    return len(conversation.exchanges) > 1 and goes_on(conversation.request.text)


def found_in(conversation: Conversation) -> list[Cited]:
    """Return the sentences of the passages that say what is asked; none where none does."""
    passages = (conversation.passages or ())[:_MOST_PASSAGES]
    found: list[tuple[str, Passage]] = []
    for query in queries_of(conversation):
        asked = _weights(query, passages)
        said: list[tuple[str, Passage]] = []
        if _goes_on(conversation):  # what is new in the question goes before what it goes on from
            new = frozenset(conversation.request.content_stems)
            said = _best_sentences({word: weight for word, weight in asked.items() if word in new}, passages)
        said = said or (_best_sentences(asked, passages) if asked else _beginnings(passages))
        found += [entry for entry in said if entry not in found]
    return _joined(found[: _MOST_SENTENCES + 1])


def said_of_passages(conversation: Conversation, writer: Writer) -> list[Cited]:
    """Return what the passages say of what is asked, sentence by sentence; that they say nothing where it is so."""
    if found := found_in(conversation):
        return found
    near = max(conversation.passages or (), key=lambda passage: passage.near or 0.0, default=None)
    if near is not None and (near.near or 0.0) >= _NEAR:
        return [Cited(f"{writer.nearest(near.filename)} "), Cited(_beginning(near), near)]
    return [Cited(writer.unfound(queries_of(conversation)[0]))]


def _weights(query: str, passages: tuple[Passage, ...]) -> dict[str, float]:
    """Return the stems that are asked for; the fewer passages have one, the more it counts."""
    reading = Reading(query)
    kept = [word for word in reading.content_stems if word not in ABOUT_FILES]
    telling = [word for word in kept if word not in GENERIC]
    texts = [_stems(f"{passage.heading} {passage.text}") for passage in passages]
    weights = {}
    for word in telling or kept:
        having = sum(word in text for text in texts)
        weights[word] = math.log(1 + (len(texts) + 1) / (having + 0.5))
    for word in kept:
        weights.setdefault(word, 0.2)
    return weights


def _best_sentences(asked: dict[str, float], passages: tuple[Passage, ...]) -> list[tuple[str, Passage]]:
    total = sum(asked.values()) or 1.0
    scored: list[tuple[float, int, int, str, Passage]] = []
    seen: set[str] = set()
    for order, passage in enumerate(passages):
        for place, (sentence, heading) in enumerate(_sentences(passage)):
            line = " ".join(sentence.split())
            if line in seen or not line:  # passages overlap
                continue
            seen.add(line)
            own = _covered(asked, _stems(line))
            above = _covered(asked, _stems(f"{heading} {passage.filename}")) * 0.4
            if own + above > 0:
                scored.append((own + min(above, total - own), -order, -place, line, passage))
    scored.sort(key=lambda entry: entry[:3], reverse=True)
    if not scored or scored[0][0] < _ENOUGH * total:
        return []
    least = scored[0][0] * _NEARLY_AS_GOOD
    kept = [entry for entry in scored[:_MOST_SENTENCES] if entry[0] >= least]
    kept.sort(key=lambda entry: (-entry[1], -entry[2]))  # as they stand in their passages
    return [(_short(line), passage) for _, _, _, line, passage in kept]


def _covered(asked: dict[str, float], stems: frozenset[str]) -> float:
    """Return how much of what is asked some words say; one that means about the same counts half."""
    total = 0.0
    for word, weight in asked.items():
        if word in stems:
            total += weight
        elif any(groups_of(word) & groups_of(other) for other in stems):
            total += weight * 0.5
    return total


def _beginnings(passages: tuple[Passage, ...]) -> list[tuple[str, Passage]]:
    """Return how the files begin that were found, where only they themselves are asked about."""
    by_file = {passage.file_id: passage for passage in reversed(passages)}
    firsts = [passage for passage in passages if by_file[passage.file_id] is passage][:_MOST_SENTENCES]
    return [(_beginning(passage), passage) for passage in firsts]


def _beginning(passage: Passage) -> str:
    said = [sentence for sentence, _ in _sentences(passage)]
    return " ".join(_short(" ".join(sentence.split())) for sentence in said[:2]) or "…"


def _joined(said: list[tuple[str, Passage]]) -> list[Cited]:
    """Return sentences with a blank between them; a sentence that is a line of its own gets its full stop."""
    stopped = [(line if line[-1] in _STOPS else f"{line}.", passage) for line, passage in said]
    return [Cited(line if not at else f" {line}", passage) for at, (line, passage) in enumerate(stopped)]


def _sentences(passage: Passage) -> list[tuple[str, str]]:
    """Return the sentences of a passage, each with the heading that it stands under. A line of a table is a sentence.

    Headings of Markdown are none, unless there is nothing else; marks of lists and quotations are left out.
    """
    found: list[tuple[str, str]] = []
    heading = passage.heading
    for raw in passage.text.splitlines():
        line = raw.strip()
        if line.startswith("#"):
            heading = line.lstrip("# ")
            continue
        found += [(sentence, heading) for sentence in sentences(line.lstrip(">*- \t")) if sentence]
    return found or [(line, "") for line in passage.text.split("\n") if line.strip()]


def _stems(text: str) -> frozenset[str]:
    return frozenset(Reading(text).stems) | frozenset(stem(word) for word in re.split(r"[\W_]+", text[:500]) if word)


def _short(line: str) -> str:
    return line if len(line) <= _SENTENCE_CHARACTERS else f"{line[:_SENTENCE_CHARACTERS].rstrip()}…"
