"""A streamed chat completion, as the events that the Responses API would have sent."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Any

from agentkit import _json
from agentkit.exceptions import ModelConnectionError
from agentkit.models.chat_items import (
    INCOMPLETE,
    arguments_text,
    call_item,
    message_item,
    new_id,
    reasoning_item,
    text_part,
    thought_of,
    usage_of,
)
from agentkit.models.chat_messages import text_of
from agentkit.models.stream import RawResponsesStreamEvent

__all__ = ["ChatStream"]

logger = logging.getLogger("openai.agents")

_TEXT_KEYS = {"output_text": "text", "reasoning_text": "text", "refusal": "refusal"}
"""Kinds of parts that arrive in pieces, and where each holds its text."""


@dataclass(slots=True)
class _OpenCall:
    """A call that is still arriving."""

    item: dict[str, Any]
    index: int | None
    has_id: bool
    """Whether the server gave the id."""
    given_id: str | None
    """The id that the server gave, which may not be the one it has here."""
    pieces: list[str] = field(default_factory=list)
    """Its arguments so far."""

    def is_whole(self) -> bool:
        """Return whether its arguments are a JSON object: what follows can't belong to it."""
        try:
            return isinstance(_json.loads("".join(self.pieces).encode()), dict)
        except ValueError:
            return False


