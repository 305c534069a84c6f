"""A chat completion's message as items of the Responses API."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from agentkit import _json
from agentkit.models.chat_messages import text_of

__all__ = [
    "INCOMPLETE",
    "REASONING_FIELDS",
    "arguments_text",
    "call_item",
    "items_of_message",
    "message_item",
    "new_id",
    "reasoning_item",
    "text_part",
    "thought_of",
    "usage_of",
]

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Finish reasons of answers that stop short, as the Responses API names them."""

REASONING_FIELDS = ("reasoning_content", "reasoning")
"""Names under which servers give what the model thought, as text."""


def new_id(prefix: str) -> str:
    """Return an id that nothing else has, for what a server gave none."""
    return f"{prefix}_{uuid.uuid4().hex}"


def items_of_message(message: Mapping[str, Any], completion_id: str | None, model: str) -> list[dict[str, Any]]:
    """Return a chat completion's message as items of the Responses API: what it thought, the text, then the calls.

    Args:
        message: The message.
        completion_id: Id of the completion, from which the items get theirs; made up where a server gives none.
        model: Name of the model that was asked.
    """
    completion_id = completion_id or new_id("chatcmpl")
    items: list[dict[str, Any]] = []
    if thought := thought_of(message):
        items.append(reasoning_item(completion_id, thought, model))
    parts = []
    if text := text_of(message.get("content")):
        parts.append(text_part(text))
    if message.get("refusal"):
        parts.append({"type": "refusal", "refusal": message["refusal"]})
    if parts:
        items.append(message_item(f"msg_{completion_id}", parts, "completed"))
    seen: set[str] = set()
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        call_id = call.get("id")
        if not call_id or call_id in seen:  # some servers send none, or the same for all
            call_id = new_id("call")
        seen.add(call_id)
        items.append(call_item(call_id, function.get("name") or "", arguments_text(function.get("arguments"))))
    return items


def thought_of(message: Mapping[str, Any]) -> str:
    """Return what the model thought, from a message or a piece of one; empty without."""
    for field in REASONING_FIELDS:
        thought = message.get(field)
        if isinstance(thought, str) and thought:
            return thought
    return ""


def reasoning_item(completion_id: str, thought: str, model: str) -> dict[str, Any]:
    """Return a reasoning item; `provider_data` marks it as none that the Responses API made."""
    content = [{"type": "reasoning_text", "text": thought}] if thought else []
    item = {"type": "reasoning", "id": f"rs_{completion_id}", "summary": [], "content": content}
    return item | {"status": "completed", "provider_data": {"api": "chat_completions", "model": model}}


def text_part(text: str) -> dict[str, Any]:
    """Return a part of a message that holds text."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def message_item(item_id: str, parts: list[dict[str, Any]], status: str) -> dict[str, Any]:
    """Return a message of the model's."""
    return {"type": "message", "id": item_id, "role": "assistant", "content": parts, "status": status}


def call_item(call_id: str, name: str, arguments: str, *, status: str = "completed") -> dict[str, Any]:
    """Return a call of a function tool."""
    return {
        "type": "function_call",
        "id": f"fc_{call_id}",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
        "status": status,
    }


def arguments_text(arguments: Any) -> str:
    """Return a call's arguments as JSON text; some servers send the object itself."""
    if isinstance(arguments, str) or arguments is None:
        return arguments or ""
    return _json.dumps(arguments).decode()


def usage_of(usage: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a chat completion's usage under the names of the Responses API; None where a server sends none."""
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
