"""Pieces of text that a request points at: what to search for, what to say, what is listed, what takes place."""

from __future__ import annotations

import re

from .languages import language_code
from .lexicon import EVENT_NOUNS, GENERIC, STOP, VERBS, groups_of
from .reading import Entity, Reading
from .rules import sentences
from .words import WORD, fold, stem, stem_set

__all__ = [
    "asked_text",
    "event_title",
    "first_sentence",
    "handed_text",
    "listed_items",
    "message_text",
    "purpose",
    "subject_of",
    "without_politeness",
]

_POLITE = re.compile(
    r"^\s*(?:(?:hello|hi|hey|hola|bonjour|hallo|dear \w+|please|kindly|ok|okay|so|well|now|then|and|also|but"
    r"|finally|next"
    r"|first|afterwards|after that|por favor|bitte)\b[\s,!.:;-]*"
    r"|(?:can|could|would|will) (?:you|we) (?:please |kindly |also )?(?:help me (?:to )?)?"
    r"|(?:i(?:'d| would) like (?:you )?to|i (?:want|need) (?:you )?to|i(?:'d| would) like|i want|i need|let's"
    r"|help me (?:to )?"
    r"|puedes|puede|peux-tu|pouvez-vous|kannst du|können sie|quiero|je veux|je voudrais)\s+)",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"\b(?:about|regarding|concerning|on the (?:topic|subject) of|related to|sobre|über|acerca de)\s+", re.IGNORECASE
)
_SAYING = re.compile(
    r"\b(?:saying|that says?|which says?|says?|with the (?:message|text|body|words)|the (?:message|text|words)"
    r"|telling \w+"
    r"|tell(?:ing)? (?:him|her|them|\w+) that|to say|diciendo|disant)\s*(?:that\s+|:\s*)?",
    re.IGNORECASE,
)
_TO_LANGUAGE = re.compile(r"\s+(?:(?:in)?to|in|al?|en|ins?|auf|em|nach)\s+([^\W\d_]+)\s*[?.!]*\s*$", re.IGNORECASE)
_FOR = re.compile(r"^(?:for|about|up|on|regarding|of|that|to|:|me|us|the|a|an|any|some|por|para|sobre|nach)$")
_HOLDERS = stem_set("""
    web internet doc documentation database wikipedia google online article paper information info document file
    something everything result knowledge base site website library archive page entry question all more
""")
_SEPARATOR = re.compile(
    r"\s*,\s*(?:and|or|y|et|und|e|&)\s+|\s*[,;]\s+|\s+(?:and|&|y|et|und)\s+|\s*\n\s*(?:[-*•]|\d+[.)])?\s*",
    re.IGNORECASE,
)
_TRAILING = " \t\n.?!,;:…"


_TELLS = re.compile(
    r"^(?:tell|text|message|inform|notify|email|mail|remind|ask|warn|let|write(?: to)?"
    r"|say to)\s+(?:[^\W\d_][\w'.@-]*\s+){1,3}?"
    r"(?:know\s+)?(?:that|to)\s+(?=\S)",
    re.IGNORECASE,
)


_TELLS_NAMED = re.compile(
    r"^(?i:tell|inform|ask|text|message|email)\s+[A-Z][\w'-]{0,30}(?:(?:,\s*|\s+and\s+|,\s*and\s+|\s+)[A-Z][\w'-]{0,30}){0,8}\s+"
    r"(?:that\s+|to\s+)?(?=[a-z])"
)


def without_politeness(text: str) -> str:
    """Return `text` without greetings, "please" and "could you" at its beginning."""
    for _ in range(6):
        match = _POLITE.match(text)
        if match is None or not match[0] or match.end() >= len(text.rstrip(_TRAILING)):
            break
        text = text[match.end() :]
    return text.strip()


