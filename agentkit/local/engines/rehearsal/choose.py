"""Which tool a text asks for: by the words of its name, its description and its parameters."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from .conversation import Tool
from .languages import languages_named
from .lexicon import GENERIC, GENERIC_NOUNS, STOP, groups_of
from .reading import Reading
from .schemas import Schema
from .words import fold, identifier_words, stem, stem_set, words

__all__ = ["THRESHOLD", "Match", "Toolbox", "request_terms"]

THRESHOLD = 0.6
"""Evidence that a tool needs to be called."""

_OPERATORS = (
    (re.compile(r"\d\s*\+\s*-?\d|\bplus\b|\bsum\b"), "add"),
    (re.compile(r"\d\s+[-−–]\s+\d|\d-\d|\bminus\b|\bless\b"), "subtract"),
    (re.compile(r"\d\s*[*×x·]\s*-?\d|\d\s+times\s+\w"), "multiply"),
    (re.compile(r"\d\s*[/÷:]\s*\d|\bdivided by\b|\bover\b"), "divide"),
    (re.compile(r"\d\s*(?:\^|\*\*)\s*\d|to the power"), "power"),
)
_SAYS = re.compile(r"\b(?:say|put|write|mean|translate)\b")
_TELLS = re.compile(r"\W*(?:[Pp]lease )?(?i:tell|inform|ask|let)\s+(?!(?i:me|us)\b)[A-Z]")
_ASKS_KNOWLEDGE = re.compile(r"\b(?:who|what|when|where|which|why|how|tell me about|latest|news)\b", re.IGNORECASE)
_SMALL_TALK = re.compile(
    r"\bhow are you\b|\byour name\b|\bwho are you\b|\bmy name\b|\bwhat can you\b|\bhow old am i\b|\bwhat (?:is|are"
    r"|was) my\b"
    r"|\bdo i\b|\bam i\b|\bwhat's my\b|\bwhat tools\b",
    re.IGNORECASE,
)
_SEARCHES = stem_set("search lookup browse google wikipedia wiki faq research retrieve knowledge")


@dataclass(frozen=True, slots=True)
class Match:
    """A tool with the evidence for it."""

    tool: Tool
    score: float


@dataclass(frozen=True)
class _Profile:
    """The words of a tool, each with what a request's use of it says for the tool."""

    exact: dict[str, float]
    groups: dict[str, float]
    name: frozenset[str]
    wants_numbers: int
    languages: frozenset[str]
    searches: bool
    spoken: str
    """The name as it would be said, where that is more than one word: "on call" of `get_on_call`."""

    verb: str
    """Stem of the name's first word."""


_EMPTY_VERBS = stem_set("get give tell show make do have let help want need can use be take go")


def _opening_verb(reading: Reading) -> str:
    """Return the stem of the word that a request opens with, where that says what to do ("read", "text", "list")."""
    for token in reading.tokens[:8]:
        if fold(token.text) not in STOP:
            return "" if token.stem in _EMPTY_VERBS else token.stem
    return ""


def _ordered_weight(profile: _Profile, term: str) -> float:
    """Return what an opening verb says for a tool, though elsewhere the word would say little."""
    if term == profile.verb:
        return 0.9
    alike = any(groups_of(term) & groups_of(word) for word in profile.name)
    return 0.8 if alike and term in GENERIC else 0.0


def request_terms(reading: Reading) -> list[str]:
    """Return the stems that say what a text asks for, and the arithmetic that its signs stand for."""
    terms = list(reading.content_stems[:200])
    lower = reading.lower[:2_000]
    if any(c.isdigit() for c in lower):
        terms += [f"={name}" for pattern, name in _OPERATORS if pattern.search(lower)]
    if reading.of("language") and _SAYS.search(lower):
        terms.append("=translate")
    if _TELLS.match(reading.text):
        terms.append("=message")
    return terms


