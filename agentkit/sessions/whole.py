"""Keeping together what belongs together: a call and its output, reasoning and what it led to.

The API refuses an output without its call, a call without its output, reasoning without the item that followed it, and
an answer without the reasoning that led to it. A conversation that is cut must be cut between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

__all__ = ["latest_whole", "whole_cut", "whole_items"]

Item = dict[str, Any]

_CALLS = {
    "function_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
    "computer_call": "computer_call_output",
    "local_shell_call": "local_shell_call_output",
    "shell_call": "shell_call_output",
    "apply_patch_call": "apply_patch_call_output",
    "mcp_approval_request": "mcp_approval_response",
    "program": "program_output",
    "tool_search_call": "tool_search_output",
}
"""Calls that are answered by an item of their own, and the type of the answer."""

_OUTPUTS = frozenset(_CALLS.values())

_FROM_THE_MODEL = frozenset({"program_output", "tool_search_output"})
"""Outputs that the platform itself may put between the model's items."""


def whole_items(items: Sequence[Item]) -> list[Item]:
    """Return the items without halves.

    Halves are outputs without a call before them, calls without an output after them, and reasoning of which nothing
    that it led to is left. For conversations that have been cut, by a limit or by hand. What is whole is kept as it is,
    in its order.

    Args:
        items: Items of a conversation in the shape of the Responses API.
    """
    pairs = _pairs(items)
    paired = {index for pair in pairs for index in pair}
    kept = [index in paired or not _needs_another(item) for index, item in enumerate(items)]
    for start, led_to, end in _thoughts(items):
        if not any(kept[led_to:end]):
            kept[start:led_to] = [False] * (led_to - start)
    return [item for item, keep in zip(items, kept, strict=True) if keep]


def latest_whole(newest_first: Iterable[Item], limit: int) -> list[Item]:
    """Return the latest items, oldest first, without halves.

    Args:
        newest_first: The conversation from its end. It is read a little beyond the limit: what is left of an answer
            whose reasoning lies there is left out too.
        limit: How many items to take at most, 0 or more.
    """
    rest = iter(newest_first)
    items = list(islice(rest, limit))[::-1]
    if items and _goes_on_from(items[0]) and _within_a_thought(rest):
        first = next((index for index, item in enumerate(items) if not _goes_on_from(item)), len(items))
        items = items[first:]
    return whole_items(items)


def whole_cut(items: Sequence[Item], count: int) -> int:
    """Return where to cut the conversation in two, at `count` items or before, so that nothing is halved.

    Args:
        items: Items of a conversation.
        count: How many items the first part is to have at most.
    """
    together = [0] * (len(items) + 1)  # how many ties begin less how many end at each place between two items
    ties = [*_pairs(items), *((start, end - 1) for start, _, end in _thoughts(items))]
    for first, last in ties:
        together[first + 1] += 1
        together[last + 1] -= 1
    cut, held = 0, 0
    for place in range(min(max(count, 0), len(items)) + 1):
        held += together[place]
        if held == 0:
            cut = place
    return cut


def _pairs(items: Sequence[Item]) -> list[tuple[int, int]]:
    """Return the places of each call and its output."""
    waiting: dict[tuple[str, str], list[int]] = {}
    pairs = []
    for index, item in enumerate(items):
        kind = str(item.get("type", "message"))
        if kind in _CALLS:
            waiting.setdefault((_CALLS[kind], _id(item)), []).append(index)
        elif kind in _OUTPUTS and (calls := waiting.get((kind, _id(item)))):
            pairs.append((calls.pop(), index))
    return pairs


def _needs_another(item: Item) -> bool:
    """Return whether an item is refused alone. Those that the platform answers itself have no id to be answered by."""
    kind = item.get("type", "message")
    if kind in ("tool_search_call", "tool_search_output"):
        return item.get("call_id") is not None
    return kind in _CALLS or kind in _OUTPUTS


def _id(item: Item) -> str:
    """Return the id that joins a call and its output."""
    if item.get("type") == "mcp_approval_request":
        return str(item.get("id", ""))
    return str(item.get("approval_request_id") or item.get("call_id") or item.get("id") or "")


def _thoughts(items: Sequence[Item]) -> list[tuple[int, int, int]]:
    """Return for each reasoning where it begins, where what it led to begins, and where that ends."""
    thoughts = []
    index = 0
    while index < len(items):
        if items[index].get("type") != "reasoning":
            index += 1
            continue
        start = index
        while index < len(items) and items[index].get("type") == "reasoning":
            index += 1
        led_to = index
        while index < len(items) and _goes_on_from(items[index]):
            index += 1
        thoughts.append((start, led_to, index))
    return thoughts


def _goes_on_from(item: Item) -> bool:
    """Return whether an item goes on from reasoning before it: the model made it, and it isn't reasoning itself."""
    kind = item.get("type", "message")
    if kind == "message":
        return item.get("role") == "assistant"
    return kind != "reasoning" and (kind not in _OUTPUTS or kind in _FROM_THE_MODEL)


def _within_a_thought(backwards: Iterable[Item]) -> bool:
    for item in backwards:
        if item.get("type") == "reasoning":
            return True
        if not _goes_on_from(item):
            return False
    return False
