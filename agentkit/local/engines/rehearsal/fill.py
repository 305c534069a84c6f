"""Values for a JSON schema, taken from a request: by what each property means, and by the words around each value."""

from __future__ import annotations

import re
from typing import Any

from . import extract
from .choices import choice_by_cue, mentioned_choices, names_choice
from .fill_numbers import bounded, fill_numbers
from .fill_strings import fill_string, said
from .lexicon import GENERIC, NEGATIONS, groups_of
from .matching import best_entity
from .meaning import Slot, slot_of
from .reading import Entity, Reading
from .schemas import MAX_DEPTH, Schema, fits, least
from .sources import MISSING, Sources, told_before
from .words import fold, stem, words

__all__ = ["Filler"]

_LATE = {"title": 6, "name": 6, "tags": 7, "query": 8, "text": 8, "any": 8, "expression": 8, "summary": 9, "answer": 9}
_EARLY = {
    "street": 2,
    "postcode": 3,
    "email": 2,
    "url": 2,
    "path": 2,
    "phone": 2,
    "id": 3,
    "date": 2,
    "datetime": 2,
    "time": 2,
    "language": 2,
    "currency": 2,
}


class Filler:
    """Fills schemas from one set of sources.

    Args:
        sources: Where values come from. Values are taken once, as far as there are others.
    """

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.missing: list[Slot] = []
        self._budget = 400
        self._chosen: set[str] = set()

    def fill(self, schema: Schema, context: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Return the object that `schema` describes; what couldn't be found is left out and listed in `missing`."""
        return self._object(schema, context, required=True) or {}

    def value(self, slot: Slot) -> Any:
        """Return a value for `slot`, or MISSING."""
        self._budget -= 1
        if self._budget < 0 or slot.schema.depth > MAX_DEPTH:
            return MISSING
        schema = slot.schema
        if "const" in schema.body:
            return schema.body["const"]
        match schema.kind:
            case "enum":
                return self._enum(slot)
            case "boolean":
                return self._boolean(slot)
            case "integer" | "number":
                return fill_numbers(self.sources, {"": slot}).get("", MISSING)
            case "array":
                return self._array(slot)
            case "object":
                found = self._object(schema, slot.context | slot.words, required=slot.required)
                return MISSING if found is None else found
            case "union":
                return self._union(slot)
            case "null":
                return None
        found_text = fill_string(self.sources, slot)
        return MISSING if found_text is None else found_text

    # objects

    def _object(self, schema: Schema, context: frozenset[str], *, required: bool) -> dict[str, Any] | None:
        title = schema.body.get("title")
        context = context | (frozenset(stem(w) for w in words(title)) if isinstance(title, str) else frozenset())
        slots = {
            name: slot_of(inner, required=name in schema.required and not inner.nullable, context=context)
            for name, inner in schema.properties.items()
        }
        found: dict[str, Any] = {**fill_numbers(self.sources, slots)}
        for name in sorted(slots, key=lambda name: self._turn(slots[name])):
            if name not in found:
                known_missing = len(self.missing)
                value = self.value(slots[name])
                if value is not MISSING and (value is None or fits(value, slots[name].schema)):
                    found[name] = value
                else:
                    del self.missing[known_missing:]  # the whole is asked for, not its parts
        if not required and not found:
            return None
        if (
            not required
            and self.sources.judge is None
            and not any(slot.required and name in found for name, slot in slots.items())
            and any(slot.required for slot in slots.values())
        ):
            return None
        self._complete(schema, slots, found)
        return {name: found[name] for name in slots if name in found}

    def _turn(self, slot: Slot) -> int:
        """When a property is filled: values that are easy to tell first, whatever is left over last."""
        schema = slot.schema
        if slot.meaning == "reason":
            return 11
        kind = schema.variants[0].kind if schema.kind == "union" and len(schema.variants) == 1 else schema.kind
        if kind in ("enum", "boolean"):
            return 1
        if kind == "object":
            return 7
        if kind == "array":
            return 8 if slot.meaning not in ("person", "email", "date") else 4
        turn = _EARLY.get(slot.meaning) or _LATE.get(slot.meaning, 5)
        return turn + (0 if slot.required else 1)

    def _complete(self, schema: Schema, slots: dict[str, Slot], found: dict[str, Any]) -> None:
        """Give the properties that must be there and weren't found null, a default, or note them as missing."""
        for name, slot in slots.items():
            if name in found or name not in schema.required:
                continue
            body = slot.schema.body
            if "default" in body and fits(body["default"], slot.schema):
                found[name] = body["default"]
            elif slot.schema.nullable:
                found[name] = None
            elif (told := told_before(self.sources, slot, exact=False)) is not MISSING:
                found[name] = told
            elif self.sources.judge is not None or self.sources.forced:
                found[name] = self._last_resort(slot)
            else:
                self.missing.append(slot)

    def _last_resort(self, slot: Slot) -> Any:
        if slot.schema.kind in ("string", "any"):
            text = self.sources.clause.text.strip()
            for candidate in (text, text[:80], ""):
                if candidate and slot.meaning in ("query", "text", "any") and fits(candidate, slot.schema):
                    return candidate
        return least(slot.schema)

    def _union(self, slot: Slot) -> Any:
        options = slot.schema.variants
        ranked = sorted(options, key=lambda option: {"null": 9, "any": 8, "string": 5}.get(option.kind, 1))
        for option in ranked:
            inner = Slot(
                option, slot.meaning, slot.words, slot.wide_words, slot.context, slot.required and len(options) == 1
            )
            value = self.value(inner)
            if value is not MISSING and fits(value, option):
                return value
        return MISSING

    # choices

    def _enum(self, slot: Slot) -> Any:
        choices = [choice for choice in slot.schema.choices if choice is not None]
        told = told_before(self.sources, slot, exact=True)
        if told in choices:
            return told
        for reading in (self.sources.clause, self.sources.whole):
            said = choice_by_cue(reading, choices, slot, self._chosen)
            if said is not None:
                self._chosen.add(str(said))
                self._take_named(str(said))
                return said
        if self.sources.judge is not None and choices:
            return self.sources.judge.choice(slot, choices)
        if "default" in slot.schema.body or not slot.required or not choices:
            return MISSING
        return choices[0] if len(choices) == 1 or self.sources.forced else MISSING

    def _take_named(self, choice: str) -> None:
        """Mark a name or noun as taken that is only the choice ("in Fahrenheit")."""
        reading = self.sources.clause
        for entity in [*reading.of("proper"), *reading.noun_phrases]:
            if all(names_choice(stem(word), choice) for word in words(entity.text)):
                self.sources.used.add((entity.start, entity.end))

    def _boolean(self, slot: Slot) -> Any:
        told = told_before(self.sources, slot, exact=True)
        if isinstance(told, bool):
            return told
        if self.sources.judge is not None:
            return self.sources.judge.boolean(slot)
        said = _said_boolean(self.sources.clause, slot)
        if said is not None:
            return said
        if "default" in slot.schema.body or not slot.required or slot.schema.nullable:
            return MISSING
        return False

    # lists

    def _array(self, slot: Slot) -> Any:
        items = slot.schema.items
        told = told_before(self.sources, slot, exact=True)
        if isinstance(told, list) and fits(told, slot.schema):
            return told
        values = self._array_values(slot, items)
        values = [value for value in values if fits(value, items)]
        if slot.schema.body.get("uniqueItems") is True:
            values = [value for index, value in enumerate(values) if value not in values[:index]]
        most = slot.schema.number("maxItems")
        values = values[: int(most)] if most is not None else values[:200]
        if values or (slot.required and self.sources.judge is not None and not slot.schema.number("minItems")):
            return values
        return MISSING

    def _array_values(self, slot: Slot, items: Schema) -> list[Any]:
        sources, reading = self.sources, self.sources.clause
        if items.kind == "union" and len(items.variants) == 1:
            items = items.variants[0]  # nullable items are filled like others
        kind = items.kind
        if kind == "enum":
            said = mentioned_choices(reading, items.choices)
            if not said and sources.judge is not None and slot.required:
                said = [sources.judge.choice(slot, items.choices)]
            return said
        if kind in ("integer", "number"):
            entities = [e for e in reading.of("number") if (e.start, e.end) not in sources.used]
            sources.used.update((e.start, e.end) for e in entities)
            return [bounded(sources, entity.value, items) for entity in entities]
        if kind == "object":
            return self._objects(slot, items)
        if kind in ("string", "any"):
            return self._strings(slot, items)
        return []

    def _strings(self, slot: Slot, items: Schema) -> list[str]:
        reading, used = self.sources.clause, self.sources.used
        kinds = {"email": ("email",), "url": ("url",), "path": ("path",), "date": ("date",), "phone": ("phone",)}
        kinds |= {"person": ("proper",), "place": ("proper",), "language": ("language",)}
        wanted = kinds.get(slot.meaning)
        if wanted is not None:
            free = [e for e in reading.of(*wanted) if (e.start, e.end) not in used]
            if slot.meaning in ("person", "place"):
                free = [e for e in free if not best_is_other(reading, e, slot)]
            used.update((entity.start, entity.end) for entity in free)
            item_slot = slot_of(items, required=True, context=slot.context)
            dated = items.body.get("format") in ("date", "date-time", "time")
            return [said(self.sources, e, item_slot) if dated else e.text for e in free]
        listed = extract.listed_items(reading)
        if listed and (slot.required or slot.words & (reading.stems | self.sources.command)):
            return listed
        if self.sources.judge is not None:
            return self.sources.judge.listing(slot)
        if not slot.required:
            return []
        entity = best_entity(reading, slot, used, self.sources.command)
        if entity is not None:
            return [entity.text]
        return [extract.asked_text(reading, self.sources.command)]

    def _objects(self, slot: Slot, items: Schema) -> list[Any]:
        """Return one object for each part of the text that fills the item's required properties."""
        found: list[Any] = []
        for part in _parts(self.sources.clause):
            sources = Sources(part, part, command=self.sources.command, told=self.sources.told)
            filler = Filler(sources)
            filler._budget = self._budget // 4
            value = filler._object(items, slot.context | slot.words, required=True)
            numeric = [
                n for n, p in items.properties.items() if p.kind in ("integer", "number") and n in items.required
            ]
            if value and (not numeric or any(name in value for name in numeric) or not found):
                self._complete_item(items, value)
                if not filler.missing or self.sources.judge is not None:
                    found.append(value)
        self._budget -= 10 * len(found)
        return [value for value in found if fits(value, items)]

    def _complete_item(self, items: Schema, value: dict[str, Any]) -> None:
        if self.sources.judge is not None:
            for name in items.required - value.keys():
                if name in items.properties:
                    inner = items.properties[name]
                    value[name] = 1 if inner.kind == "integer" and fits(1, inner) else least(inner)


def best_is_other(reading: Reading, entity: Entity, slot: Slot) -> bool:
    """Return whether the word before a name says that it isn't what a list of people or places wants."""
    before = reading.before(entity.start)[:1]
    if slot.meaning == "person":
        return before in (["in"], ["at"], ["near"], ["from"])
    return before in (["with"], ["by"], ["named"], ["called"])


def _said_boolean(reading: Reading, slot: Slot) -> bool | None:
    """Return true where the request speaks of what the slot is called, false where it denies it, else None."""
    named = slot.words - GENERIC - {"is", "has", "us", "includ", "with", "enabl", "be", "should", "want"}
    switch = slot.words & {"enabl", "on", "activ", "state", "turn", "pow"}
    lower = f" {reading.lower} "
    if switch or not named:
        if any(f" {word} " in lower for word in ("off", "disable", "deactivate", "stop")):
            return False
        if any(f" {word} " in lower for word in ("on", "enable", "activate", "start")):
            return True
    for index, token in enumerate(reading.tokens):
        if token.stem in named or (
            groups_of(token.stem) & {g for w in named for g in groups_of(w)} and token.stem in slot.wide_words
        ):
            before = [fold(t.text) for t in reading.tokens[max(0, index - 3) : index]]
            return not any(word in NEGATIONS for word in before)
    return None


def _parts(reading: Reading) -> list[Reading]:
    text = reading.text
    colon = re.search(r":\s+(?=\S)", text)
    if colon is not None and colon.start() < 200:
        text = text[colon.end() :]
    pieces = re.split(r"\n\s*(?:[-*•]|\d+[.)])?\s*|;\s*|(?<=[.!?])\s+(?=[A-Z])", text)
    parts: list[Reading] = []
    for piece in pieces[:100]:
        inner = re.split(r",\s*(?:and\s+)?|\s+and\s+|\s+y\s+|\s+et\s+|\s+&\s+", piece)
        parts += [Reading(part) for part in inner[:100] if part.strip(" .!?")]
    return parts[:100]
