"""What the fake server answers: told by the model's name, so that it never has to understand a request.

answer              a message
tools-N             a call of `look_up`, turn after turn, until N outputs are in the input; then a message
wait-N              N calls of `wait` in one turn; then a message
wait_blocking-N     N calls of `wait_blocking` in one turn; then a message
stream-N            a message of N deltas
"""

from __future__ import annotations

from typing import Any

__all__ = ["ANSWER", "Item", "call_item", "deltas_of", "items_for", "message_item", "response"]

Item = dict[str, Any]  # JSON: an item of a response, or a response

ANSWER = "It is 21 °C and sunny in Oslo."
_WORD = " sunny"
_IN_PARALLEL = ("wait", "wait_blocking")


def message_item(text: str, number: int = 0) -> Item:
    """Return an assistant's message."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed", "content": [part]}


def call_item(name: str, arguments: str, number: int) -> Item:
    """Return a call of a function tool. No two calls of a run have the same `number`."""
    return {
        "type": "function_call",
        "id": f"fc_{number}",
        "call_id": f"call_{number}",
        "name": name,
        "arguments": arguments,
        "status": "completed",
    }


def items_for(model: str, outputs: int) -> list[Item]:
    """Return what the model of that name answers when `outputs` tool outputs are in its input.

    Raises:
        ValueError: No script has that name.
    """
    kind, _, count = model.partition("-")
    if model == "answer" or (kind in ("tools", *_IN_PARALLEL) and outputs >= int(count)):
        return [message_item(ANSWER)]
    if kind == "tools":
        return [call_item("look_up", f'{{"city":"Oslo","day":{outputs}}}', outputs)]
    if kind in _IN_PARALLEL:
        return [call_item(kind, f'{{"number":{number}}}', number) for number in range(int(count))]
    if kind == "stream":
        return [message_item(_WORD * int(count))]
    raise ValueError(f"No script is named {model!r}.")


def deltas_of(model: str, text: str) -> list[str]:
    """Return the pieces in which `text` is streamed: one a word of a `stream-N`, else a single one."""
    return [_WORD] * (len(text) // len(_WORD)) if model.startswith("stream-") else [text]


def response(model: str, items: list[Item], *, status: str = "completed") -> Item:
    """Return a response object that holds `items`."""
    return {
        "id": "resp_0123456789abcdef",
        "object": "response",
        "created_at": 1_760_000_000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": items,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": 120,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 20,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 140,
        }
        if status == "completed"
        else None,
    }