class Toolbox:
    """The tools of a prompt, ready to be matched.

    Args:
        tools: The tools that may be called.
    """

    def __init__(self, tools: list[Tool]) -> None:
        self.tools = tools
        self._profiles = {tool.name: _profile(tool) for tool in tools}
        counts: dict[str, int] = {}
        for profile in self._profiles.values():
            for term in {*profile.exact, *(f"={group}" for group in profile.groups)}:
                counts[term] = counts.get(term, 0) + 1
        self._counts = counts

    def command_words(self, tool: Tool) -> frozenset[str]:
        """Return the stems of the tool's name."""
        return self._profiles[tool.name].name

    def speaks_of(self, stemmed: str) -> bool:
        """Return whether a single word points at one of the tools."""
        return any(_weight(profile, stemmed)[0] >= THRESHOLD for profile in self._profiles.values())

    def matches(self, reading: Reading) -> list[Match]:
        """Return the tools that a text asks for, best first; none below the threshold."""
        terms = request_terms(reading)
        found = [
            (self._rank(tool, terms, reading), Match(tool, self._score(tool, terms, reading))) for tool in self.tools
        ]
        good = [(rank, -index, match) for index, (rank, match) in enumerate(found) if match.score >= THRESHOLD]
        good.sort(key=lambda entry: entry[:2], reverse=True)
        if good:
            return [match for _, _, match in good]
        return self._knowledge_search(reading)

    def _score(self, tool: Tool, terms: list[str], reading: Reading) -> float:
        """Return the evidence for a tool; what all tools share counts in full here."""
        profile = self._profiles[tool.name]
        if _named(reading, tool):
            return 3.0
        name_score = other = 0.0
        seen_groups: set[str] = set()
        opening = _opening_verb(reading)
        for term in terms:
            weight, in_name, group = _weight(profile, term)
            if term == opening:
                ordered = _ordered_weight(profile, term)
                weight, in_name = max(weight, ordered), in_name or ordered > 0
            if group and group in seen_groups:
                weight *= 0.3
            seen_groups.add(group)
            if in_name:
                name_score += weight
            else:
                other += weight
        core = len([word for word in profile.name if word not in GENERIC]) or 1
        score = name_score / math.sqrt(core) + min(other, 1.5)
        if profile.languages:
            named = set(languages_named(reading.text))
            score += 1.0 if named & profile.languages else -0.8 if named else 0.0
        numbers = len(reading.of("number"))
        if profile.wants_numbers:
            if numbers == 0 and profile.wants_numbers > 1:
                score -= 0.6
            elif score > 0.3 and numbers >= profile.wants_numbers:
                score += 0.25
        if profile.spoken and f" {profile.spoken} " in f" {' '.join(words(reading.lower[:2_000]))} ":
            score += 0.8
        elif len(profile.name) > 1 and profile.name <= reading.stems:
            score += 0.7
        if score > 0.45 and reading.of("proper", "quoted", "email", "url"):
            score += 0.15
        return score

    def _rank(self, tool: Tool, terms: list[str], reading: Reading) -> float:
        """Return the evidence with the words that several tools share counting less."""
        profile = self._profiles[tool.name]
        total = 0.0
        for term in terms:
            weight, _, group = _weight(profile, term)
            shared = self._counts.get(f"={group}" if group else term, 1)
            total += weight / math.sqrt(shared)
        named = 3.0 if _named(reading, tool) else 0.0
        return total + self._score(tool, terms, reading) * 0.5 + named

    def _knowledge_search(self, reading: Reading) -> list[Match]:
        """Return a search tool for a question that nothing else answers."""
        if not _ASKS_KNOWLEDGE.search(reading.text) or _SMALL_TALK.search(reading.text) or len(reading.tokens) < 3:
            return []
        terms = request_terms(reading)
        if not [t for t in terms if t not in GENERIC] or any(t.startswith("=") for t in terms):
            return []
        found = [Match(t, THRESHOLD) for t in self.tools if self._profiles[t.name].searches]
        return found[:1] if len(found) == 1 else []


def _named(reading: Reading, tool: Tool) -> bool:
    lower = tool.name.lower()
    return (
        "_" in lower
        or any(c.isupper() for c in tool.name[1:])
        or f"{lower} tool" in reading.lower
        or f"`{lower}`" in reading.lower
    ) and (re.search(rf"(?<!\w){re.escape(lower[:80])}(?!\w)", reading.lower) is not None)


