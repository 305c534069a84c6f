"""Which of the things that a text mentions belongs in which slot, told by kind and by the words around it."""

from __future__ import annotations

import re

from .lexicon import GENERIC, STOP, VERBS
from .meaning import FROM_WORDS, TO_WORDS, Slot
from .places import COORDINATES, REGIONS
from .reading import Entity, Reading
from .words import fold, stem, word_set, words

__all__ = ["MONEY_WORDS", "best_entity"]

_KINDS: dict[str, dict[str, float]] = {
    "email": {"email": 3},
    "url": {"url": 3},
    "path": {"path": 3, "quoted": 1},
    "phone": {"phone": 3},
    "date": {"date": 3},
    "datetime": {"date": 3, "time": 2},
    "time": {"time": 3},
    "language": {"language": 3},
    "currency": {"currency": 3},
    "place": {"proper": 2, "quoted": 1, "phrase": 0.6},
    "person": {"proper": 2, "quoted": 1, "email": 0.3},
    "street": {"street": 3, "proper": 0.6, "quoted": 2},
    "postcode": {"postcode": 3},
    "id": {"id": 3, "number": 1, "quoted": 1, "email": 0.2},
    "title": {"quoted": 2.2, "proper": 0.9, "phrase": 1},
    "name": {"quoted": 2, "proper": 1.6, "named": 2.5},
    "any": {
        "quoted": 2,
        "named": 3,
        "proper": 1,
        "id": 0.8,
        "number": 0.3,
        "path": 0.8,
        "url": 0.8,
        "email": 0.5,
        "phone": 0.5,
    },
    "unit": {"quoted": 1, "named": 2},
    "query": {"quoted": 2},
    "text": {"quoted": 2},
}
_IN = word_set("in at near around inside across within en à a em auf bei nach over")
_WITH = word_set("with by named called named for contact tell ask call invite @ mr mrs ms dr con avec mit and remind")
_POSTCODE = re.compile(r"(?<![\w-])(?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|\d{4} ?[A-Z]{2}|\d{4})(?![\w-])")
_CURRENCY = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])")
_CURRENCY_WORDS = {
    "dollar": "USD",
    "euro": "EUR",
    "pound": "GBP",
    "yen": "JPY",
    "franc": "CHF",
    "rupee": "INR",
    "yuan": "CNY",
    "peso": "MXN",
    "krona": "SEK",
    "krone": "NOK",
    "won": "KRW",
    "real": "BRL",
}
MONEY_WORDS = frozenset(f"{name}{plural}" for name in _CURRENCY_WORDS for plural in ("", "s"))
"""Names of currencies, in the singular and the plural."""

_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
_CODES = frozenset(
    [
        *_CURRENCY_WORDS.values(),
        *["AUD", "CAD", "NZD", "CHF", "CNY", "DKK", "PLN", "CZK", "HUF", "TRY", "ZAR", "SGD", "HKD", "THB"],
    ]
)


def best_entity(
    reading: Reading, slot: Slot, used: set[tuple[int, int]], command: frozenset[str] = frozenset()
) -> Entity | None:
    """Return what in `reading` fits `slot` best, or None. Optional slots want a clear sign.

    Args:
        reading: The text.
        slot: Where the value goes.
        used: Places whose values are taken already; they count less.
        command: Stems of the tool's own words, which are no values.
    """
    weights = _KINDS.get(slot.meaning)
    if weights is None:
        return None
    best, best_score = None, 0.5 if slot.required else 1.9
    if not slot.required and slot.meaning in ("any", "title", "name", "id", "path", "unit", "text", "query"):
        best_score = 2.9  # only with a cue
    for index, entity in enumerate(_candidates(reading, slot, command)):
        weight = weights.get(entity.kind)
        if weight is None or (entity.kind == "proper" and all(stem(word) in command for word in words(entity.text))):
            continue
        score = weight + _cues(reading, entity, slot) - 0.01 * index
        if (entity.start, entity.end) in used:
            score -= 2.5
        if score > best_score:
            best, best_score = entity, score
    return best


def _candidates(reading: Reading, slot: Slot, command: frozenset[str]) -> list[Entity]:
    if slot.meaning == "currency":
        return _currencies(reading)
    if slot.meaning == "postcode":
        return [Entity("postcode", m[0], m.start(), m.end()) for m in _POSTCODE.finditer(reading.text)]
    found = reading.entities
    if slot.meaning in ("any", "name", "unit", "path"):
        found = [*found, *_named_by_slot(reading, slot)]
    if slot.meaning == "title" and not slot.is_event:
        return [*found, *_bare_phrases(reading, command | slot.words)]
    if slot.meaning in ("place", "person") and not any(e.kind == "proper" for e in found):
        plain = _lower_case_objects(reading, slot)
        return [*found, *(p for p in plain if not {stem(w) for w in words(p.text)} <= command | GENERIC)]
    return found


def _named_by_slot(reading: Reading, slot: Slot) -> list[Entity]:
    """Return what stands before the slot's own name: "general" of "the general channel" for `channel`."""
    found = []
    for index, token in enumerate(reading.tokens[1:], start=1):
        before = reading.tokens[index - 1]
        plain = before.text.isalpha() and fold(before.text) not in STOP and before.stem not in VERBS
        if token.stem in slot.words and plain and reading.text[before.end : token.start] == " ":
            found.append(Entity("named", before.text, before.start, before.end))
    return found


