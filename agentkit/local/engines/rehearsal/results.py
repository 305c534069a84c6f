"""What tools returned, said in words."""

from __future__ import annotations

import re
from typing import Any

from .arithmetic import number_text
from .conversation import Call, Tool
from .facts import parsed
from .lexicon import GENERIC
from .meaning import slot_of
from .phrases import say
from .plan import looks_like_error
from .schemas import Schema, as_text
from .words import fold, identifier_words, stem, stem_set

__all__ = ["joined", "say_result", "stopped"]

_LONGEST_RESULT = 6_000

_SPEAKING = [("translate",), ("respond",), ("reply",), ("answer",), ("rephrase",), ("rewrite",)]
"""First words of the names of tools that return something to be said."""

_BESIDES = stem_set("priority level status urgency severity unit format mode kind type category")
"""What is said of a thing, and doesn't name it."""


def say_result(call: Call, language: str, tool: Tool | None = None) -> str:
    """Return what one call gave, as a sentence or as a list.

    Args:
        call: A call that has come back.
        language: ISO code of the language to say it in.
        tool: The tool that was called, where it is known.
    """
    output = (call.output or "").strip()
    if len(output) > _LONGEST_RESULT:
        output = f"{output[:_LONGEST_RESULT]}… ({len(call.output or ''):,} characters in all)"
    if looks_like_error(output):
        return stopped(say("failed", language, tool=call.name, value=_error_text(output)))
    value = parsed(output)
    if value is None or value in ("", "null"):
        return say("empty", language, tool=call.name)
    if isinstance(value, bool) or (
        isinstance(value, str) and fold(value.strip(".! ")) in ("ok", "done", "success", "sent", "true")
    ):
        return _yes_or_no(call, language, value)
    if isinstance(value, dict | list):
        return _structure(call, language, value, _subject(call.arguments, tool.parameters if tool else None))
    if isinstance(value, str) and _is_sentence(value):
        return stopped(value) if "\n" not in value else value
    return _value_sentence(call, language, as_text(value).strip(), tool)


def _yes_or_no(call: Call, language: str, value: bool | str) -> str:
    about = _noun(call.name)
    if value is False:
        return say("returned", language, tool=call.name, value="false.")
    if about and isinstance(value, bool) and identifier_words(call.name)[0] in ("is", "has", "can", "check"):
        return say("returned", language, tool=call.name, value="true.")
    return (
        say("done_value", language, tool=call.name, value=as_text(value))
        if isinstance(value, str)
        else say("done", language, tool=call.name)
    )


def _value_sentence(call: Call, language: str, value: str, tool: Tool | None) -> str:
    numbers = [v for v in call.arguments.values() if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) == len(call.arguments) and numbers and re.fullmatch(r"-?[\d.,]+(?:e[+-]?\d+)?", value):
        operation = _operation(call.name, [number_text(n) for n in numbers]) if language == "en" else None
        return operation.replace("{value}", value) if operation else say("result", language, value=value)
    if tuple(identifier_words(call.name)[:1]) in _SPEAKING:  # what such a tool returns is the answer itself
        return stopped(value)
    noun = _noun(call.name)
    if not noun:
        return say("result", language, value=value)
    found = _subject(call.arguments, tool.parameters if tool else None)
    value = value.rstrip(".")
    if found is None:
        return say("of", language, what=noun, value=value)
    name, subject = found
    slot = slot_of(Schema.of({"type": "string"}, name=name), required=True, context=frozenset())
    return say("of_in", language if slot.meaning == "place" else "of_for", what=noun, subject=subject, value=value)


