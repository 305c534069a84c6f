"""How many tokens a request may have, guessed from its text: there is no tokenizer for most models on this machine."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agentkit import _json
from agentkit._images import LOW_DETAIL_TOKENS, image_info

__all__ = ["TokenEstimate", "estimate_tokens"]

_PER_ITEM = 4
"""Tokens that frame a message."""
_PIECE = re.compile(
    r"(?P<word>[A-Za-z\u00c0-\u024f]+)|(?P<number>\d+)|(?P<signs>[!-/:-@[-`{-~]+)|(?P<lines>\n+)"
    r"|(?P<dense>[\u2e80-\ud7ff\uf900-\uffef\U00010000-\U0010ffff]+)|(?P<other>[^\x00-\u024f\u2e80-\uffff]+)"
)
"""Pieces, much as OpenAI's tokenizers cut them. `dense` are Chinese, Japanese, Korean and emoji."""


@dataclass(frozen=True, slots=True)
class TokenEstimate:
    """About how many tokens a request has."""

    tokens: int
    """Those of all that could be counted."""
    uncounted: int = 0
    """Files and images whose tokens can't be guessed."""


def estimate_tokens(
    instructions: str | None, items: list[dict[str, Any]], tools: Any = None, schema: Any = None
) -> TokenEstimate:
    """Return about how many input tokens a request has.

    Text is counted by its words, numbers and signs. Beside `o200k_base`, English prose, code, JSON and tables come out
    within a tenth, short schemas within a third, other languages within a half, more often too high than too low. An
    image has what OpenAI's guide gives for one of its size at high detail. Files are not counted: what becomes of them,
    the platform decides.

    Args:
        instructions: What the model is told.
        items: The conversation, in the shape of the Responses API.
        tools: The tools as JSON.
        schema: The answer's form as JSON.
    """
    tokens = _PER_ITEM + _text_tokens(instructions) if instructions else 0
    uncounted = 0
    for item in items:
        tokens += _PER_ITEM
        for part in _parts(item):
            found = _part_tokens(part)
            tokens += found or 0
            uncounted += found is None
    for value in (tools, schema):
        tokens += _text_tokens(_json.dumps(value).decode()) if value else 0
    return TokenEstimate(tokens, uncounted)


def _parts(item: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what an item says: texts, and the parts of messages and tools' outputs."""
    content = item.get("content") if "content" in item else item.get("output")
    if isinstance(content, list):
        yield from content
    elif isinstance(content, str):
        yield content
    for key in ("name", "arguments"):
        if isinstance(item.get(key), str):
            yield item[key]


def _part_tokens(part: Any) -> int | None:
    if isinstance(part, str):
        return _text_tokens(part)
    kind = str(part.get("type", "")) if isinstance(part, dict) else ""
    if kind == "input_image":
        return _image_tokens(part)
    if kind == "input_file":
        return None
    text = part.get("text", part.get("refusal")) if isinstance(part, dict) else None
    return _text_tokens(text) if isinstance(text, str) else 0


def _text_tokens(text: str) -> int:
    total = 0.0
    for match in _PIECE.finditer(text):
        length = match.end() - match.start()
        match match.lastgroup:
            case "word":
                total += 1 + max(0, length - 6) / 7
            case "number":
                total += math.ceil(length / 3)
            case "signs":
                total += 1 + (length - 1) / 4
            case "lines":
                total += 0.5
            case "dense":
                total += 0.75 * length
            case _:
                total += 0.35 * length
    return math.ceil(total)


def _image_tokens(part: Mapping[str, Any]) -> int | None:
    if part.get("detail") == "low":
        return LOW_DETAIL_TOKENS
    url = part.get("image_url")
    if not isinstance(url, str) or not url.startswith("data:"):
        return None
    try:
        info = image_info(base64.b64decode(url.partition(",")[2]))
    except (binascii.Error, ValueError):
        return None
    return None if info is None else info.tokens
