"""What the items of a conversation say, in the shape of the Responses API, for people to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agentkit.notebook.display.file_search import FileSearch, citations_of
from agentkit.notebook.display.passages import search_text
from agentkit.notebook.display.text import clean, one_line

__all__ = ["address_text", "is_message", "message_text", "role_of", "said_text"]


def message_text(item: Mapping[str, Any]) -> str:
    """Return what an item of a conversation says, its images and files by their kind and size."""
    kind = item.get("type") or "message"
    if kind == "function_call":
        return f"{item.get('name')}({item.get('arguments') or ''})"
    if kind == "reasoning":
        return " ".join(str(part.get("text", "")) for part in item.get("summary") or ()) or "…"
    if kind == "file_search_call":
        search = FileSearch.of(item)
        return search_text(search.queries, search.passages)
    content = item.get("content") if "content" in item else item.get("output")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        cited = [one_line(name, 200) for name in dict.fromkeys(each.filename for each in citations_of(item)) if name]
        sources = f"[cites {', '.join(cited)}]" if cited else ""
        return "\n".join(filter(None, (*map(_part_text, content), sources)))
    return json.dumps({k: v for k, v in item.items() if k not in ("id", "call_id")}, ensure_ascii=False, default=str)


def said_text(item: Mapping[str, Any]) -> str:
    """Return the text of a message alone, in which its citations have their places."""
    parts = item.get("content")
    given = [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []
    texts = (part.get("text") or part.get("refusal") for part in given)
    return "".join(text for text in texts if isinstance(text, str))


def role_of(item: Mapping[str, Any]) -> str:
    """Return who said an item: a role, or what kind of item it is."""
    kinds = {"function_call": "calls", "function_call_output": "tool", "file_search_call": "searches files"}
    kind = str(item.get("type") or "message")
    return str(item.get("role") or kinds.get(kind, kind.replace("_", " ")))


def is_message(item: Mapping[str, Any]) -> bool:
    """Tell whether an item is something that was said, and no call or result."""
    return "role" in item and (item.get("type") or "message") == "message"


def address_text(url: str) -> str:
    """Return an address, shortened, and of a `data:` one its kind and size."""
    if not url.startswith("data:"):
        return one_line(clean(url), 100)
    head, _, data = url.partition(",")
    size = len(data) * 3 // 4 - data[-2:].count("=")
    shown = f"{size:,} bytes" if size < 10_000 else f"{size / 1000:,.0f} kB"
    return f"{head.removeprefix('data:').removesuffix(';base64')}, {shown}"


def _part_text(part: Any) -> str:
    if not isinstance(part, dict):
        return str(part)
    match part.get("type"):
        case "input_image":
            return f"[image: {address_text(part.get('image_url') or part.get('file_id') or '')}]"
        case "input_file":
            name = part.get("filename") or part.get("file_id") or part.get("file_url") or "file"
            return f"[file {name}: {address_text(part.get('file_data') or '')}]"
    text = part.get("text", part.get("refusal"))
    return text if isinstance(text, str) else f"[{part.get('type')}]"