def _subject(arguments: dict[str, Any], parameters: Schema | None, depth: int = 0) -> tuple[str, str] | None:
    """Return name and value of the first argument that names what a call was about; a choice among few doesn't."""
    for name, value in arguments.items():
        schema = parameters.properties.get(name) if parameters is not None else None
        if isinstance(value, dict) and depth < 3:
            if found := _subject(value, schema, depth + 1):
                return found
        elif isinstance(value, str) and 0 < len(value) <= 60:
            is_choice = schema is not None and any(s.kind == "enum" for s in (schema, *schema.variants))
            if not is_choice and stem(identifier_words(name)[-1] if identifier_words(name) else name) not in _BESIDES:
                return name, value
    return None


def _structure(call: Call, language: str, value: dict[str, Any] | list[Any], subject: tuple[str, str] | None) -> str:
    if not value:
        return say("empty", language, tool=call.name)
    about = subject[1] if subject else _noun(call.name) or call.name
    if isinstance(value, dict):
        if all(not isinstance(item, dict | list) for item in value.values()):
            return say("fields", language, what=about[:1].upper() + about[1:], value=_pairs(value))
        lines = [f"- {_label(key)}: {_flat(item)}" for key, item in list(value.items())[:50]]
        return "\n".join([f"{about[:1].upper()}{about[1:]}:", *lines])
    if all(not isinstance(item, dict | list) for item in value):
        listed = [as_text(item) for item in value[:200]]
        return say("returned", language, tool=call.name, value=joined(listed, say("and", language)) + ".")
    lines = [f"- {_flat(item)}" for item in value[:100]]
    return "\n".join([say("returned", language, tool=call.name, value=""), *lines]).replace(": \n", ":\n")


def _noun(name: str) -> str:
    """Return what a tool's name says that it gives: "weather" for `get_weather`."""
    words = [word for word in identifier_words(name) if stem(word) not in _LEADING and not word.isdigit()]
    if words and words[-1] in ("for", "of", "in", "by", "from"):
        words.pop()
    return " ".join(words)


_LEADING = (
    GENERIC - stem_set("name user number text data information customer message question answer time")
) | stem_set("calculate compute search send create convert count")


def _operation(name: str, numbers: list[str]) -> str | None:
    said = {
        "add": "The sum of {all} is {value}.",
        "sum": "The sum of {all} is {value}.",
        "plus": "The sum of {all} is {value}.",
        "multiply": "The product of {all} is {value}.",
        "product": "The product of {all} is {value}.",
        "subtract": "{a} minus {b} is {value}.",
        "divide": "{a} divided by {b} is {value}.",
        "power": "{a} to the power of {b} is {value}.",
    }
    words = identifier_words(name)
    line = next((said[word] for word in words if word in said), None)
    if line is None or ("{b}" in line and len(numbers) != 2) or len(numbers) < 2:
        return None
    filled = line.replace("{all}", joined(numbers, "and"))
    return filled.replace("{a}", numbers[0]).replace("{b}", numbers[-1])


def _is_sentence(text: str) -> bool:
    text = text.strip()
    return "\n" in text or len(text.split()) >= 4 or (text[-1:] in ".!?" and len(text.split()) >= 2)


def stopped(text: str) -> str:
    """Return `text` with a full stop, where it ends with nothing of the kind."""
    text = text.strip()
    return text if text[-1:] in ".!?…。！？)*`" else f"{text}."


def _error_text(output: str) -> str:
    value = parsed(output)
    if isinstance(value, dict):
        inner = value.get("error") or value.get("message")
        value = inner.get("message") if isinstance(inner, dict) else inner
    return (value if isinstance(value, str) else output).strip()[:600]


def _label(key: str) -> str:
    return " ".join(identifier_words(str(key))) or str(key)


def _pairs(value: dict[str, Any]) -> str:
    return ", ".join(f"{_label(key)} {as_text(item)}" for key, item in list(value.items())[:50])


def _flat(item: Any) -> str:
    if isinstance(item, dict) and all(not isinstance(v, dict | list) for v in item.values()):
        return _pairs(item)
    return as_text(item)[:1_000]


def joined(parts: list[str], word: str) -> str:
    """Return `parts` as a list in a sentence: "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"