def asked_text(reading: Reading, command: frozenset[str]) -> str:
    """Return what a search is for: the request less its politeness and its command.

    Args:
        reading: The request or a part of it.
        command: Stems of the tool's own words, such as those of `search_docs`.
    """
    quoted = reading.of("quoted")
    if quoted:
        return max(quoted, key=lambda entity: len(entity.text)).text
    text = without_politeness(reading.text).rstrip(_TRAILING)
    matches = list(WORD.finditer(text[:400]))
    if not matches or (stem(matches[0][0]) not in command and not _is_command(matches[0][0])):
        return text
    start = 0
    alike = frozenset(group for word in command - GENERIC for group in groups_of(word))
    for index, match in enumerate(matches):
        lower = fold(match[0])
        named = stem(lower) in command or bool(groups_of(stem(lower)) & alike)
        skippable = index == 0 or named or stem(lower) in _HOLDERS or _FOR.match(lower)
        if not skippable:
            break
        start = match.end()
        if lower in ("for", "about", "regarding", ":"):
            break
    rest = text[start:].strip(_TRAILING + "\"'")
    return rest or text


def _is_command(word: str) -> bool:
    return fold(word) in (
        "search",
        "find",
        "look",
        "google",
        "lookup",
        "busca",
        "cherche",
        "recherche",
        "suche",
        "query",
    ) or (fold(word) in ("get", "fetch", "show", "tell", "give", "check", "retrieve", "browse", "read", "list", "open"))


def subject_of(reading: Reading, command: frozenset[str]) -> str | None:
    """Return what follows "about": the subject of a poem, a report or a question, or None."""
    match = _ABOUT.search(reading.text)
    if match is None:
        quoted = reading.of("quoted")
        if quoted:
            return quoted[0].text
        on = re.search(r"\b(?:on|of|for)\s+(?!me\b|us\b)", reading.text)
        if on is None or not any(t.stem in command for t in reading.tokens if t.end <= on.start()):
            return None
        match = on
    rest = re.split(r"[.?!;\n]|,? (?:and then|then|please|in \d+|using|with \d+)\b", reading.text[match.end() :])[0]
    return rest.strip(_TRAILING + "\"'") or None


def purpose(reading: Reading, command: frozenset[str]) -> str | None:
    """Return what is to be done, where the request puts it so: "a task to call Ada", "remind me to call Ada"."""
    for index, token in enumerate(reading.tokens[1:-1], start=1):
        if fold(token.text) != "to":
            continue
        before, after = reading.tokens[index - 1], reading.tokens[index + 1]
        if (before.stem in command or fold(before.text) in ("me", "us")) and after.stem in VERBS:
            return reading.text[after.start :].strip(_TRAILING)
    return None


def message_text(reading: Reading, command: frozenset[str], *, whole: bool = False) -> str | None:
    """Return the text that a request hands over, to be sent, translated or looked at.

    Args:
        reading: The request or a part of it.
        command: Stems of the tool's own words.
        whole: Fall back on all of the request.
    """
    quoted = reading.of("quoted")
    if quoted:
        return max(quoted, key=lambda entity: len(entity.text)).text
    text = reading.text.strip()
    colon = re.search(r":\s+(?=\S)|:\n", text)
    if colon is not None and colon.start() < 200:
        return text[colon.end() :].strip()
    saying = _SAYING.search(text)
    if saying is not None and saying.end() < len(text) - 1:
        return text[saying.end() :].strip().rstrip(" ")
    text = without_politeness(text)
    tells = _TELLS.match(text) or _TELLS_NAMED.match(text)
    if tells is not None:
        return text[tells.end() :].strip()
    language = _TO_LANGUAGE.search(text)
    if language is not None and language_code(language[1]) is not None:
        text = text[: language.start()]
    first = WORD.match(text)
    if first is not None and (stem(first[0]) in command or stem(first[0]) in VERBS):
        rest = text[first.end() :].strip()
        rest = re.sub(r"^(?:the|this|a|my) (?:following |message |text |sentence |word |phrase |review )+", "", rest)
        rest = re.sub(r"^(?:me|us|him|her|them) (?:to|that|about|of) ", "", rest)
        said = rest.rstrip(" ")
        if said and (stem(first[0]) in command or language is not None):
            return said
    return text if whole and text else None


def handed_text(text: str) -> str:
    """Return the text that an order is about: what follows "Summarize this:", else all of it."""
    colon = re.match(r"\s*([^:\n.!?]{1,100}):\s+(?=\S)", text)
    if colon is not None and any(stem(word) in VERBS for word in WORD.findall(colon[1])[:4]):
        return text[colon.end() :].strip()
    return text.strip()


