"""Items of the Responses API as messages of the Chat Completions API."""

from __future__ import annotations

from typing import Any

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.models.history import History

__all__ = ["encode_messages", "text_of"]


def encode_messages(instructions: str | None, conversation: str | list[dict[str, Any]]) -> bytes:
    """Return the conversation as a JSON list of messages. What a run has sent before is not encoded again.

    Raises:
        UserError: An item has no form in Chat Completions; the message names its type.
    """
    if isinstance(conversation, str):
        conversation = [{"role": "user", "content": conversation}]
    if isinstance(conversation, History):
        messages = conversation.kept.setdefault("chat.messages", _Messages())
    else:
        messages = _Messages()
    messages.add(conversation[messages.count :])
    system = [_json.dumps({"role": "system", "content": instructions})] if instructions else []
    return b"[" + b",".join([*system, *messages.encoded()]) + b"]"


class _Messages:
    """Messages that only grow. The last assistant message stays open: calls that follow its text belong to it."""

    def __init__(self) -> None:
        self.count = 0
        self._closed = bytearray()
        self._open: dict[str, Any] | None = None

    def add(self, items: list[dict[str, Any]]) -> None:
        for item in items:
            self._add(item)
        self.count += len(items)

    def encoded(self) -> list[bytes]:
        parts = [bytes(self._closed)] if self._closed else []
        if self._open is not None:
            parts.append(_json.dumps(self._open))
        return parts

    def _add(self, item: dict[str, Any]) -> None:
        kind = item.get("type", "message")
        if kind == "function_call":
            call = {"name": item["name"], "arguments": item.get("arguments") or "{}"}
            calls = self._assistant().setdefault("tool_calls", [])
            calls.append({"id": item["call_id"], "type": "function", "function": call})
        elif kind == "function_call_output":
            self._close({"role": "tool", "tool_call_id": item["call_id"], "content": _tool_output(item["output"])})
        elif kind == "message" and item.get("role") == "assistant":
            message = self._assistant()
            text, refusal = text_of(item.get("content")), _refusal_of(item.get("content"))
            if text or not refusal:
                message["content"] = (message.get("content") or "") + text
            if refusal:
                message["refusal"] = refusal
        elif kind == "message":
            self._close({"role": item.get("role", "user"), "content": _content(item.get("content"))})
        elif kind != "reasoning":  # another model's thoughts, which this API has no place for
            raise UserError(
                f"OpenAIChatCompletionsModel can't carry an item of type {kind!r}.",
                hint="Use OpenAIResponsesModel, or take such items out of the input.",
            )

    def _assistant(self) -> dict[str, Any]:
        if self._open is None:
            self._open = {"role": "assistant", "content": None}
        return self._open

    def _close(self, message: dict[str, Any]) -> None:
        for ready in (self._open, message):
            if ready is not None:
                if self._closed:
                    self._closed += b","
                self._closed += _json.dumps(ready)
        self._open = None


def text_of(content: Any) -> str:
    """Return the text of an assistant message's content: a string, or a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content or () if part.get("type") in ("output_text", "text"))


def _refusal_of(content: Any) -> str:
    if not isinstance(content, list):
        return ""
    return "".join(part.get("refusal", "") for part in content if part.get("type") == "refusal")


def _tool_output(output: Any) -> Any:
    return output if isinstance(output, str) else _content(output)


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
    if kind == "input_file":
        keys = ("file_id", "file_data", "filename")
        return {"type": "file", "file": {key: part[key] for key in keys if part.get(key)}}
    if kind == "input_audio":
        return part
    raise UserError(
        f"OpenAIChatCompletionsModel can't carry content of type {kind!r}.",
        hint="It takes text, images given by URL or data URL, audio and files.",
    )
