"""A streamed chat completion, as the events that the Responses API would have sent."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Any

from agentkit import _json
from agentkit.exceptions import ModelConnectionError
from agentkit.models.chat_messages import text_of
from agentkit.models.stream import RawResponsesStreamEvent

__all__ = ["INCOMPLETE", "ChatStream", "items_of_message"]

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Finish reasons of answers that stop short, as the Responses API names them."""

logger = logging.getLogger("openai.agents")


def items_of_message(message: dict[str, Any], completion_id: str) -> list[dict[str, Any]]:
    """Return a chat completion's message as items of the Responses API: the text, then the calls."""
    items: list[dict[str, Any]] = []
    parts = []
    if text := text_of(message.get("content")):
        parts.append(_text_part(text))
    if message.get("refusal"):
        parts.append({"type": "refusal", "refusal": message["refusal"]})
    if parts:
        items.append(_message(f"msg_{completion_id}", parts, "completed"))
    for index, call in enumerate(message.get("tool_calls") or ()):
        function = call.get("function") or {}
        call_id = call.get("id") or f"call_{completion_id}_{index}"  # some servers send none
        items.append(_call(call_id, function.get("name") or "", _arguments(function.get("arguments"))))
    return items


@dataclass(slots=True)
class _OpenCall:
    """A call that is still arriving."""

    item: dict[str, Any]
    index: int | None
    has_id: bool
    """Whether the server gave the id."""
    pieces: list[str] = field(default_factory=list)
    """Its arguments so far."""


class ChatStream:
    """Turns the chunks of one chat completion into events.

    Args:
        model: Name of the model, for the response that the events carry.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._id = ""
        self._sequence = 0
        self._items: list[dict[str, Any]] = []
        self._message: dict[str, Any] | None = None
        self._calls: list[_OpenCall] = []
        self._usage: dict[str, Any] | None = None
        self._finish: str | None = None
        self._created_at = int(time.time())

    def feed(self, chunk: dict[str, Any]) -> list[RawResponsesStreamEvent]:
        """Return the events that a chunk brings."""
        events: list[RawResponsesStreamEvent] = []
        if not self._id:
            self._id = chunk.get("id") or "chatcmpl"
            events += [
                self._event("response.created", response=self._response("in_progress")),
                self._event("response.in_progress", response=self._response("in_progress")),
            ]
        self._usage = chunk.get("usage") or self._usage
        self._model = chunk.get("model") or self._model
        for choice in chunk.get("choices") or ():
            self._finish = choice.get("finish_reason") or self._finish
            delta = choice.get("delta") or {}
            if text := text_of(delta.get("content")):
                events += self._add_text(text, "output_text")
            if refusal := delta.get("refusal"):
                events += self._add_text(refusal, "refusal")
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

    def _add_text(self, text: str, kind: str) -> list[RawResponsesStreamEvent]:
        events = []
        if self._message is None:
            self._message = _message(f"msg_{self._id}", [], "in_progress")
            events.append(self._add_item(self._message))
        parts = self._message["content"]
        key = "text" if kind == "output_text" else "refusal"
        if not parts or parts[-1]["type"] != kind:
            parts.append(_text_part("") if kind == "output_text" else {"type": "refusal", "refusal": ""})
            part = dict(parts[-1])
            events.append(self._event("response.content_part.added", **self._part_place(), part=part))
            self._pieces: list[str] = []
        self._pieces.append(text)
        parts[-1]["_pieces"] = self._pieces  # joined once, at the end
        extra: dict[str, Any] = {"logprobs": []} if key == "text" else {}
        events.append(self._event(f"response.{kind}.delta", **self._part_place(), delta=text, **extra))
        return events

    def _part_place(self) -> dict[str, Any]:
        assert self._message is not None
        index = self._items.index(self._message)
        return {
            "item_id": self._message["id"],
            "output_index": index,
            "content_index": len(self._message["content"]) - 1,
        }

    def _add_call(self, piece: dict[str, Any]) -> list[RawResponsesStreamEvent]:
        events = []
        function = piece.get("function") or {}
        call = self._open_call(piece)
        if call is None:
            call_id = piece.get("id") or f"call_{self._id}_{len(self._calls)}"
            call = _OpenCall(_call(call_id, "", "", status="in_progress"), piece.get("index"), bool(piece.get("id")))
            self._calls.append(call)
            events.append(self._add_item(call.item))
        call.item["name"] += function.get("name") or ""
        if arguments := _arguments(function.get("arguments")):
            call.pieces.append(arguments)
            place = {"item_id": call.item["id"], "output_index": self._items.index(call.item)}
            events.append(self._event("response.function_call_arguments.delta", **place, delta=arguments))
        return events

    def _open_call(self, piece: dict[str, Any]) -> _OpenCall | None:
        """Return the call that a piece goes on with, or None where it begins one.

        By OpenAI's rule the index tells. Other servers number all calls 0, or none, and give an id to each; or give
        neither to what goes on with the last.
        """
        index, call_id = piece.get("index"), piece.get("id")
        for call in reversed(self._calls):
            if call_id and call.has_id and call.item["call_id"] != call_id:
                continue
            if index is None or call.index is None or call.index == index:
                return call if index is not None or not call_id or call.item["call_id"] == call_id else None
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
            kind, key = part["type"], "text" if part["type"] == "output_text" else "refusal"
            part[key] = "".join(part.pop("_pieces"))
            extra: dict[str, Any] = {"logprobs": []} if key == "text" else {}
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
            "usage": _usage(self._usage),
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
        }


def _usage(usage: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a chat completion's usage under the names of the Responses API."""
    if not usage:
        return None
    sent, received = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    reasoning = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    return {
        "input_tokens": sent,
        "output_tokens": received,
        "total_tokens": usage.get("total_tokens") or sent + received,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": reasoning},
    }


def _arguments(arguments: Any) -> str:
    """Return a call's arguments as JSON text; some servers send the object itself."""
    if isinstance(arguments, str) or arguments is None:
        return arguments or ""
    return _json.dumps(arguments).decode()


def _text_part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _message(item_id: str, parts: list[dict[str, Any]], status: str) -> dict[str, Any]:
    return {"type": "message", "id": item_id, "role": "assistant", "content": parts, "status": status}


def _call(call_id: str, name: str, arguments: str, *, status: str = "completed") -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": f"fc_{call_id}",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
        "status": status,
    }
