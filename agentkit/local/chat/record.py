"""A chat completion, and the chunks of a streamed one."""

from __future__ import annotations

import time
from typing import Any

from agentkit.local.chat.stop import StopFilter
from agentkit.local.generation import ArgumentsPart, CallBegun, Part, TextPart
from agentkit.local.ids import new_id

__all__ = ["ChatWriter"]

Chunk = dict[str, Any]


class ChatWriter:
    """Writes an answer as a chat completion.

    Args:
        model: Name of the model that answers.
        stop: Texts at which the answer ends.
        with_usage: Whether chunks tell of usage.
    """

    def __init__(self, model: str, stop: list[str], *, with_usage: bool = False) -> None:
        self._head = {"id": f"chatcmpl-{new_id('x')[2:]}", "created": int(time.time()), "model": model}
        self._tail: dict[str, Any] = {"service_tier": "default", "system_fingerprint": None}
        self._with_usage = with_usage
        self._stop = StopFilter(stop)
        self._texts: list[str] = []
        self._calls: list[dict[str, Any]] = []
        self._begun = False

    @property
    def stopped(self) -> bool:
        """Whether a stop sequence has come: nothing more is wanted."""
        return self._stop.stopped

    def write(self, part: Part) -> list[Chunk]:
        """Add a part of the answer; return the chunks that tell of it."""
        if isinstance(part, TextPart):
            return self._text(self._stop.feed(part.text))
        if isinstance(part, CallBegun):
            return [*self._text(self._stop.end()), *self._begin_call(part.name)]
        if isinstance(part, ArgumentsPart):
            call = self._calls[-1]
            call["function"]["arguments"] += part.text
            delta = {"index": len(self._calls) - 1, "function": {"arguments": part.text}}
            return [self._chunk({"tool_calls": [delta]})]
        return []  # a call's end says nothing here, and files are not searched

    def end(self, *, cut: bool) -> list[Chunk]:
        """Return the chunks after the answer's last part: what was held back, and why it ended."""
        rest = [] if self.stopped else self._text(self._stop.end())
        opening = [] if self._begun else self._opening("")
        return [*rest, *opening, self._chunk({}, self._finish_reason(cut))]

    def usage_chunk(self, usage: dict[str, Any]) -> Chunk:
        """Return the very last chunk, which has no choices."""
        return {**self._chunk({}), "choices": [], "usage": usage}

    def completion(self, usage: dict[str, Any], *, cut: bool) -> dict[str, Any]:
        """Return the whole answer as one object."""
        text = "".join(self._texts)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if self._calls and not text else text,
            "refusal": None,
            "annotations": [],
        }
        if self._calls:
            message["tool_calls"] = self._calls
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish_reason(cut)}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": usage, **self._tail}

    def _finish_reason(self, cut: bool) -> str:
        if cut:
            return "length"
        return "tool_calls" if self._calls else "stop"

    def _text(self, text: str) -> list[Chunk]:
        if not text:
            return []
        self._texts.append(text)
        opening = [] if self._begun else self._opening("")
        return [*opening, self._chunk({"content": text})]

    def _begin_call(self, name: str) -> list[Chunk]:
        opening = [] if self._begun else self._opening(None)
        call = {"id": new_id("call"), "type": "function", "function": {"name": name, "arguments": ""}}
        self._calls.append(call)
        delta = {"index": len(self._calls) - 1, **call, "function": {"name": name, "arguments": ""}}
        return [*opening, self._chunk({"tool_calls": [delta]})]

    def _opening(self, content: str | None) -> list[Chunk]:
        self._begun = True
        return [self._chunk({"role": "assistant", "content": content, "refusal": None})]

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> Chunk:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        chunk = {**self._head, "object": "chat.completion.chunk", "choices": [choice], **self._tail}
        if self._with_usage:
            chunk["usage"] = None
        return chunk
