"""A conversation as lines of text, for models and people that get it told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agentkit import _json
from agentkit.models.chat_messages import text_of

__all__ = ["told"]


def told(items: Iterable[dict[str, Any]]) -> list[str]:
    """Return a line of text for each item: who said what, which tool was called, what it returned.

    Args:
        items: Items in the shape of the Responses API.
    """
    return [_line(item) for item in items]


def _line(item: dict[str, Any]) -> str:
    kind = item.get("type", "message")
    if kind == "message":
        said = item.get("content")
        return f"{item.get('role', 'user')}: {text_of(said) or _parts(said)}"
    if kind == "function_call":
        return f"called {item.get('name')}({item.get('arguments', '')})"
    if kind == "function_call_output":
        output = item.get("output")
        return f"result: {output if isinstance(output, str) else _parts(output)}"
    rest = {key: value for key, value in item.items() if key not in ("type", "id")}
    return f"{kind}: {_json.dumps(rest).decode()}"


def _parts(content: Any) -> str:
    parts = content if isinstance(content, list) else []
    return " ".join(part.get("text") or f"[{part.get('type', 'part')}]" for part in parts)