def _bare_phrases(reading: Reading, command: frozenset[str]) -> list[Entity]:
    """Return the noun phrases less the tool's own words: "kitchen" of "kitchen light" for `set_light`."""
    found = []
    for phrase in reading.noun_phrases:
        tokens = [t for t in reading.tokens if phrase.start <= t.start < phrase.end]
        while tokens and tokens[-1].stem in command:
            tokens.pop()
        while tokens and tokens[0].stem in command:
            tokens.pop(0)
        if tokens and not {token.stem for token in tokens} <= GENERIC:
            start, end = tokens[0].start, tokens[-1].end
            found.append(Entity("phrase", reading.text[start:end], start, end))
    return found


def _lower_case_objects(reading: Reading, slot: Slot) -> list[Entity]:
    """Return what stands after "in", "to" or "with" in a text without capital letters ("weather in new york")."""
    cues = _IN | FROM_WORDS | TO_WORDS | {"for", "of", "about"} if slot.meaning == "place" else _WITH
    found = [phrase for phrase in reading.noun_phrases if cues & set(reading.before(phrase.start))]
    if slot.meaning == "place":
        known = [p for p in reading.noun_phrases if p.text.lower() in COORDINATES or p.text.lower() in REGIONS]
        for phrase in reading.noun_phrases:
            last = " ".join(words(phrase.text)[-2:]).lower(), words(phrase.text)[-1].lower()
            first = " ".join(words(phrase.text)[:2]).lower(), words(phrase.text)[0].lower()
            for name in (*last, *first):
                if name in COORDINATES and len(words(phrase.text)) > len(name.split()):
                    start = phrase.start + phrase.text.lower().index(name)
                    known.append(Entity("phrase", reading.text[start : start + len(name)], start, start + len(name)))
        found = [*known, *found]
    if slot.meaning == "place" and not found and len(reading.tokens) <= 4:
        return reading.noun_phrases
    return found


def _currencies(reading: Reading) -> list[Entity]:
    found = [Entity("currency", m[0], m.start(), m.end()) for m in _CURRENCY.finditer(reading.text) if m[0] in _CODES]
    for token in reading.tokens:
        code = _CURRENCY_WORDS.get(token.stem) or _CURRENCY_WORDS.get(fold(token.text).rstrip("s"))
        if code:
            found.append(Entity("currency", code, token.start, token.end))
    signed = [number for number in reading.of("number") if number.mark in _SIGNS]
    found += [Entity("currency", _SIGNS[n.mark], n.start, n.start + 1) for n in signed]
    return sorted(found, key=lambda entity: entity.start)


def _cues(reading: Reading, entity: Entity, slot: Slot) -> float:
    """Return how the words around an entity speak for or against a slot."""
    near = reading.before(entity.start, 4)
    previous = near[0] if near else ""
    score = 0.0
    if slot.is_origin and not slot.is_target:
        score += 2.5 if previous in FROM_WORDS else -1.5 if previous in TO_WORDS else 0
    elif slot.is_target:
        score += 2.5 if previous in TO_WORDS else -1.5 if previous in FROM_WORDS else 0
    if slot.meaning == "place":
        score += 1 if previous in _IN or (previous in ("for", "of") and not slot.is_origin) else 0
        score += 0.8 if entity.text.split(",")[0].lower() in COORDINATES else 0
        score += 0.5 if entity.text.lower() in REGIONS else 0
        score -= 1.6 if previous in ("with", "by", "named", "called", "con", "avec", "mit") else 0
        country = slot.words & {"country", "countr", "nation", "state"}
        score += 1 if country and entity.text.lower() in REGIONS else 0
    elif slot.meaning == "person":
        score += 1 if previous in _WITH or (previous == "to" and not slot.is_origin) else 0
        score -= 1.6 if previous in _IN or previous in FROM_WORDS else 0
        score -= 2 if entity.text.split(",")[0].lower() in COORDINATES or entity.text.lower() in REGIONS else 0
    elif slot.meaning == "id":
        score += 1 if set(near[:2]) & {"order", "ticket", "number", "id", "invoice", "case", "account", "code"} else 0
    elif slot.meaning in ("name", "title"):
        score += 1.5 if previous in ("called", "named", "titled", "name") else 0
        score -= 1 if previous in _IN or entity.text.split(",")[0].lower() in COORDINATES else 0
        if entity.kind == "phrase":
            score -= 0.8 if previous in _IN | FROM_WORDS | TO_WORDS | _WITH | {"on", "of", "about"} else 0
            score += 0.6 if previous in ("a", "an", "the", "some", "my") or previous.isdigit() else 0
    named = slot.words - GENERIC
    following = reading.after(entity.end, 2)
    around = {stem(word) for word in [*near[:3], *following[:1]]}
    if named & around:
        score += 2 if slot.meaning in ("any", "title", "name", "id", "path", "unit") or not slot.required else 1.2
    return score
