"""What a prompt says of searches in files: whether one may be made, and what those made since the request found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agentkit.local.engines.base import Prompt

from .contents import content_text

__all__ = ["Passage", "may_search", "passages_of"]


@dataclass(frozen=True, slots=True)
class Passage:
    """What a search found in a file."""

    file_id: str
    filename: str
    text: str
    heading: str
    """The headings that it stands under; "" for none."""
    near: float | None
    """How near its meaning is to the query's, -1 to 1; None where that is not known."""


def may_search(prompt: Prompt) -> tuple[bool, bool]:
    """Return whether files may be searched, and whether they have to be."""
    choice = prompt.tool_choice
    if not any(isinstance(tool, dict) and tool.get("type") == "file_search" for tool in prompt.tools):
        return False, False
    if not isinstance(choice, dict):
        functions = any(isinstance(tool, dict) and tool.get("type") == "function" for tool in prompt.tools)
        return choice != "none", choice == "required" and not functions
    if choice.get("type") == "file_search":
        return True, True
    if choice.get("type") == "allowed_tools":
        listed = choice.get("tools")
        kinds = [raw.get("type") for raw in listed if isinstance(raw, dict)] if isinstance(listed, list) else []
        return "file_search" in kinds, choice.get("mode") == "required" and set(kinds) == {"file_search"}
    return False, False  # a function has to be called


def passages_of(items: list[Any]) -> tuple[Passage, ...] | None:
    """Return what the searches since the last request found; None where there was none."""
    found: list[Passage] | None = None
    for item in reversed(items):
        if not isinstance(item, dict):
            continue
        if item.get("role") == "user":
            break
        results = item.get("results")
        if item.get("type") == "file_search_call" and isinstance(results, list):  # else what it found is not known
            found = [*(_passage(raw) for raw in results if isinstance(raw, dict)), *(found or [])]
    return None if found is None else tuple(found)


def _passage(raw: dict[str, Any]) -> Passage:
    near = raw.get("semantic")
    return Passage(
        file_id=str(raw.get("file_id") or ""),
        filename=str(raw.get("filename") or ""),
        text=content_text(raw.get("text")),
        heading=str(raw.get("heading") or ""),
        near=float(near) if isinstance(near, int | float) else None,
    )
