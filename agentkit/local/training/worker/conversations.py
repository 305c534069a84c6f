"""The conversations of a training line in the form that chat templates know.

OpenAI's form and that of the templates differ in the arguments of calls (a JSON text there, an object here), in texts
in parts, in the role "developer", and in what was called functions before there were tools.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Conversation", "ImagesError", "Message", "Pair", "conversation_of", "pair_of", "texts_of"]

Message = dict[str, Any]
"""A message as templates know it; JSON."""


class ImagesError(Exception):
    """A line has images, which the model can't see."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a model reads and learns of a line."""

    messages: list[Message]
    """As templates know them."""
    tools: list[dict[str, Any]] | None
    learnt: frozenset[int]
    """Indexes of the messages that are learnt: the assistant's, but for those of weight 0."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one conversation."""

    messages: list[Message]
    """What they answer, without a trained message."""
    tools: list[dict[str, Any]] | None
    chosen: Message
    rejected: Message


def conversation_of(line: dict[str, Any]) -> Conversation:
    """Return the conversation of a line that was checked.

    Raises:
        ImagesError: It has images.
    """
    given = line["messages"]
    learnt = frozenset(
        index
        for index, message in enumerate(given)
        if message["role"] == "assistant" and message.get("weight") != 0  # 1 where it isn't said
    )
    return Conversation([_message(each) for each in given], _tools(line), learnt)


def pair_of(line: dict[str, Any]) -> Pair:
    """Return the pair of a line that was checked.

    Raises:
        ImagesError: It has images.
    """
    given = line["input"]
    return Pair(
        [_message(each) for each in given["messages"]],
        _tools(given),
        _message(line["preferred_output"][0]),
        _message(line["non_preferred_output"][0]),
    )


def texts_of(line: dict[str, Any]) -> Iterator[str]:
    """Yield the texts of a line, for a tokenizer to be trained on: what is said, and what templates write of tools."""
    if "messages" in line:
        conversation = conversation_of(line)
        messages, tools = conversation.messages, conversation.tools
    else:
        pair = pair_of(line)
        messages, tools = [*pair.messages, pair.chosen, pair.rejected], pair.tools
    for message in messages:
        yield message["content"]
        for call in message.get("tool_calls", ()):
            yield json.dumps(call["function"], ensure_ascii=False)
    for tool in tools or ():
        yield json.dumps(tool, ensure_ascii=False)


def _message(given: dict[str, Any]) -> Message:
    role = given["role"]
    message: Message = {"role": {"developer": "system", "function": "tool"}.get(role, role)}
    message["content"] = _text(given.get("content")) or given.get("refusal") or ""
    if "name" in given:
        message["name"] = given["name"]
    if "tool_call_id" in given:
        message["tool_call_id"] = given["tool_call_id"]
    calls = given.get("tool_calls") or []
    if given.get("function_call"):
        calls = [{"type": "function", "function": given["function_call"]}]
    if calls:
        message["tool_calls"] = [_call(each) for each in calls]
    return message


def _text(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    parts = []
    for part in content:
        if part["type"] == "image_url":
            raise ImagesError
        parts.append(part.get("text") or part.get("refusal") or "")
    return "\n".join(parts)


def _call(given: dict[str, Any]) -> dict[str, Any]:
    function = given["function"]
    arguments = function.get("arguments") or "{}"
    try:
        parsed = json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        parsed = arguments
    call = {"type": "function", "function": {"name": function["name"], "arguments": parsed}}
    return {"id": given["id"], **call} if "id" in given else call


def _tools(given: dict[str, Any]) -> list[dict[str, Any]] | None:
    tools = given.get("tools") or [{"type": "function", "function": each} for each in given.get("functions") or ()]
    return tools or None
