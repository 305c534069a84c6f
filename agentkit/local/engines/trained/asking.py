"""A prompt in the form that chat templates know: messages and tools, as training data has them too."""

from __future__ import annotations

import json
from typing import Any

from agentkit.local.engines.base import Prompt
from agentkit.local.engines.quoting import quoted_file
from agentkit.local.errors import ApiError

__all__ = ["SEARCH_TOOL", "request_of"]

Message = dict[str, Any]

SEARCH_TOOL = "file_search"
"""The function that stands for a search in files."""

_SEARCH_FUNCTION = {
    "name": SEARCH_TOOL,
    "description": "Searches the user's files and returns the passages that fit best.",
    "parameters": {
        "type": "object",
        "properties": {
            "queries": {
                "type": "array",
                "items": {"type": "string", "minLength": 1, "maxLength": 200},
                "minItems": 1,
                "maxItems": 4,
                "description": "What to look for, in one or several ways.",
            }
        },
        "required": ["queries"],
        "additionalProperties": False,
    },
}


def request_of(prompt: Prompt) -> dict[str, Any]:
    """Return what the process that runs models is asked, without the model itself.

    Raises:
        ApiError: The prompt has images.
    """
    tools, mode = _offered(prompt)
    return {
        "messages": _messages(prompt.items),
        "tools": [{"type": "function", "function": _function(tool)} for tool in tools],
        "strict": [tool["name"] for tool in tools if tool.get("strict")],
        "mode": mode,
        "parallel": prompt.parallel_tool_calls,
        "format": prompt.text_format,
        "max_tokens": prompt.max_output_tokens,
        "temperature": prompt.temperature,
        "top_p": prompt.top_p,
        "seed": prompt.seed,
        "stop": list(prompt.stop),
        "thinks": prompt.effort not in ("none", "minimal"),
    }


def _offered(prompt: Prompt) -> tuple[list[dict[str, Any]], str]:
    """Return the tools that may be called, and whether they "may", "must" or must "not" be."""
    choice = prompt.tool_choice
    named: list[Any] | None = None
    if isinstance(choice, dict):
        if choice["type"] == "allowed_tools":
            named = [tool.get("name") or tool.get("type") for tool in choice["tools"]]
            choice = choice["mode"]
        else:
            named = [choice.get("name") or choice["type"]]
            choice = "required"
    tools = [_SEARCH_FUNCTION if tool["type"] == "file_search" else tool for tool in prompt.tools]
    if named is not None:
        tools = [tool for tool in tools if tool["name"] in named]
    if choice == "none" or not tools:
        return tools, "not"
    return tools, "must" if choice == "required" else "may"


def _function(tool: dict[str, Any]) -> dict[str, Any]:
    """Return a function as it stands in training data."""
    return {key: tool[key] for key in ("name", "description", "parameters") if tool.get(key) is not None}


def _messages(items: list[dict[str, Any]]) -> list[Message]:
    messages: list[Message] = []
    for number, item in enumerate(items, 1):
        kind = item["type"]
        if kind == "message":
            role = "system" if item["role"] == "developer" else item["role"]
            messages.append({"role": role, "content": _text(item["content"])})
        elif kind == "function_call" and item.get("status") != "incomplete":
            _add_call(messages, item["call_id"], item["name"], _arguments(item["arguments"]))
        elif kind == "function_call_output":
            messages.append(_result(messages, item["call_id"], _text(item["output"])))
        elif kind == "file_search_call":
            call_id = item.get("id") or f"search_{number}"
            _add_call(messages, call_id, SEARCH_TOOL, {"queries": item.get("queries") or []})
            messages.append(_result(messages, call_id, str(item.get("output") or "")))
    return _with_results_in_order(messages)


def _add_call(messages: list[Message], call_id: str, name: str, arguments: object) -> None:
    call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": ""})
    messages[-1].setdefault("tool_calls", []).append(call)


def _result(messages: list[Message], call_id: str, output: str) -> Message:
    names = {call["id"]: call["function"]["name"] for message in messages for call in message.get("tool_calls") or ()}
    message: Message = {"role": "tool", "content": output, "tool_call_id": call_id}
    return {**message, "name": names[call_id]} if call_id in names else message


def _with_results_in_order(messages: list[Message]) -> list[Message]:
    """Return messages with the results of each call right behind it, where something was said in between."""
    results = {message["tool_call_id"]: message for message in messages if message["role"] == "tool"}
    ordered: list[Message] = []
    for message in messages:
        if message["role"] == "tool":
            continue
        ordered.append(message)
        ordered += [results.pop(call["id"]) for call in message.get("tool_calls") or () if call["id"] in results]
    return ordered


def _arguments(text: str) -> object:
    """Return the arguments of a call as an object; the text itself where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(_part_text(part) for part in content)


def _part_text(part: dict[str, Any]) -> str:
    if part["type"] == "input_image":
        message = "This model can't see images. Leave them out, or describe them."
        raise ApiError(message, param="input", code="unsupported_content")
    if part["type"] == "input_file":
        text = getattr(part.get("document"), "text", None)
        return quoted_file(part.get("filename") or "file", text or "Nothing of it can be read.")
    return str(part.get("text") or part.get("refusal") or "")
