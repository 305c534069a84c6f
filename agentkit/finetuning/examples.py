"""What an example asks and answers, however it is written."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

__all__ = [
    "Said",
    "answer_of",
    "answers_of",
    "fingerprint",
    "is_refusal",
    "messages_of",
    "prompt_of",
    "spoken",
    "system_of",
    "texts_of",
]

JSON = Any  # what a user may have put there
Line = dict[str, JSON]


def messages_of(line: Line) -> list[Line]:
    """Return what is said before a pair's answers, or all that is said in a conversation."""
    holder = line.get("input") if isinstance(line.get("input"), dict) else line
    given = holder.get("messages") if isinstance(holder, dict) else None
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def prompt_of(line: Line) -> list[Line]:
    """Return the messages before the last answer."""
    messages = messages_of(line)
    if "input" not in line and messages and messages[-1].get("role") == "assistant":
        return messages[:-1]
    return messages


def answers_of(line: Line) -> list[Line]:
    """Return the last answer of a conversation, or the liked and the disliked one of a pair."""
    if "input" in line or "preferred_output" in line:
        outputs = (line.get(name) for name in ("preferred_output", "non_preferred_output"))
        return [each[0] if isinstance(each, list) and each and isinstance(each[0], dict) else {} for each in outputs]
    messages = messages_of(line)
    return messages[-1:] if messages and messages[-1].get("role") == "assistant" else []


def answer_of(line: Line) -> str:
    """Return the text of the last answer, of a pair the liked one; a call of a tool as "name(arguments)"."""
    answers = answers_of(line)
    return spoken(answers[0]) if answers else ""


def system_of(line: Line) -> str | None:
    """Return what the model is told to be; None where it isn't told."""
    told = [spoken(each) for each in messages_of(line) if each.get("role") in ("system", "developer")]
    return "\n".join(told) if told else None


def spoken(message: Line) -> str:
    """Return the text of a message, and the calls in it."""
    content = message.get("content")
    parts = [content] if isinstance(content, str) else []
    if isinstance(content, list):
        parts += [_part(each) for each in content]
    if isinstance(refusal := message.get("refusal"), str):
        parts.append(refusal)
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            parts.append(f"{function.get('name')}({function.get('arguments')})")
    return "\n".join(parts)


def _part(part: JSON) -> str:
    if isinstance(part, dict):
        if isinstance(text := part.get("text"), str):
            return text
        if part.get("type") == "image_url":
            image = part.get("image_url")
            url = image.get("url") if isinstance(image, dict) else None
            named = isinstance(url, str) and not url.startswith("data:")
            return f"[image {url}]" if named else f"[image {fingerprint(url).hex()}]"
    return ""


class Said(NamedTuple):
    """Something that is said in an example."""

    field: str
    """Where it is, such as "messages[0].content"."""
    role: JSON
    """Who says it."""
    text: str
    """What is said, and what is called."""


def texts_of(line: Line) -> Iterator[Said]:
    """Yield all that is said."""
    pairs = "input" in line
    before = "input.messages" if pairs else "messages"
    for index, message in enumerate(messages_of(line)):
        yield Said(f"{before}[{index}].content", message.get("role"), spoken(message))
    if pairs:
        for name, answer in zip(("preferred_output", "non_preferred_output"), answers_of(line), strict=True):
            yield Said(f"{name}[0].content", "assistant", spoken(answer))


def fingerprint(value: JSON) -> bytes:
    """Return 8 bytes that are the same for JSON that says the same, whatever the order of its keys and its weights."""
    text = _ENCODER.encode(value)
    if '"weight"' in text:
        text = _ENCODER.encode(_plain(value))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: JSON) -> JSON:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if key != "weight"}
    return value


_REFUSAL = re.compile(
    r"\W{0,3}(?:(?:i'?m|i am) (?:(?:very |really |so |truly )?sorry|afraid|unable|not able)\b"
    r"|sorry\b|(?:unfortunately,? )?(?:i|we) (?:can'?t|cannot|can not|won'?t|will not|am unable|do(?: not|n'?t) have)\b"
    r"|as an ai\b|i(?:'m| am) just an ai\b|i must decline\b"
    r"|(?:es tut mir |tut mir )?leid(?:er)?\b|ich kann (?:leider |das |dir |ihnen |dabei )*nicht\b"
    r"|(?:je suis )?désolée?\b|je ne peux pas\b|lo siento\b|no puedo\b)"
)


def is_refusal(answer: str) -> bool:
    """Return whether an answer begins as those do that refuse, in English, German, French or Spanish."""
    return _REFUSAL.match(answer[:80].lower().replace("’", "'")) is not None
