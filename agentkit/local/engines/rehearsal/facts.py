"""What a conversation has told: "my name is Ada", a tool's `{"customer_id": 12}`, "the user John is 47 years old"."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .conversation import Call, Conversation
from .lexicon import GENERIC, STOP
from .words import fold, identifier_words, stem, words

__all__ = ["Fact", "facts_in_text", "facts_of_result", "known_facts", "look_up", "parsed"]

_MOST = 400


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was told."""

    words: frozenset[str]
    """Stems of what it is about: {"us", "nam"}."""

    key: frozenset[str]
    """The stems of these that name the thing itself: {"nam"}."""

    value: Any
    """A JSON value; from running text always a string or a number."""

    said: str = ""
    """The sentence it was read from, or `""`."""


_IS = re.compile(
    r"\b(my|the|our|his|her|their|user'?s?|customer'?s?|[A-Z]\w+'s)\s+((?:[\w'-]+\s+){0,4}?[\w'-]+)\s*(?:is|are|was"
    r"|=|:)\s+"
    r"((?:[^\n.;!?]|[.!?](?=\S))+)",
    re.IGNORECASE,
)
_I_AM = re.compile(
    r"\b(?i:i am|i'm|call me|me llamo|je m'appelle|ich heiße|mi chiamo|me chamo)\s+([A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)*)"
)
_YEARS_OLD = re.compile(r"\b(\d{1,3})[\s-]+years?[\s-]+old\b|\b(?:aged?|i am|i'm)\s+(\d{1,3})\b", re.IGNORECASE)
_LIVES = re.compile(
    r"\b(?:live|lives|living|based|located|home is|i'm from|i am from|come from)\s+(?:in"
    r"|at)?\s*([A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)*)"
)
_NAMED_USER = re.compile(
    r"\b(?:[Uu]ser|[Cc]ustomer|[Cc]lient|[Gg]uest|[Pp]atient|[Ss]tudent)(?:'s name)?(?: is| called| named"
    r"|,)?\s+([A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)*)"
)
_LIKES = re.compile(r"\bi\s+(?:really\s+)?(?:like|love|prefer|enjoy)\s+([^\n.;!?]{1,80})", re.IGNORECASE)
_PAIR = re.compile(r"^\s*[-*]?\s*([A-Za-z][\w ]{0,40}?)\s*[:=]\s*(\S[^\n]{0,200})$", re.MULTILINE)


def facts_in_text(text: str) -> list[Fact]:
    """Return what running text tells, in order."""
    facts: list[Fact] = []

    def found(about: str, value: str | int, said: str) -> None:
        key = frozenset(stem(word) for word in words(about) if fold(word) not in STOP)
        if key and value != "":
            facts.append(Fact(key, key, value, said.strip()))

    for match in _IS.finditer(text):
        about = f"{match[1]} {match[2]}" if match[1].lower() not in ("my", "the", "our") else match[2]
        value = re.split(
            r",?\s+(?:and|but|so)\s+(?:i|my|the|his|her|you|we|our|please)\b|,\s+(?:i|my|please)\b",
            match[3],
            flags=re.IGNORECASE,
        )[0]
        value = value.strip(" ,\"'")
        if len(about.split()) <= 5 and len(value) <= 120 and not re.match(r"(?:what|to|not|there|given)\b", value):
            found(about, value, match[0])
    for pattern, about in (
        (_I_AM, "name"),
        (_NAMED_USER, "user name"),
        (_LIVES, "live city home location"),
        (_LIKES, "like"),
    ):
        for match in pattern.finditer(text):
            found(about, match[1].strip(), match[0])
    for match in _YEARS_OLD.finditer(text):
        found("age old", int(match[1] or match[2]), match[0])
    for match in _PAIR.finditer(text):
        found(match[1], match[2].strip(), match[0])
    return facts[:_MOST]


def parsed(output: str) -> Any:
    """Return a tool's output as the JSON or Python value that it prints, or as the string that it is."""
    text = output.strip()
    if len(text) > 200_000 or text[:1] not in "{[\"-0123456789tfnTFN'":
        return output
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if text in ("True", "False", "None"):
        return {"True": True, "False": False, "None": None}[text]
    if text[:1] in "{[" and len(text) < 20_000:
        try:
            return json.loads(_PYTHON_WORDS.sub(lambda m: _AS_JSON[m[0]], text.replace("'", '"')))
        except (ValueError, RecursionError):
            return output
    return output


_PYTHON_WORDS = re.compile(r"\b(?:True|False|None)\b")
_AS_JSON = {"True": "true", "False": "false", "None": "null"}


def facts_of_result(call: Call) -> list[Fact]:
    """Return what a tool's result tells: its fields by name, or the value itself under the tool's name."""
    if call.output is None:
        return []
    value = parsed(call.output)
    about = frozenset(stem(word) for word in identifier_words(call.name)) - GENERIC
    facts = [Fact(about | key, key, leaf) for key, leaf in _leaves(value, frozenset(), 0)]
    if not isinstance(value, dict | list):
        facts.append(Fact(about, about, value, call.output))
    if isinstance(value, str):
        facts += [Fact(about | fact.words, fact.key, fact.value, fact.said) for fact in facts_in_text(value[:4_000])]
    return facts[:_MOST]


def _leaves(value: Any, key: frozenset[str], depth: int) -> Iterator[tuple[frozenset[str], Any]]:
    if depth > 6:
        return
    if isinstance(value, dict):
        for name, inner in list(value.items())[:64]:
            below = frozenset(stem(word) for word in identifier_words(str(name)))
            yield below, inner
            for words_below, leaf in _leaves(inner, below, depth + 1):
                yield words_below | (key if depth else frozenset()), leaf
    elif isinstance(value, list):
        for inner in value[:64]:
            if isinstance(inner, dict | list):
                yield from _leaves(inner, key, depth + 1)


def known_facts(conversation: Conversation, *, results: bool = True) -> list[Fact]:
    """Return all that was told, the newest first: results, what the user said, then the instructions.

    Args:
        conversation: Where to look.
        results: Take in the results of the exchange that is being answered.
    """
    facts: list[Fact] = []
    for exchange in reversed(conversation.exchanges):
        if results or exchange is not conversation.now:
            for call in reversed(exchange.calls):
                facts += facts_of_result(call)
        if exchange is not conversation.now or "?" not in exchange.request:
            facts += facts_in_text(exchange.request[:8_000])
        else:
            facts += [f for f in facts_in_text(exchange.request[:8_000]) if "?" not in f.said]
    return [*facts, *facts_in_text(conversation.instructions)][:_MOST]


def look_up(facts: list[Fact], asked: frozenset[str]) -> Fact | None:
    """Return the first fact whose name is all asked for, and that covers most of what is asked, or None."""
    best, best_score = None, 0.0
    for fact in facts:
        named = fact.key - GENERIC or fact.key
        if not named & asked:
            continue
        score = len(fact.words & asked) / len(asked) + len(named & asked) / len(named)
        if score > best_score + 1e-9:
            best, best_score = fact, score
    return best if best_score >= 1.0 else None
