"""Numbers for schemas: all numeric properties of an object together, so that order and cues can tell them apart."""

from __future__ import annotations

from .matching import MONEY_WORDS
from .meaning import Slot
from .number_matching import assign_numbers, is_unit
from .places import COORDINATES
from .reading import Entity
from .schemas import Schema, fits
from .sources import MISSING, Sources, told_before
from .words import stem

__all__ = ["bounded", "fill_numbers", "is_numeric"]


def is_numeric(schema: Schema) -> bool:
    """Return whether a schema takes numbers, alone or beside null."""
    kinds = {option.kind for option in schema.variants} or {schema.kind}
    return bool(kinds & {"integer", "number"}) and "const" not in schema.body


def fill_numbers(sources: Sources, slots: dict[str, Slot]) -> dict[str, int | float]:
    """Return a number for each of the numeric slots that one is found for.

    Args:
        sources: Where numbers come from; those that are used are marked as taken.
        slots: The slots of one object by name; those that take no numbers are passed over.
    """
    rest = {name: slot for name, slot in slots.items() if is_numeric(slot.schema)}
    if not rest:
        return {}
    found = {
        name: told for name, slot in rest.items() if (told := told_before(sources, slot, exact=True)) is not MISSING
    }
    found.update(_coordinates(sources, {name: slot for name, slot in rest.items() if name not in found}))
    rest = {name: slot for name, slot in rest.items() if name not in found}
    for reading in sources.readings:
        assigned = assign_numbers(reading, rest, sources.used, strict=sources.judge is not None)
        for name, entity in assigned.items():
            value = bounded(sources, entity.value, rest[name].schema)
            if value is not None:
                found[name] = value
                if reading is sources.clause:
                    sources.used.add((entity.start, entity.end))
                    _take_unit(sources, entity, rest[name])
        rest = {name: slot for name, slot in rest.items() if name not in found}
        if not rest:
            break
    if sources.judge is not None:
        for name, slot in rest.items():
            value = bounded(sources, sources.judge.number(slot), slot.schema)
            if value is not None:
                found[name] = value
    return found


def bounded(sources: Sources, value: int | float | None, schema: Schema) -> int | float | None:
    """Return `value` if `schema` takes it; brought within its bounds where something has to be given; else None."""
    if value is None:
        return None
    kinds = {option.kind for option in schema.variants} or {schema.kind}
    if "number" not in kinds and (sources.judge is not None or float(value).is_integer()):
        value = round(value)
    if fits(value, schema):
        return value
    if sources.judge is None and not sources.forced:
        return None
    low, high = schema.number("minimum"), schema.number("maximum")
    value = max(value, low) if low is not None else value
    value = min(value, high) if high is not None else value
    return value if fits(value, schema) else None


def _take_unit(sources: Sources, entity: Entity, slot: Slot) -> None:
    """Mark the noun behind a number as taken where it only says what is counted ("30 minutes")."""
    for phrase in sources.clause.noun_phrases:
        follows = 0 <= phrase.start - entity.end <= 2 and " " not in phrase.text
        money = bool(entity.mark) or phrase.text.lower() in MONEY_WORDS  # a currency may be asked for as well
        if follows and not money and is_unit(stem(phrase.text), slot):
            sources.used.add((phrase.start, phrase.end))


def _coordinates(sources: Sources, slots: dict[str, Slot]) -> dict[str, float]:
    """Return latitude and longitude of a city that the request names, where such are asked for."""
    axes = {name: _axis(slot) for name, slot in slots.items()}
    if not {"lat", "long"} <= set(axes.values()) or len(sources.clause.of("number")) >= 2:
        return {}
    for entity in sources.clause.of("proper"):
        place = COORDINATES.get(entity.text.split(",")[0].lower())
        if place is not None:
            return {name: place[0 if axis == "lat" else 1] for name, axis in axes.items() if axis}
    return {}


def _axis(slot: Slot) -> str:
    names = {*slot.words, slot.schema.name.lower()}
    if names & {"lat", "latitud", "latitude"}:
        return "lat"
    return "long" if names & {"lon", "lng", "long", "longitud", "longitude"} else ""
