"""What a parameter is for, read from its name, its description and what holds it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from .lexicon import groups_of
from .schemas import Schema
from .words import identifier_words, stem, stem_set, stems, word_set

__all__ = ["FROM_WORDS", "TO_WORDS", "Slot", "slot_of"]

_BY_NAME: dict[str, str] = {
    word: meaning
    for meaning, text in {
        "email": "email mail emails cc bcc",
        "url": "url link website uri href webpage urls links",
        "path": "path file filename filepath directory folder paths files dir",
        "phone": "phone telephone mobile cell",
        "date": "date day deadline due birthday birthdate dob checkin checkout dates weekday",
        "time": "time hour hours",
        "datetime": "datetime timestamp when",
        "language": "language lang locale languages idiom",
        "currency": "currency currencies",
        "place": """
            city location place town country destination origin region state area venue airport where departure
            arrival locations cities places countries destinations county village district neighborhood
        """,
        "street": "street address line1 road",
        "postcode": "zip zipcode postcode postal",
        "person": """
            person author recipient sender participant participants attendee attendees guest guests user customer
            employee contact who owner assignee artist actor director patient friend friends invitee invitees
            speaker people persons members member names student teacher passenger passengers username client host
            surname firstname lastname players team to
        """,
        "id": "id ids code reference sku isbn key identifier uuid number account ticket",
        "query": """
            query q question search keyword keywords term terms topic topics subject about theme prompt phrase
            queries
        """,
        "name": "symbol ticker company",
        "text": """
            text message body content input sentence paragraph document note notes comment statement review request
            original msg source transcript passage quote
        """,
        "title": """
            title name event label heading task item product dish object subjectline headline goal problem items
            products tasks ingredient ingredients genre movie book song category animal color colour food
        """,
        "expression": "expression formula equation calculation",
        "reason": "reason reasoning explanation rationale why justification evidence analysis thoughts thinking",
        "answer": "answer response reply output result solution conclusion final story poem joke report translation",
        "summary": "summary description overview abstract details tldr synopsis",
        "tags": "tags labels entities tag",
        "unit": "unit units scale system",
        "number": """
            count amount quantity total price cost age score rating percent percentage rate year minutes seconds
            nights days weeks months years temperature weight height width length size limit n a b x y num max min
        """,
    }.items()
    for word in text.split()
}
FROM_WORDS = word_set("from leaving departing de desde depuis von da off")
"""Words before where something comes from."""

TO_WORDS = word_set("to towards toward into reaching hacia vers nach hasta zu")
"""Words before where something goes to."""

_ORIGIN = stem_set("from origin source departure start begin pickup base old sender")
_TARGET = stem_set("to destination target arrival end dropoff into new recipient goal")
_LOW = stem_set("from start begin min minimum low lower lo first least after begin")
_HIGH = stem_set("to end stop max maximum high upper hi last most before until limit")
_PEOPLE = stem_set("person user customer human employee people attendee contact author guest")
_EVENTS = stem_set("event calendar meeting appointment schedule occasion")


@dataclass(frozen=True)
class Slot:
    """A place for one value, and what is known of what belongs there."""

    schema: Schema
    meaning: str
    """One of the meanings above, or `"any"`."""

    words: frozenset[str]
    """Stems of the name."""

    wide_words: frozenset[str]
    """Stems of the name and the description, and the groups of near-synonyms of the name's."""

    context: frozenset[str]
    """Stems of what holds it: the tool, the parent property, the schema's title."""

    required: bool
    """It must have a value that isn't null."""

    @property
    def is_origin(self) -> bool:
        """Where something comes from: `origin`, `from_city`."""
        return bool(self.words & _ORIGIN)

    @property
    def is_target(self) -> bool:
        """Where something goes to: `destination`, `to_language`."""
        return bool(self.words & _TARGET)

    @property
    def is_low(self) -> bool:
        """The lower end of a range."""
        return bool(self.words & _LOW)

    @property
    def is_high(self) -> bool:
        """The upper end of a range."""
        return bool(self.words & _HIGH)

    @property
    def is_event(self) -> bool:
        """It names something that takes place."""
        return bool((self.words | self.context) & _EVENTS)


@lru_cache(maxsize=2048)
def _meaning(name: str, description: str, form: str, context: frozenset[str]) -> str:
    by_format = {"date": "date", "date-time": "datetime", "time": "time", "email": "email", "uri": "url"}.get(form)
    if by_format:
        return by_format
    parts = identifier_words(name)
    whole = _BY_NAME.get("".join(parts))
    if whole is not None and len(parts) > 1:
        return whole
    described = stems(description[:300])
    for word in reversed(parts):
        meaning = _BY_NAME.get(word)
        if meaning is None or (len(word) == 1 and len(parts) > 1):
            continue
        if word == "name":
            return _name_of_what(parts, described, context)
        if word in ("to", "recipient", "sender", "contact") and "email" in described:
            return "email"
        if word in ("to", "departure", "arrival") and not {"person", "city", "airport", "place"} & set(described):
            return "place" if word != "to" else "person"
        if word == "to" and {"city", "airport", "place", "locat"} & set(described):
            return "place"
        if word == "address" and not {"street", "hous", "ship", "deliv", "postal", "home"} & (
            set(described) | set(parts)
        ):
            return "email" if {"email", "mail"} & (set(described) | set(parts)) else "place"
        if word == "source" and stem("language") in described:
            return "language"
        if word == "subject" and {"email", "mail", "line"} & (set(described) | context):
            return "title"
        return meaning
    if parts and parts[-1] in ("from", "src", "start", "end"):
        for word in described:
            if word in ("city", "airport", "locat", "place"):
                return "place"
    for word in description.lower().split()[:14]:
        meaning = _BY_NAME.get(word.strip(".,:;()'\"`"))
        if meaning not in (None, "number", "answer", "reason") and word not in ("to", "about", "name", "item"):
            return str(meaning)
    return "any"


def _name_of_what(parts: tuple[str, ...], described: tuple[str, ...], context: frozenset[str]) -> str:
    said = {stem(part) for part in parts} | set(described)
    if said & _EVENTS:
        return "title"
    if said & _PEOPLE:
        return "person"
    for word in reversed(parts[:-1]):
        meaning = _BY_NAME.get(word)
        if meaning in ("place", "person", "language", "path", "currency"):
            return meaning
    if any(_BY_NAME.get(word) == "place" for word in described):
        return "place"
    if context & _EVENTS:
        return "title"
    if context & _PEOPLE:
        return "person"
    return "title" if len(parts) > 1 else "name"


def slot_of(schema: Schema, *, required: bool, context: frozenset[str]) -> Slot:
    """Return what the property that `schema` describes is for."""
    form = schema.body.get("format")
    names = frozenset(stem(word) for word in identifier_words(schema.name))
    described = frozenset(stems(schema.description[:500]))
    groups = frozenset(group for word in names for group in groups_of(word))
    if not form and schema.kind == "union":
        form = next((v.body["format"] for v in schema.variants if isinstance(v.body.get("format"), str)), None)
    return Slot(
        schema=schema,
        meaning=_meaning(schema.name, schema.description, form if isinstance(form, str) else "", context),
        words=names,
        wide_words=names | described | groups,
        context=context,
        required=required,
    )
