"""Answers that have to follow a JSON schema."""

from __future__ import annotations

import json
from typing import Any

from .answers import Writer
from .conversation import Conversation
from .facts import facts_of_result
from .fill import Filler
from .judge import RequestJudge
from .meaning import slot_of
from .reading import Reading
from .rules import Rules
from .schemas import fits, least
from .sources import MISSING, Sources
from .words import stem, stem_set

__all__ = ["fill_answer"]

_CREATES = stem_set("""
    write extract create generate make give tell get find classify analyze analyse summarize list plan describe
    parse schema json object structured output event calendar please text following check outline turn into
""")


def fill_answer(conversation: Conversation, rules: Rules, writer: Writer) -> str:
    """Return the JSON text of an answer of the wanted shape, always valid against the schema."""
    facts = [fact for call in reversed(conversation.results) for fact in facts_of_result(call)]
    if conversation.output_schema is None:
        return json.dumps(_free_object(conversation, writer), ensure_ascii=False)
    schema = conversation.output_schema
    reading = _source(conversation)
    sources = Sources(
        clause=reading,
        whole=reading,
        facts=facts,
        command=_CREATES,
        told=conversation.instructions,
        judge=RequestJudge(reading, rules, writer.answer),
    )
    context = frozenset(stem(word) for word in Reading(conversation.instructions[:600]).stems & _HINTS)
    slot = slot_of(schema, required=True, context=context)
    value = Filler(sources).value(slot)
    if value is MISSING or not fits(value, schema):
        value = least(schema)
    return json.dumps(value, ensure_ascii=False)


_HINTS = stem_set("event events calendar meeting appointment person people user customer contact")


def _source(conversation: Conversation) -> Reading:
    """Return the text that the answer is taken from.

    It is the request, with the files that came with it, or with the results where the request is a bare order.
    """
    request = conversation.request
    texts = [
        call.output for call in conversation.results if call.output and not call.output.lstrip().startswith(("{", "["))
    ]
    if conversation.documents:
        return Reading("\n".join([request.text, *(document.text for document in conversation.documents)]))
    if texts and len(request.tokens) < 40:
        return Reading("\n".join([request.text, *texts]))
    if not request.text.strip() and conversation.instructions:
        return conversation.told
    return request


def _free_object(conversation: Conversation, writer: Writer) -> dict[str, Any]:
    """Return a JSON object for `json_object`: what the request mentions, else the answer in words."""
    request = conversation.request
    kinds = {"name": "proper", "date": "date", "time": "time", "email": "email", "number": "number", "url": "url"}
    found: dict[str, Any] = {}
    for name, kind in kinds.items():
        said = [entity.value if kind == "number" else entity.text for entity in request.of(kind)]
        if said:
            found[name if len(said) == 1 else f"{name}s"] = said[0] if len(said) == 1 else said
    if conversation.results or not found or request.text.rstrip().endswith("?"):
        return {"answer": writer.answer()}
    return found
