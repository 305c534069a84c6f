"""How many tokens a request has: what an engine would read of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agentkit import _json
from agentkit._images import LOW_DETAIL_TOKENS
from agentkit.local.engines.base import Engine

__all__ = ["count_input_tokens"]

_PER_ITEM = 3
"""Tokens that frame an item: its role and its ends."""


def count_input_tokens(
    engine: Engine, items: Iterable[dict[str, Any]], tools: list[dict[str, Any]], text_format: dict[str, Any]
) -> int:
    """Return the tokens of a prompt: its items, its tools and the schema of its answer."""
    total = sum(_PER_ITEM + _item_tokens(engine, item) for item in items)
    if tools:
        seen = [{key: value for key, value in tool.items() if key != "vector_store_ids"} for tool in tools]
        total += engine.count_tokens(_json.dumps(seen).decode())  # ids are for the platform, and no two are alike
    if "schema" in text_format:
        total += engine.count_tokens(_json.dumps(text_format["schema"]).decode())
    return total


def _item_tokens(engine: Engine, item: dict[str, Any]) -> int:
    kind = item["type"]
    if kind == "message":
        return _content_tokens(engine, item["content"])
    if kind == "function_call":
        return engine.count_tokens(item["name"]) + engine.count_tokens(item["arguments"])
    if kind == "function_call_output":
        return _content_tokens(engine, item["output"])
    if kind == "file_search_call":
        queries = sum(engine.count_tokens(query) for query in item["queries"] if isinstance(query, str))
        return queries + engine.count_tokens(str(item.get("output") or ""))
    return engine.count_tokens(_json.dumps(item).decode())


def _content_tokens(engine: Engine, content: str | list[dict[str, Any]]) -> int:
    if isinstance(content, str):
        return engine.count_tokens(content)
    total = 0
    for part in content:
        if part["type"] == "input_image":
            total += part.get("tokens", LOW_DETAIL_TOKENS)  # of one by address nothing is known
        else:
            document = getattr(part.get("document"), "text", "")
            text = part.get("text") or document or part.get("refusal") or part.get("filename") or ""
            total += engine.count_tokens(text)
    return total
