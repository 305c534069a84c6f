"""Ready-made input filters for handoffs: `handoff(agent, input_filter=remove_all_tools)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from agentkit.models import TResponseInputItem
from agentkit.runtime.handoff_history import default_handoff_history_mapper, nest_handoff_history
from agentkit.runtime.handoffs import HandoffInputData
from agentkit.runtime.items import RunItem

__all__ = ["default_handoff_history_mapper", "nest_handoff_history", "remove_all_tools"]

_T = TypeVar("_T")

_TOOL_ENDINGS = ("_call", "_call_output")
"""How the types of calls and of their outputs end, those of functions and handoffs as of every hosted tool."""

_OTHER_TOOL_TYPES = frozenset(
    [
        "additional_tools",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_list_tools",
        "program",
        "program_output",
        "tool_search_output",
    ]
)


def remove_all_tools(handoff_input_data: HandoffInputData) -> HandoffInputData:
    """Return the conversation without calls of tools and what they returned. An input filter.

    Gone are the calls and outputs of functions, of handoffs and of hosted tools, MCP's lists and approvals, and the
    reasoning that led to a call: a platform refuses reasoning without the item that followed it. Messages stay, and so
    does the reasoning before them.

    Args:
        handoff_input_data: The conversation at the handoff.
    """
    data = handoff_input_data
    history = data.input_history
    return data.clone(
        input_history=history if isinstance(history, str) else tuple(_without_tools(history, _type_of_input)),
        pre_handoff_items=tuple(_without_tools(data.pre_handoff_items, _type_of_item)),
        new_items=tuple(_without_tools(data.new_items, _type_of_item)),
        input_items=None if data.input_items is None else tuple(_without_tools(data.input_items, _type_of_item)),
    )


def _without_tools(items: Iterable[_T], type_of: Callable[[_T], str]) -> list[_T]:
    kept: list[_T] = []
    reasoning: list[_T] = []  # belongs to the next item of another kind, and is kept or dropped with it
    for item in items:
        kind = type_of(item)
        if kind == "reasoning":
            reasoning.append(item)
            continue
        if not _is_of_a_tool(kind):
            kept += [*reasoning, item]
        reasoning.clear()
    return kept


def _is_of_a_tool(kind: str) -> bool:
    return kind.endswith(_TOOL_ENDINGS) or kind in _OTHER_TOOL_TYPES


def _type_of_input(item: TResponseInputItem) -> str:
    return str(item.get("type") or "message")


def _type_of_item(item: RunItem) -> str:
    raw: dict[str, Any] = item.raw
    return str(raw.get("type") or "message")
