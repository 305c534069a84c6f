"""What the items of a conversation say, in the shape of the Responses API, for people to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agentkit.notebook.display.text import clean, one_line

__all__ = ["address_text", "is_message", "message_text", "role_of"]


def message_text(item: Mapping[str, Any]) -> str:
    """Return what an item of a conversation says, its images and files by their kind and size."""
    kind = item.get("type") or "message"
    if kind == "function_call":
        return f"{item.get('name')}({item.get('arguments') or ''})"
    if kind == "reasoning":
        return " ".join(str(part.get("text", "")) for part in item.get("summary") or ()) or "…"
    content = item.get("content") if "content" in item else item.get("output")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(filter(None, (_part_text(part) for part in content)))
    return json.dumps({k: v for k, v in item.items() if k not in ("id", "call_id")}, ensure_ascii=False, default=str)


def role_of(item: Mapping[str, Any]) -> str:
    """Return who said an item: a role, or what kind of item it is."""
    kinds = {"function_call": "calls", "function_call_output": "tool"}
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
