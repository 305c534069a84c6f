"""Keeping together what belongs together: a call and its output, a reasoning item and what it led to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["whole_items"]

_CALLS = {
    "function_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
    "computer_call": "computer_call_output",
    "local_shell_call": "local_shell_call_output",
    "shell_call": "shell_call_output",
    "apply_patch_call": "apply_patch_call_output",
    "mcp_approval_request": "mcp_approval_response",
}
"""Calls that this side answers, and the type of the answer. Either without the other is refused by the API."""

_OUTPUTS = {output: call for call, output in _CALLS.items()}


def whole_items(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items without halves.

    Halves are outputs without a call before them, calls without an output after them, and reasoning whose next item is
    gone. For conversations that have been cut, by a limit or by hand. What is whole is kept as it is, in its order.

    Args:
        items: Items of a conversation in the shape of the Responses API.
    """
    kept = [True] * len(items)
    waiting: dict[tuple[str, str], list[int]] = {}
    for index, item in enumerate(items):
        kind = str(item.get("type", "message"))
        if kind in _CALLS:
            waiting.setdefault((_CALLS[kind], _id(item)), []).append(index)
        elif kind in _OUTPUTS:
            calls = waiting.get((kind, _id(item)))
            if calls:
                calls.pop(0)
            else:
                kept[index] = False
    for calls in waiting.values():
        for index in calls:
            kept[index] = False
    _drop_lone_reasoning(items, kept)
    return [item for item, keep in zip(items, kept, strict=True) if keep]


def _id(item: dict[str, Any]) -> str:
    """Return the id that joins a call and its output."""
    if item.get("type") == "mcp_approval_request":
        return str(item.get("id", ""))
    return str(item.get("approval_request_id") or item.get("call_id") or item.get("id") or "")


def _drop_lone_reasoning(items: Sequence[dict[str, Any]], kept: list[bool]) -> None:
    """Drop reasoning that isn't followed by what the model did upon it: a message of its own, or a call."""
    follows = False
    for index in range(len(items) - 1, -1, -1):
        item = items[index]
        if item.get("type") == "reasoning":
            kept[index] = kept[index] and follows
        elif kept[index]:
            follows = _is_the_models(item)
        else:  # what it led to is gone
            follows = False


def _is_the_models(item: dict[str, Any]) -> bool:
    kind = item.get("type", "message")
    if kind == "message":
        return item.get("role") == "assistant"
    return kind not in _OUTPUTS