def first_sentence(text: str) -> str:
    """Return the first sentence of `text`."""
    return next(iter(sentences(text.strip())), text.strip())


def event_title(reading: Reading) -> str | None:
    """Return what takes place in a text: "science fair" in "Ann goes to a science fair on Friday"."""
    called = re.search(r"\b(?:called|named|titled|entitled)\s+(?=\S)", reading.text)
    if called is not None:
        following = next((e for e in reading.of("quoted", "proper") if e.start - called.end() in (0, 1)), None)
        if following is not None:
            return following.text
    candidates = [_widened(phrase, reading) for phrase in reading.noun_phrases]
    candidates = [_with_subject(phrase, reading) for phrase in candidates]
    eventful = [p for p in candidates if any(stem(word) in EVENT_NOUNS for word in WORD.findall(p.text))]
    if eventful:
        return max(eventful, key=lambda p: (_ends_in_event(p.text), len(p.text.split()))).text
    quoted = reading.of("quoted")
    if quoted:
        return quoted[0].text
    after_article = [p for p in candidates if reading.before(p.start)[:1] in (["a"], ["an"], ["the"], ["our"], ["my"])]
    return (after_article or candidates or [Entity("phrase", "", 0, 0)])[0].text or None


def _ends_in_event(text: str) -> bool:
    return any(stem(word) in EVENT_NOUNS for word in re.split(r" (?:on|about|of) ", text)[0].split()[-1:])


def _widened(phrase: Entity, reading: Reading) -> Entity:
    """Take in a name that stands before the phrase ("the Python workshop", "Ada's birthday party")."""
    for entity in reading.of("proper", "language"):
        between = reading.text[entity.end : phrase.start]
        if between in (" ", "'s ", "’s ") and reading.before(entity.start)[:1] not in (["with"], ["and"], ["for"]):
            return Entity("phrase", reading.text[entity.start : phrase.end], entity.start, phrase.end)
    return phrase


def _with_subject(phrase: Entity, reading: Reading) -> Entity:
    """Take in what an event is about ("workshop on pottery")."""
    words_of = WORD.findall(phrase.text)
    if not words_of or stem(words_of[-1]) not in EVENT_NOUNS:
        return phrase
    for other in reading.noun_phrases:
        if reading.text[phrase.end : other.start] in (" on ", " about ", " of "):
            return Entity("phrase", reading.text[phrase.start : other.end], phrase.start, other.end)
    return phrase


def listed_items(reading: Reading) -> list[str]:
    """Return the elements of the longest "a, b and c" in a text, or [] where nothing is listed."""
    quoted = reading.of("quoted")
    if len(quoted) > 1:
        return [entity.text for entity in quoted]
    text = reading.text
    colon = re.search(r":\s*(?=\S)", text)
    if colon is not None and ("," in text[colon.end() :] or "\n" in text[colon.end() :]):
        text = text[colon.end() :]
    best: list[str] = []
    for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])|;", text):
        parts = [part for part in _SEPARATOR.split(sentence.strip(_TRAILING)) if part and part.strip(_TRAILING)]
        if len(parts) < 2:
            continue
        items = [_tail(parts[0]), *(_article_free(part) for part in parts[1:-1]), _head(parts[-1])]
        items = [item.strip(_TRAILING) for item in items if item.strip(_TRAILING)]
        if len(items) > max(len(best), 1):
            best = items
    return best


def _tail(text: str) -> str:
    """Return what comes after the last verb or function word."""
    start = 0
    for match in WORD.finditer(text):
        if fold(match[0]) in STOP or (match.start() == 0 and stem(match[0]) in VERBS):
            start = match.end()
    return text[start:].strip() or text


def _head(text: str) -> str:
    """Return what comes before the first function word."""
    text = _article_free(text)
    for match in WORD.finditer(text):
        if match.start() > 0 and fold(match[0]) in STOP and fold(match[0]) not in ("of", "de", "the"):
            return text[: match.start()].strip()
    return text


def _article_free(text: str) -> str:
    return re.sub(r"^(?:the|a|an|some|my|your|with|in|to|for|from|also)\s+", "", text.strip(), flags=re.IGNORECASE)
