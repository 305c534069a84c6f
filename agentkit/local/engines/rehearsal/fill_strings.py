"""Strings for schemas: names, dates and addresses as they are mentioned; texts, titles and searches as they are put."""

from __future__ import annotations

import re
from datetime import date

from . import extract
from .dates import iso_date, iso_time, stated_today
from .languages import language_code
from .lexicon import GENERIC
from .matching import best_entity
from .meaning import Slot
from .reading import Entity, Reading
from .schemas import fits
from .sources import MISSING, Sources, refers_back, told_before
from .words import stem, word_set, words

__all__ = ["fill_string", "said"]

_RUNNING = word_set("text query any expression answer summary reason")
_EXPRESSION = re.compile(r"[-(]*(?:\d[\d.,]*|[xyz])(?:\s*(?:\*\*|[-+*/×÷^%()=])\s*|[xyz()\d.])*")
_LOOSE_END = re.compile(r"[\s,]+(?:on|at|by|for|from|to|this|and|or)?\s*$")


def fill_string(sources: Sources, slot: Slot) -> str | None:
    """Return the string that belongs in `slot`, or None where none is found."""
    schema = slot.schema
    if sources.judge is not None:
        told = told_before(sources, slot, exact=True)
        if told is not MISSING and isinstance(told, str):
            return told
        judged = sources.judge.text(slot)
        if judged is not None and fits(judged, schema):
            return judged
    for reading in sources.readings:
        found = _in_reading(sources, reading, slot)
        if found is not None:
            return found if fits(found, schema) else None
    return None


def _in_reading(sources: Sources, reading: Reading, slot: Slot) -> str | None:
    own = reading is sources.clause
    if slot.meaning in _RUNNING:
        return _running_text(sources, reading, slot)
    named = slot.meaning in ("title", "name")
    if named and slot.required and own:
        purpose = extract.purpose(reading, sources.command)
        if purpose is not None:
            return _without_taken(sources, purpose)
    if not (named and slot.is_event):
        used = sources.used if own else set()
        entity = best_entity(reading, slot, used, sources.command)
        if entity is not None:
            used.add((entity.start, entity.end))
            return said(sources, entity, slot)
    if named and (slot.required or sources.judge is not None):
        return _title(sources, reading, slot)
    return None


def _running_text(sources: Sources, reading: Reading, slot: Slot) -> str | None:
    if not slot.required:
        entity = best_entity(reading, slot, sources.used, sources.command)
        return entity.text if entity is not None else None
    if reading is not sources.clause and slot.meaning != "text":
        return None
    points_back = sources.referent is not None and not reading.of("quoted") and refers_back(reading)
    if points_back and slot.meaning in ("text", "any", "summary", "query", "answer"):
        return sources.referent
    match slot.meaning:
        case "expression":
            return _expression(reading.text)
        case "reason":
            return extract.without_politeness(reading.text)
        case "query":
            about = slot.words & {"topic", "subject", "about", "them"}
            subject = extract.subject_of(reading, sources.command) if about else None
            return subject or extract.asked_text(reading, sources.command | slot.words)
        case "any":
            entity = best_entity(reading, slot, sources.used, sources.command)
            if entity is not None:
                sources.used.add((entity.start, entity.end))
                return entity.text
            if not reading.of("quoted"):
                return _title(sources, reading, slot)
    return _without_taken(sources, extract.message_text(reading, sources.command, whole=True))


def _without_taken(sources: Sources, text: str | None) -> str | None:
    """Cut dates, times and addresses off the end of a text, where another argument has them already."""
    candidates = {entity.text for entity in sources.clause.of("date", "time", "email")}
    taken = candidates & {sources.clause.text[start:end] for start, end in sources.used}
    shorter = True
    while text and shorter:
        shorter = False
        for value in taken:
            bare = text.rstrip(" .!?")
            if bare.endswith(value) and len(bare) > len(value) + 3:
                text = _LOOSE_END.sub("", bare[: -len(value)])
                shorter = True
    return text


def _title(sources: Sources, reading: Reading, slot: Slot) -> str | None:
    if slot.is_event:
        return extract.event_title(reading)
    if slot.schema.name.lower().endswith("subject"):
        about = extract.subject_of(reading, frozenset())
        if about or sources.referent:
            return about or extract.first_sentence(sources.referent or "")[:80]
    empty = sources.command | slot.words | GENERIC
    for phrase in reading.noun_phrases:
        telling = [word for word in words(phrase.text) if word.endswith("ing") or stem(word) not in empty]
        if telling and (phrase.start, phrase.end) not in sources.used:
            sources.used.add((phrase.start, phrase.end))
            return " ".join(w for w in words(phrase.text) if stem(w) not in sources.command)
    return extract.asked_text(reading, sources.command) if slot.required else None


def said(sources: Sources, entity: Entity, slot: Slot) -> str:
    """Return what an entity says, in the form that the slot wants: ISO dates, language codes, names in capitals."""
    form = slot.schema.body.get("format") or next((v.body.get("format") for v in slot.schema.variants), None)
    clause = sources.clause
    match form:
        case "date":
            return iso_date(entity.text, _today(sources))
        case "time":
            return iso_time(entity.text)
        case "date-time":
            dates, times = clause.of("date"), clause.of("time")
            day = iso_date(dates[0].text if dates else "", _today(sources))
            return f"{day}T{iso_time(times[0].text) if times else '00:00:00'}Z"
    if slot.meaning == "datetime" and entity.kind == "date":
        following = next((time for time in clause.of("time") if 0 <= time.start - entity.end <= 4), None)
        if following is not None:
            return clause.text[entity.start : following.end]
    if slot.meaning == "language" and slot.wide_words & {"code", "iso"}:
        return language_code(entity.text) or entity.text
    if slot.meaning == "id":
        return entity.text.removeprefix("#")
    if entity.kind == "phrase" and slot.meaning in ("place", "person") and entity.text.islower():
        return entity.text.title()
    return entity.text


def _today(sources: Sources) -> date | None:
    return stated_today(sources.told) or stated_today(sources.whole.text)


def _expression(text: str) -> str | None:
    longest = max(_EXPRESSION.findall(text), key=len, default="").strip().rstrip(".,=")
    return longest if re.search(r"\d\s*[-+*/×÷^%]|\*\*", longest) else None