class ChatStream:
    """Turns the chunks of one chat completion into events.

    Args:
        model: Name of the model that is asked, for the response that the events carry.
    """

    def __init__(self, model: str) -> None:
        self._asked = self._model = model
        self._id = ""
        self._sequence = 0
        self._items: list[dict[str, Any]] = []
        self._pieces: dict[str, list[list[str]]] = {}
        """By id of an item, for each of its parts the texts so far: joined once, at the end."""
        self._reasoning: dict[str, Any] | None = None
        self._message: dict[str, Any] | None = None
        self._calls: list[_OpenCall] = []
        self._usage: dict[str, Any] | None = None
        self._finish: str | None = None
        self._created_at = int(time.time())

    def feed(self, chunk: dict[str, Any]) -> list[RawResponsesStreamEvent]:
        """Return the events that a chunk brings."""
        events: list[RawResponsesStreamEvent] = []
        if not self._id:
            self._id = chunk.get("id") or new_id("chatcmpl")
            events += [
                self._event("response.created", response=self._response("in_progress")),
                self._event("response.in_progress", response=self._response("in_progress")),
            ]
        self._usage = chunk.get("usage") or self._usage
        self._model = chunk.get("model") or self._model
        for choice in chunk.get("choices") or ():
            self._finish = choice.get("finish_reason") or self._finish
            delta = choice.get("delta") or {}
            if thought := thought_of(delta):
                events += self._add_thought(thought)
            if text := text_of(delta.get("content")):
                events += self._add_said(text, "output_text")
            if refusal := delta.get("refusal"):
                events += self._add_said(refusal, "refusal")
            for call in delta.get("tool_calls") or ():
                events += self._add_call(call)
        return events

    def end(self) -> list[RawResponsesStreamEvent]:
        """Return the closing events: all that is open done, and the whole response.

        Raises:
            ModelConnectionError: Nothing had come.
        """
        if not self._id:
            raise ModelConnectionError("The model's stream ended before anything had come.", hint="Try again.")
        if self._finish is None:
            logger.warning("The chat completion of %s ended without a finish reason.", self._model)
        reason = INCOMPLETE.get(self._finish or "")
        status = "incomplete" if reason else "completed"
        events = [event for index, item in enumerate(self._items) for event in self._close(index, item, status)]
        response = self._response(status)
        if reason:
            response["incomplete_details"] = {"reason": reason}
        return [*events, self._event(f"response.{status}", response=response)]

    def _add_thought(self, thought: str) -> list[RawResponsesStreamEvent]:
        events = []
        if self._reasoning is None:
            self._reasoning = reasoning_item(self._id, "", self._asked) | {"status": "in_progress"}
            events.append(self._add_item(self._reasoning))
        return events + self._add_text(self._reasoning, thought, "reasoning_text")

    def _add_said(self, text: str, kind: str) -> list[RawResponsesStreamEvent]:
        events = []
        if self._message is None:
            self._message = message_item(f"msg_{self._id}", [], "in_progress")
            events.append(self._add_item(self._message))
        return events + self._add_text(self._message, text, kind)

    def _add_text(self, item: dict[str, Any], text: str, kind: str) -> list[RawResponsesStreamEvent]:
        events = []
        parts, key = item["content"], _TEXT_KEYS[kind]
        if not parts or parts[-1]["type"] != kind:
            parts.append(text_part("") if kind == "output_text" else {"type": kind, key: ""})
            self._pieces.setdefault(item["id"], []).append([])
            events.append(self._event("response.content_part.added", **self._place(item), part=dict(parts[-1])))
        self._pieces[item["id"]][-1].append(text)
        extra: dict[str, Any] = {"logprobs": []} if kind == "output_text" else {}
        events.append(self._event(f"response.{kind}.delta", **self._place(item), delta=text, **extra))
        return events

    def _place(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return where in the response the last part of an item is."""
        index = next(index for index, known in enumerate(self._items) if known is item)
        return {"item_id": item["id"], "output_index": index, "content_index": len(item["content"]) - 1}

    def _add_call(self, piece: dict[str, Any]) -> list[RawResponsesStreamEvent]:
        events = []
        function = piece.get("function") or {}
        name = function.get("name") or ""
        arguments = arguments_text(function.get("arguments"))
        call = self._open_call(piece, begins=bool(name and (arguments or not piece.get("id"))))
        if call is None:
            call = self._begin_call(piece)
            events.append(self._add_item(call.item))
        if name != call.item["name"]:  # some servers give the whole name with each piece
            call.item["name"] += name
        if arguments:
            call.pieces.append(arguments)
            index = next(index for index, known in enumerate(self._items) if known is call.item)
            place = {"item_id": call.item["id"], "output_index": index}
            events.append(self._event("response.function_call_arguments.delta", **place, delta=arguments))
        return events

    def _begin_call(self, piece: dict[str, Any]) -> _OpenCall:
        given = piece.get("id") or None
        taken = any(call.item["call_id"] == given for call in self._calls)
        item = call_item(new_id("call") if given is None or taken else given, "", "", status="in_progress")
        call = _OpenCall(item, piece.get("index"), given is not None, given)
        self._calls.append(call)
        return call

    def _open_call(self, piece: dict[str, Any], *, begins: bool) -> _OpenCall | None:
        """Return the call that a piece goes on with, or None where it begins one.

        By OpenAI's rule the index tells. Other servers number all calls 0, or none, and give an id to each; or give
        neither to what goes on with the last. After whole arguments, what looks like a beginning is one.

        Args:
            piece: The piece.
            begins: Whether it looks like the beginning of a call.
        """
        index, call_id = piece.get("index"), piece.get("id")
        for call in reversed(self._calls):
            if call_id and call.has_id and call.given_id != call_id:
                continue
            if index is None or call.index is None or call.index == index:
                if begins and call.is_whole():
                    return None
                return call if index is not None or not call_id or call.given_id == call_id else None
        return None

    def _add_item(self, item: dict[str, Any]) -> RawResponsesStreamEvent:
        self._items.append(item)
        copy = {**item, "content": []} if "content" in item else dict(item)
        return self._event("response.output_item.added", output_index=len(self._items) - 1, item=copy)

    def _close(self, index: int, item: dict[str, Any], status: str) -> list[RawResponsesStreamEvent]:
        item["status"] = status
        place = {"item_id": item["id"], "output_index": index}
        events = []
        if item["type"] == "function_call":
            item["arguments"] = "".join(next(call.pieces for call in self._calls if call.item is item))
            done = {"name": item["name"], "arguments": item["arguments"]}
            events.append(self._event("response.function_call_arguments.done", **place, **done))
        for position, part in enumerate(item.get("content", ())):
            kind, key = part["type"], _TEXT_KEYS[part["type"]]
            part[key] = "".join(self._pieces[item["id"]][position])
            extra: dict[str, Any] = {"logprobs": []} if kind == "output_text" else {}
            at = {**place, "content_index": position}
            events.append(self._event(f"response.{kind}.done", **at, **{key: part[key]}, **extra))
            events.append(self._event("response.content_part.done", **at, part=part))
        return [*events, self._event("response.output_item.done", output_index=index, item=item)]

    def _event(self, kind: str, **fields: Any) -> RawResponsesStreamEvent:
        event = RawResponsesStreamEvent({"type": kind, "sequence_number": self._sequence, **fields})
        self._sequence += 1
        return event

    def _response(self, status: str) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created_at,
            "model": self._model,
            "status": status,
            "output": list(self._items) if status != "in_progress" else [],
            "usage": usage_of(self._usage),
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
        }
