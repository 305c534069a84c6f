"""A model's answer as it arrives, made fit to be worked with. Servers and users' own models are not all exact."""

from __future__ import annotations

from typing import Any

from agentkit.exceptions import ModelBehaviorError
from agentkit.models import ModelResponse

__all__ = ["fit_response"]

_ID_KEYS = {
    "function_call": "call_id",
    "computer_call": "call_id",
    "local_shell_call": "call_id",
    "mcp_approval_request": "id",
}
"""Calls that this side answers, and where the id is that joins them with their answers."""


def fit_response(response: ModelResponse) -> ModelResponse:
    """Return an answer in which each call has an id that no other call of it has.

    Names and arguments of calls are text, and messages have parts. An answer that is so already is returned itself;
    of any other a new one is made.

    Raises:
        ModelBehaviorError: The type of an item is no text.
    """
    taken: set[str] = set()
    if all(_fit(item, taken) is item for item in response.raw_output):
        return response
    taken.clear()
    fit = [_fit(item, taken) for item in response.raw_output]
    return ModelResponse(
        fit, response.usage, response.response_id, model=response.model, incomplete=response.incomplete
    )


def _fit(item: dict[str, Any], taken: set[str]) -> dict[str, Any]:
    kind = item.get("type")
    if kind is not None and not isinstance(kind, str):
        raise ModelBehaviorError(f"The model sent an item whose type is no text: {item!r:.200}.")
    if kind == "message":
        return _with_parts(item)
    key = _ID_KEYS.get(kind or "")
    if key is None:
        return item
    call_id = item.get(key)
    if not isinstance(call_id, str) or not call_id or call_id in taken:
        given = call_id if call_id and isinstance(call_id, int) else item.get("id")
        call_id = str(given) if given and str(given) not in taken else _new_id(kind or "")
        item = {**item, key: call_id}
    taken.add(call_id)
    named = kind in ("function_call", "mcp_approval_request")
    if named and not (isinstance(item.get("name"), str) and isinstance(item.get("arguments"), str)):
        item = {**item, "name": str(item.get("name") or ""), "arguments": _as_text(item.get("arguments"))}
    return item


def _new_id(kind: str) -> str:
    import uuid

    return f"{'mcpr' if kind == 'mcp_approval_request' else 'call'}_{uuid.uuid4().hex}"


def _as_text(arguments: Any) -> str:
    from agentkit.models.chat_items import arguments_text

    return arguments_text(arguments)


def _with_parts(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return message
    parts = content if isinstance(content, list) else [] if content is None else [content]
    return {**message, "content": [part if isinstance(part, dict) else _text(str(part)) for part in parts]}


def _text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}
