"""Training data as it is met: conversations of one to three turns, every tenth with a call of a tool."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

__all__ = ["write_file"]

_TEXT = """the quick order was shipped on Monday and the invoice number is missing please send it again thank you
account password reset tomorrow delivery refund größer naïve 東京 "quoted" customer writes that his parcel"""
_WORDS = _TEXT.split()
_TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Look up an order",
        "parameters": {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]},
    },
}


def write_file(path: Path, size_bytes: int, *, seed: int = 7) -> int:
    """Write a file of about a size, and return how many lines it has. The same seed writes the same lines."""
    chance = random.Random(seed)
    written = count = 0
    with path.open("wb", buffering=1 << 20) as file:
        while written < size_bytes:
            line = json.dumps(_example(chance), ensure_ascii=chance.random() < 0.5).encode() + b"\n"
            written += file.write(line)
            count += 1
    return count


def _text(chance: random.Random, least: int, most: int) -> str:
    return " ".join(chance.choices(_WORDS, k=chance.randint(least, most)))


def _example(chance: random.Random) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "system", "content": _text(chance, 10, 30)}]
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        messages.append({"role": "user", "content": _text(chance, 5, 60)})
        messages.append({"role": "assistant", "content": _text(chance, 10, 120)})
    if chance.random() >= 0.1:
        return {"messages": messages}
    arguments = json.dumps({"order_id": f"A{chance.randint(0, 9999)}"})
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": arguments}}
    messages[-1:] = [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": '{"status": "sent"}'},
        messages[-1],
    ]
    return {"messages": messages, "tools": [_TOOL]}
