"""The text in what messages and tools' outputs hold."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["content_text"]


def content_text(content: Any) -> str:  # Any: outside JSON
    """Return the text in a message's content or a tool's output: a string, or the text parts of a list.

    Half surrogate pairs, which no UTF-8 can carry, are replaced.
    """
    text = _text_of(content)
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = (part if isinstance(part, str) else _part_text(part) for part in content)
        return "\n".join(text for text in texts if text)
    if content is None:
        return ""
    try:
        return json.dumps(content, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        return ""


def _part_text(part: Any) -> str:
    if not isinstance(part, dict) or "document" in part:
        return ""
    text = part.get("text", part.get("refusal"))
    return text if isinstance(text, str) else ""
