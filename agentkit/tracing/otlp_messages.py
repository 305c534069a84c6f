"""What was said, as OpenTelemetry's GenAI conventions write it: messages that are made of parts.

The shapes are those of `gen-ai-input-messages.json` and `gen-ai-output-messages.json` in
https://github.com/open-telemetry/semantic-conventions-genai. Items come as they are recorded: in the shape of the
Responses API, or, in spans of a user's own, as messages of chat completions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agentkit import _json

__all__ = ["input_messages", "instructions", "output_messages", "tool_definitions", "value_of"]

JSON = Any  # whatever a model was sent or said

_TEXTS = ("input_text", "output_text", "text", "summary_text")
_MODALITIES = {"input_image": "image", "image_url": "image", "input_audio": "audio"}


def input_messages(items: JSON) -> list[dict[str, JSON]]:
    """Return what a model was sent, in its order: `[{"role": …, "parts": […]}, …]`."""
    messages: list[dict[str, JSON]] = []
    for item in _listed(items):
        role, parts = _message(item)
        if not parts:
            continue
        if messages and role == messages[-1]["role"] == "assistant":  # one answer may be several items
            messages[-1]["parts"] += parts
        else:
            messages.append({"role": role, "parts": parts})
    return messages


def output_messages(items: JSON) -> list[dict[str, JSON]]:
    """Return what a model answered, all items of it as one message, with the reason that it ended."""
    listed = _listed(items)
    parts = [part for item in listed for part in _message(item)[1]]
    if not parts:
        return []
    return [{"role": "assistant", "parts": parts, "finish_reason": _finish_reason(listed, parts)}]


def instructions(text: str) -> list[dict[str, JSON]]:
    """Return a system prompt as parts."""
    return [{"type": "text", "content": text}]


def tool_definitions(tools: JSON) -> list[dict[str, JSON]]:
    """Return kind and name of each tool that a model was offered: more is not recommended by default."""
    found = []
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict):
            about = tool["function"] if isinstance(tool.get("function"), dict) else tool
            kind = str(tool.get("type") or "function")
            found.append({"type": kind, "name": str(about.get("name") or about.get("server_label") or kind)})
    return found


def value_of(text: JSON) -> JSON:
    """Return what JSON text holds, such as a call's arguments; anything else as it is."""
    if not isinstance(text, str):
        return text
    try:
        return _json.loads(text)
    except ValueError:
        return text


def _listed(items: JSON) -> list[JSON]:
    if items is None:
        return []
    return items if isinstance(items, list) else [items]


def _message(item: JSON) -> tuple[str, list[dict[str, JSON]]]:
    """Return who said an item, and its parts."""
    if not isinstance(item, dict):
        return "user", [_text(item if isinstance(item, str) else _json.dumps(item).decode())]
    kind = item.get("type")
    if "role" in item and kind in (None, "message"):
        return _said(item)
    if kind == "function_call":
        return "assistant", [_call(item.get("call_id"), item.get("name"), item.get("arguments"))]
    if kind == "function_call_output" or (isinstance(kind, str) and kind.endswith("_call_output")):
        return "tool", [_call_response(item.get("call_id"), item.get("output"))]
    if kind == "reasoning":
        text = "\n\n".join(_texts(item.get("summary")) or _texts(item.get("content")))
        return "assistant", [{"type": "reasoning", "content": text}] if text else []
    if isinstance(kind, str) and kind.endswith("_call"):
        about = {key: value for key, value in item.items() if key not in ("id", "type", "call_id")}
        name = item.get("name") if isinstance(item.get("name"), str) else kind.removesuffix("_call")
        id_ = item.get("call_id") or item.get("id")
        return "assistant", [
            {"type": "server_tool_call", "id": id_, "name": name, "server_tool_call": {"type": kind, **about}}
        ]
    return "assistant" if "id" in item else "user", [{**item, "type": str(kind or "item")}]


def _said(item: Mapping[str, JSON]) -> tuple[str, list[dict[str, JSON]]]:
    """Return the role and the parts of a message, of either API."""
    role = {"developer": "system"}.get(str(item["role"]), str(item["role"]))
    if role == "tool":
        return role, [_call_response(item.get("tool_call_id"), item.get("content"))]
    content = item.get("content")
    parts = [_text(content)] if isinstance(content, str) else [_part(part) for part in _listed(content)]
    for call in item.get("tool_calls") or ():
        about = call.get("function") if isinstance(call, dict) else None
        if isinstance(about, dict):
            parts.append(_call(call.get("id"), about.get("name"), about.get("arguments")))
    return role, parts


def _part(part: JSON) -> dict[str, JSON]:
    """Return a piece of a message's content."""
    if not isinstance(part, dict):
        return _text(str(part))
    kind = str(part.get("type"))
    if kind in _TEXTS:
        return _text(str(part.get("text") or ""))
    if kind == "refusal":
        return {"type": "refusal", "content": str(part.get("refusal") or "")}
    modality = _MODALITIES.get(kind)
    if modality == "audio":
        audio = part.get("input_audio")
        data = audio if isinstance(audio, dict) else part
        mime = {"mime_type": f"audio/{data['format']}"} if isinstance(data.get("format"), str) else {}
        return {"type": "blob", "modality": modality, **mime, "content": str(data.get("data") or "")}
    if modality is not None or kind in ("input_file", "file"):
        about = part.get("file")
        return _attached(about if isinstance(about, dict) else part, modality or "document")
    return {**part, "type": kind}


def _attached(part: Mapping[str, JSON], modality: str) -> dict[str, JSON]:
    """Return an image or a file: by its id, by its address, or itself."""
    if isinstance(part.get("file_id"), str):
        return {"type": "file", "modality": modality, "file_id": part["file_id"]}
    found = part.get("image_url") or part.get("file_url") or part.get("file_data") or ""
    address = str(found.get("url") or "") if isinstance(found, dict) else str(found)
    head, comma, data = address.partition(",")
    if head.startswith("data:") and comma:
        mime = head.removeprefix("data:").partition(";")[0]
        return {"type": "blob", "modality": modality, "mime_type": mime or None, "content": data}
    return {"type": "uri", "modality": modality, "uri": address}


def _text(text: str) -> dict[str, JSON]:
    return {"type": "text", "content": text}


def _texts(parts: JSON) -> list[str]:
    return [str(part["text"]) for part in _listed(parts) if isinstance(part, dict) and part.get("text")]


def _call(id_: JSON, name: JSON, arguments: JSON) -> dict[str, JSON]:
    return {"type": "tool_call", "id": id_, "name": str(name or ""), "arguments": value_of(arguments)}


def _call_response(id_: JSON, output: JSON) -> dict[str, JSON]:
    return {"type": "tool_call_response", "id": id_, "response": output}


def _finish_reason(items: Iterable[JSON], parts: Iterable[Mapping[str, JSON]]) -> str:
    if any(isinstance(item, dict) and item.get("status") == "incomplete" for item in items):
        return "length"
    return "tool_call" if any(part["type"] == "tool_call" for part in parts) else "stop"
