"""Whom to hand a conversation to: by the instructions' rules, by language, or by subject."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .choose import Toolbox, request_terms
from .conversation import Conversation, Tool
from .languages import languages_named
from .lexicon import GENERIC, STOP, groups_of
from .reading import Reading
from .rules import Rules
from .topics import labels_in, profile, related
from .words import fold, stem, stem_set, words

__all__ = ["Route", "choose_handoff"]

_ENOUGH = 0.6
_NOISE = stem_set(
    "agent assistant specialist expert helper bot tutor question help general customer user task request desk team"
)
_ASKS_TO_KNOW = re.compile(
    r"\s*(?:how (?:many|much|long)|what|when|which|where|is there|are there|do you|does)\b", re.IGNORECASE
)
_ANSWERS = re.compile(r"\bquestions?\b|\bfaqs?\b|\binformation\b", re.IGNORECASE)
_ACTS = re.compile(r"\b(?:can|may|able to)\s+(?:update|change|cancel|book|issue|create)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Route:
    """A handoff with the evidence for it."""

    tool: Tool
    score: float


def choose_handoff(conversation: Conversation, rules: Rules) -> Route | None:
    """Return the handoff that the request wants, or None where none fits."""
    offered = [tool for tool in conversation.handoffs if tool.name not in conversation.handed_off]
    if not offered:
        return None
    request = conversation.request
    by_language = _by_language(offered, request, rules)
    if by_language is not None:
        return by_language
    ranked = _by_subject(offered, request, rules)
    if ranked and ranked[0].score >= _ENOUGH:
        return ranked[0]
    rest = [tool for tool in offered if rules.conditions(tool)[1]]
    if rest and request.tokens:
        return Route(rest[0], _ENOUGH)
    return None


def _by_language(offered: list[Tool], request: Reading, rules: Rules) -> Route | None:
    """Choose by the language of the request, where that is what tells the agents apart."""
    spoken = {tool.name: languages_named(f"{' '.join(tool.name_words)} {tool.description}") for tool in offered}
    speaking = [tool for tool in offered if spoken[tool.name]]
    language = request.language or ("en" if request.text.isascii() and request.tokens else None)
    tells_apart = rules.by_language or len(speaking) == len(offered) or language not in (None, "en")
    if not speaking or not tells_apart:
        return None
    wanted = [tool for tool in speaking if language in spoken[tool.name]]
    if not wanted:
        return None
    if rules.by_language or len(offered) > 1 or language != "en":
        return Route(wanted[0], 5.0)
    return None


def _by_subject(offered: list[Tool], request: Reading, rules: Rules) -> list[Route]:
    terms = request_terms(request)
    subjects = profile(request.text, request.stems)
    vocabularies = {tool.name: _vocabulary(tool, rules) for tool in offered}
    counts: dict[str, int] = {}
    for exact, _ in vocabularies.values():
        for word in exact:
            counts[word] = counts.get(word, 0) + 1
    routes = []
    for tool in offered:
        exact, groups = vocabularies[tool.name]
        score = 0.0
        for term in terms:
            if term in exact:
                score += exact[term] / counts[term] ** 0.5
            elif not term.startswith("="):
                score += 0.5 * max((groups.get(group, 0.0) for group in groups_of(term)), default=0.0)
        for topic in labels_in(exact):
            score += 0.8 * min(related(subjects, topic), 4.0)
        if Toolbox([tool]).matches(request) and tool.name in request.lower:
            score += 3
        if _ASKS_TO_KNOW.match(request.text):
            score += 0.5 if exact.keys() & {"faq"} or _ANSWERS.search(tool.description) else 0.0
            score -= 0.6 if _ACTS.search(tool.description) else 0.0
        routes.append(Route(tool, score))
    return sorted(routes, key=lambda route: route.score, reverse=True)


def _vocabulary(tool: Tool, rules: Rules) -> tuple[dict[str, float], dict[str, float]]:
    """Return the stems that speak for a handoff, and the groups of near-synonyms of the more telling ones."""
    exact: dict[str, float] = {}
    groups: dict[str, float] = {}
    conditions, _ = rules.conditions(tool)
    told = [stem(word) for word in words(tool.description[:1_000]) if fold(word) not in STOP]
    for stems, weight in (
        ([stem(word) for word in tool.name_words], 1.0),
        (told, 0.8),
        (sorted(conditions), 1.5),
    ):
        for word in stems:
            if word in (_NOISE if weight == 1.0 else GENERIC):
                continue
            exact[word] = max(exact.get(word, 0.0), weight)
            for group in groups_of(word):
                groups[group] = max(groups.get(group, 0.0), weight)
    return exact, groups
