"""A streamed chat completion, as the events that the Responses API would have sent."""

from __future__ import annotations

import logging
import time
from typing import Any

from agentkit.models.stream import RawResponsesStreamEvent

__all__ = ["ChatStream", "items_of_message"]

logger = logging.getLogger("openai.agents")


def items_of_message(message: dict[str, Any], completion_id: str) -> list[dict[str, Any]]:
    """Return a chat completion's message as items of the Responses API: the text, then the calls."""
    items: list[dict[str, Any]] = []
    parts = []
    if message.get("content"):
        parts.append(_text_part(message["content"]))
    if message.get("refusal"):
        parts.append({"type": "refusal", "refusal": message["refusal"]})
    if parts:
        items.append(_message(f"msg_{completion_id}", parts, "completed"))
    for index, call in enumerate(message.get("tool_calls") or ()):
        function = call.get("function") or {}
        call_id = call.get("id") or f"call_{completion_id}_{index}"  # some servers send none
        items.append(_call(call_id, function.get("name") or "", function.get("arguments") or ""))
    return items


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
        self._calls: dict[Any, dict[str, Any]] = {}
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
        for choice in chunk.get("choices") or ():
            self._finish = choice.get("finish_reason") or self._finish
            delta = choice.get("delta") or {}
            if text := delta.get("content"):
                events += self._add_text(text, "output_text")
            if refusal := delta.get("refusal"):
                events += self._add_text(refusal, "refusal")
            for call in delta.get("tool_calls") or ():
                events += self._add_call(call)
        return events

    def end(self) -> list[RawResponsesStreamEvent]:
        """Return the closing events: all that is open done, and the whole response."""
        if self._finish is None:
            logger.warning("The chat completion of %s ended without a finish reason.", self._model)
        status = "incomplete" if self._finish in ("length", "content_filter") else "completed"
        events = [event for index, item in enumerate(self._items) for event in self._close(index, item, status)]
        response = self._response(status)
        if status == "incomplete":
            reason = "max_output_tokens" if self._finish == "length" else "content_filter"
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

    def _add_call(self, call: dict[str, Any]) -> list[RawResponsesStreamEvent]:
        events = []
        key = call.get("index", call.get("id"))
        item = self._calls.get(key)
        function = call.get("function") or {}
        if item is None:
            call_id = call.get("id") or f"call_{self._id}_{len(self._calls)}"
            item = self._calls[key] = _call(call_id, "", "", status="in_progress")
            events.append(self._add_item(item))
        item["name"] += function.get("name") or ""
        if arguments := function.get("arguments"):
            item["arguments"] += arguments
            place = {"item_id": item["id"], "output_index": self._items.index(item)}
            events.append(self._event("response.function_call_arguments.delta", **place, delta=arguments))
        return events

    def _add_item(self, item: dict[str, Any]) -> RawResponsesStreamEvent:
        self._items.append(item)
        copy = {**item, "content": []} if "content" in item else dict(item)
        return self._event("response.output_item.added", output_index=len(self._items) - 1, item=copy)

    def _close(self, index: int, item: dict[str, Any], status: str) -> list[RawResponsesStreamEvent]:
        item["status"] = status
        place = {"item_id": item["id"], "output_index": index}
        events = []
        if item["type"] == "function_call":
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
