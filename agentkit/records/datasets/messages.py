"""A part of a run as messages of Chat Completions, which is what training data are made of."""

from __future__ import annotations

from typing import Any

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.models.chat_messages import encode_messages
from agentkit.records.datasets.left_out import LeftOutError
from agentkit.records.datasets.parts import Part

__all__ = ["Said", "has_images", "numbered", "said_in", "said_text"]

Message = dict[str, Any]
Item = dict[str, Any]


class Said:
    """The messages of a part."""

    def __init__(self, told: list[Message], own: list[Message]) -> None:
        self.told = told
        """What the model was told before its first answer here: instructions, history, the question."""
        self.own = own
        """What followed: its answers, and what tools gave back. The last one is an answer."""

    @property
    def all(self) -> list[Message]:
        """Both."""
        return [*self.told, *self.own]


def said_in(part: Part, *, tools: bool, images: bool) -> Said:
    """Return a part's messages. Calls are numbered, `call_1` and so on: their ids tell nothing.

    Args:
        part: The part.
        tools: Whether tools may have been called in it.
        images: Whether there may be images in it.

    Raises:
        LeftOutError: It can't be an example.
    """
    items = numbered(part.items)
    own_from = part.own_from - sum(item.get("type") == "reasoning" for item in part.items[: part.own_from])
    system = [{"role": "system", "content": part.instructions}] if part.instructions else []
    told = [*system, *map(_without_refusal, _encoded(items[:own_from]))]
    own = _encoded(items[own_from:])
    _check(told, own, tools=tools, images=images)
    return Said(told, own)


def has_images(messages: list[Message]) -> bool:
    """Return whether there is an image in messages."""
    return any(part["type"] == "image_url" for message in messages for part in _parts(message))


def said_text(message: Message) -> str | None:
    """Return the text of an assistant's message; None where it calls a tool instead, or says nothing."""
    content = message.get("content")
    return content if isinstance(content, str) and content and not message.get("tool_calls") else None


def numbered(items: list[Item]) -> list[Item]:
    """Return items without what the model thought, and calls with numbers for ids: the ids tell nothing."""
    items = [item for item in items if item.get("type") != "reasoning"]
    numbers: dict[str, str] = {}
    return [
        {**item, "call_id": numbers.setdefault(str(item["call_id"]), f"call_{len(numbers) + 1}")}
        if "call_id" in item
        else item
        for item in items
    ]


def _encoded(items: list[Item]) -> list[Message]:
    try:
        messages: list[Message] = _json.loads(encode_messages(None, items))
    except UserError as error:
        raise LeftOutError("files", f"It has content that the format has no place for ({error}).") from None
    except (KeyError, TypeError, AttributeError) as error:  # what somebody's own model or session made
        raise LeftOutError("other items", f"An item of it isn't as the API has it ({type(error).__name__}).") from None
    return [_plain(message) for message in messages]


def _plain(message: Message) -> Message:
    """Return a message as training takes it: "system" for "developer", no empty content, text as text."""
    content = message.get("content")
    if isinstance(content, list):
        content = [_detailed(part) for part in content]
        if len(content) == 1 and content[0]["type"] == "text":
            content = content[0]["text"]
    role = "system" if message["role"] == "developer" else message["role"]
    rest = {key: value for key, value in message.items() if key not in ("role", "content")}
    return {"role": role, **({} if content is None else {"content": content}), **rest}


def _detailed(part: Message) -> Message:
    """Return a part of a message; an image at a detail that training knows."""
    if part["type"] != "image_url" or part["image_url"].get("detail") in ("low", "high", "auto"):
        return part
    return {**part, "image_url": {**part["image_url"], "detail": "high"}}


def _without_refusal(message: Message) -> Message:
    """Return a message of the history in which the text of a refusal is text like any other."""
    if "refusal" not in message:
        return message
    said = "\n".join(text for text in (message.get("content"), message["refusal"]) if text)
    return {**{key: value for key, value in message.items() if key != "refusal"}, "content": said}


def _check(told: list[Message], own: list[Message], *, tools: bool, images: bool) -> None:
    messages = [*told, *own]
    answers = [message for message in own if message["role"] == "assistant"]
    if (
        not answers
        or own[-1] is not answers[-1]
        or not (own[-1].get("content") or _calls(own[-1]) or "refusal" in own[-1])
    ):
        raise LeftOutError("no answer", "The model said nothing and called nothing.")
    if any("refusal" in message for message in answers):
        raise LeftOutError("refusal", "The model refused.")
    if not any(message["role"] in ("user", "tool") for message in told):
        raise LeftOutError("no question", "Nothing was said to the model before it answered.")
    if not tools and any(_calls(message) for message in messages):
        raise LeftOutError("tool calls", "Tools were called in it, and tools=False leaves such runs out.")
    if not images and has_images(messages):
        raise LeftOutError("images", "It has images, and such examples are to be left out.")
    if any(part["type"] not in ("text", "image_url") for message in messages for part in _parts(message)):
        raise LeftOutError("files", "It has a file or sound, which the format has no place for.")
    _check_answered(messages)


def _check_answered(messages: list[Message]) -> None:
    """Look whether each tool call has its output; those of the last message needn't."""
    waiting: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                raise LeftOutError("tool output without call", "A tool's output has no call before it.")
            waiting.discard(message["tool_call_id"])
            continue
        if waiting:
            raise LeftOutError("tool call without output", "A tool was called and its output isn't there.")
        waiting = {call["id"] for call in _calls(message)}


def _calls(message: Message) -> list[Message]:
    calls: list[Message] = message.get("tool_calls") or []
    return calls


def _parts(message: Message) -> list[Message]:
    content = message.get("content")
    return content if isinstance(content, list) else []
