"""Items of the Responses API as messages of the Chat Completions API."""

from __future__ import annotations

from typing import Any

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.models.history import History

__all__ = ["encode_messages", "text_of"]


def encode_messages(
    instructions: str | None,
    conversation: str | list[dict[str, Any]],
    *,
    model: str = "",
    reasoning_field: str | None = None,
) -> bytes:
    """Return the conversation as a JSON list of messages. What a run has sent before is not encoded again.

    Args:
        instructions: What becomes the system message.
        conversation: Items in the shape of the Responses API, or text.
        model: Name of the model: only its own reasoning is sent back to it.
        reasoning_field: Under which name reasoning is sent back; None leaves it out.

    Raises:
        UserError: An item has no form in Chat Completions; the message names its type.
    """
    if isinstance(conversation, str):
        conversation = [{"role": "user", "content": conversation}]
    messages = _Messages(model, reasoning_field)
    if isinstance(conversation, History):
        messages = conversation.kept.setdefault(f"chat.messages {reasoning_field} {model}", messages)
    messages.add(conversation[messages.count :])
    system = [_json.dumps({"role": "system", "content": instructions})] if instructions else []
    return b"[" + b",".join([*system, *messages.encoded()]) + b"]"


class _Messages:
    """Messages that only grow. The last assistant message stays open: calls that follow its text belong to it."""

    def __init__(self, model: str, reasoning_field: str | None) -> None:
        self.count = 0
        self._model = model
        self._reasoning_field = reasoning_field
        self._closed = bytearray()
        self._open: dict[str, Any] | None = None
        self._media: list[dict[str, Any]] = []
        """Pictures and files that tools returned: they follow the tools' messages, which hold text only."""

    def add(self, items: list[dict[str, Any]]) -> None:
        for item in items:
            self._add(item)
        self.count += len(items)

    def encoded(self) -> list[bytes]:
        parts = [bytes(self._closed)] if self._closed else []
        if self._media:
            parts.append(_json.dumps(_media_message(self._media)))
        if self._open is not None:
            parts.append(_json.dumps(_whole(self._open)))
        return parts

    def _add(self, item: dict[str, Any]) -> None:
        kind = item.get("type", "message")
        if kind == "function_call_output":
            content, media = _tool_output(item["output"], item["call_id"])
            self._close()
            self._write({"role": "tool", "tool_call_id": item["call_id"], "content": content})
            self._media += media
            return
        if self._media:
            self._write(_media_message(self._media))
            self._media = []
        if kind == "function_call":
            self._add_call(item)
        elif kind == "message" and item.get("role") == "assistant":
            self._add_said(item.get("content"))
        elif kind == "message":
            self._close()
            self._write({"role": item.get("role", "user"), "content": _content(item.get("content"))})
        elif kind == "reasoning":
            self._add_reasoning(item)
        else:
            raise UserError(
                f"OpenAIChatCompletionsModel can't carry an item of type {kind!r}.",
                hint="Use OpenAIResponsesModel, or take such items out of the input.",
            )

    def _add_call(self, item: dict[str, Any]) -> None:
        message = self._assistant()
        call = {"name": item["name"], "arguments": item.get("arguments") or "{}"}
        message.setdefault("tool_calls", []).append({"id": item["call_id"], "type": "function", "function": call})
        if self._reasoning_field is not None:  # servers that want it want it with every call, even empty
            message.setdefault(self._reasoning_field, "")

    def _add_said(self, content: Any) -> None:
        message = self._assistant()
        text, refusal = text_of(content), _refusal_of(content)
        if text or not refusal:
            message["content"] = (message.get("content") or "") + text
        if refusal:
            message["refusal"] = refusal

    def _add_reasoning(self, item: dict[str, Any]) -> None:
        """Add what the model thought, where it is to go back: a model isn't told the thoughts of another."""
        origin = (item.get("provider_data") or {}).get("model")
        if self._reasoning_field is None or origin != self._model:
            return
        message = self._assistant()
        thought = "".join(part.get("text") or "" for part in item.get("content") or ())
        message[self._reasoning_field] = message.get(self._reasoning_field, "") + thought

    def _assistant(self) -> dict[str, Any]:
        if self._open is None:
            self._open = {"role": "assistant", "content": None}
        return self._open

    def _close(self) -> None:
        if self._open is not None:
            self._write(_whole(self._open))
        self._open = None

    def _write(self, message: dict[str, Any]) -> None:
        if self._closed:
            self._closed += b","
        self._closed += _json.dumps(message)


def _whole(message: dict[str, Any]) -> dict[str, Any]:
    """Return an assistant message as it is sent: one without calls and refusal must have content."""
    if message["content"] is None and "tool_calls" not in message and "refusal" not in message:
        return {**message, "content": ""}
    return message


def text_of(content: Any) -> str:
    """Return the text of an assistant message's content: a string, or a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content or () if part.get("type") in ("output_text", "text"))


def _refusal_of(content: Any) -> str:
    if not isinstance(content, list):
        return ""
    return "".join(part.get("refusal", "") for part in content if part.get("type") == "refusal")


def _tool_output(output: Any, call_id: str) -> tuple[str, list[dict[str, Any]]]:
    """Return what a tool's message holds, and what has to follow it in a message of the user's."""
    if isinstance(output, str):
        return output, []
    parts = [_part(part) for part in output]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    media = [part for part in parts if part["type"] != "text"]
    if not media:
        return "\n".join(texts), []
    note = f"(What the tool returned besides text follows below, marked {call_id}.)"
    return "\n".join([*texts, note]), [{"type": "text", "text": f"Returned by the tool call {call_id}:"}, *media]


def _media_message(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"role": "user", "content": parts}


def _content(content: Any) -> Any:
    return [_part(part) for part in content] if isinstance(content, list) else content


def _part(part: dict[str, Any]) -> dict[str, Any]:
    kind = part.get("type")
    if kind in ("input_text", "output_text", "text"):
        return {"type": "text", "text": part.get("text", "")}
    if kind == "input_image" and part.get("image_url"):
        return {
            "type": "image_url",
            "image_url": {"url": part["image_url"], "detail": part.get("detail") or "auto"},
        }
    if kind == "input_file" and (part.get("file_id") or part.get("file_data")):
        keys = ("file_id", "file_data", "filename")
        return {"type": "file", "file": {key: part[key] for key in keys if part.get(key)}}
    if kind == "input_audio":
        return part
    raise UserError(
        f"OpenAIChatCompletionsModel can't carry content of type {kind!r} with {', '.join(sorted(part))}.",
        hint="It takes text, images given by URL or data URL, audio, and files given by id or data.",
    )