def _weight(profile: _Profile, term: str) -> tuple[float, bool, str]:
    """Return what a request's term says for a tool, whether it matches the name, and through which group."""
    if term.startswith("="):
        by_name = any(term[1:] in groups_of(word) for word in profile.name)
        weight = max(profile.groups.get(term[1:], 0.0), 0.6 if by_name else 0.0)
        return weight * 1.3, weight >= 0.6, term[1:]
    exact = profile.exact.get(term, 0.0)
    best, through = 0.0, ""
    for group in groups_of(term):
        if profile.groups.get(group, 0.0) > best:
            best, through = profile.groups[group], group
    if term in GENERIC:
        best *= 0.75 if through == "search" else 0.2
    weight = max(exact, best)
    return weight, weight >= 0.6 or exact >= 1.0, through


def _profile(tool: Tool) -> _Profile:
    return _profile_of(tool.name, tool.name_words, tool.description, _parameter_words(tool.parameters))


def _spoken(name_words: tuple[str, ...]) -> str:
    said = (
        name_words[1:] if name_words[:1] and stem(name_words[0]) in _EMPTY_VERBS | {"fetch", "return"} else name_words
    )
    return " ".join(said) if len(said) > 1 else ""


def _parameter_words(schema: Schema) -> tuple[tuple[str, str, tuple[str, ...], str], ...]:
    listed = []
    for name, inner in list(schema.properties.items())[:40]:
        kinds = {option.kind for option in inner.variants} or {inner.kind}
        wanted = name in schema.required and not inner.nullable
        kind = "number" if kinds & {"integer", "number"} and wanted else ""
        choices = tuple(str(choice) for choice in inner.choices[:40] if isinstance(choice, str))
        listed.append((name, inner.description[:300], choices, kind))
        if inner.kind == "object":
            listed += [(below, "", (), "") for below in list(inner.properties)[:20]]
    return tuple(listed)


@lru_cache(maxsize=512)
def _profile_of(
    name: str,
    name_words: tuple[str, ...],
    description: str,
    parameters: tuple[tuple[str, str, tuple[str, ...], str], ...],
) -> _Profile:
    exact: dict[str, float] = {}
    groups: dict[str, float] = {}

    name_stems = [stem(word) for word in name_words]
    all_generic = all(stemmed in GENERIC for stemmed in name_stems)

    def add(word: str, weight: float, alike: float) -> None:
        stemmed = stem(word)
        if fold(word) in STOP and weight < 1:
            return
        factor = 0.2 if stemmed in GENERIC else 1.0
        if all_generic and weight == 1.0 and stemmed in GENERIC_NOUNS:
            factor = 0.75
        exact[stemmed] = max(exact.get(stemmed, 0.0), weight * factor)
        for group in groups_of(stemmed):
            groups[group] = max(groups.get(group, 0.0), alike * factor)

    for word in name_words:
        add(word, 1.0, 0.86)
    opening = re.split(r"(?<=[.!?])\s|\n", description.strip(), maxsplit=1)
    spoken = [word for word in words(opening[0]) if fold(word) not in STOP]
    for index, word in enumerate(spoken[:24]):
        add(word, 0.7 if index < 6 else 0.5, 0.6 if index < 6 else 0.35)
    for word in words(opening[1] if len(opening) > 1 else "")[:150]:
        add(word, 0.35, 0.2)
    for parameter, described, choices, _ in parameters:
        for word in identifier_words(parameter):
            add(word, 0.35, 0.2)
        for word in words(described)[:20]:
            add(word, 0.2, 0.1)
        for choice in choices:
            for word in identifier_words(choice):
                add(word, 0.6, 0.3)
    return _Profile(
        exact=exact,
        groups=groups,
        name=frozenset(name_stems),
        wants_numbers=sum(1 for parameter in parameters if parameter[3]),
        languages=frozenset(languages_named(" ".join(name_words))),
        spoken=_spoken(name_words),
        verb=name_stems[0] if len(name_stems) > 1 else "",
        searches=bool(_SEARCHES & set(name_stems)) or bool(_SEARCHES & {stem(w) for w in spoken[:2]}),
    )
