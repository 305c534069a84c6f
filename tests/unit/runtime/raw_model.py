"""A model of a user's own, that sends exactly what it is told to: wrong ids, unknown items, half sentences."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from agentkit import Model, ModelResponse, Usage

__all__ = ["RawModel", "SharedList", "said"]

Reply = list[dict[str, Any]] | Exception


class RawModel(Model):
    """Sends its replies one after another, and a last word for ever after.

    Args:
        replies: Each the items of an answer, just as they are, or what to raise.
        last_word: Text of all further answers.
        slow: Whether it takes a step before its answer, and one after each event.
    """

    def __init__(self, replies: Sequence[Reply], last_word: str = "That is all.", *, slow: bool = False) -> None:
        self.model = "raw"
        self.replies = list(replies)
        self.last_word = last_word
        self.slow = slow
        self.position = 0
        self.requests: list[str] = []
        """What it was sent, as JSON text, so that it stays what it was."""

    def _next(self, instructions: str | None, sent: Any) -> ModelResponse:
        self.requests.append(json.dumps([instructions, sent]))
        position, self.position = self.position, self.position + 1
        reply = self.replies[position] if position < len(self.replies) else [said(self.last_word)]
        if isinstance(reply, Exception):
            raise copy.copy(reply)
        return ModelResponse(
            copy.deepcopy(reply), Usage(1, len(sent), len(reply), len(sent) + len(reply)), f"resp_{position}"
        )

    async def get_response(  # the loop passes what it takes, and no more
        self,
        system_instructions: str | None,
        input: Any,
        model_settings: Any,
        tools: Any,
        output_schema: Any,
        handoffs: Any,
        tracing: Any,
    ) -> ModelResponse:
        if self.slow:
            await asyncio.sleep(0)
        return self._next(system_instructions, input)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: Any,
        model_settings: Any,
        tools: Any,
        output_schema: Any,
        handoffs: Any,
        tracing: Any,
    ) -> AsyncIterator[Any]:
        for event in self._events(self._next(system_instructions, input)):
            yield event
            if self.slow:
                await asyncio.sleep(0)

    def _events(self, response: ModelResponse) -> Iterator[dict[str, Any]]:
        yield {"type": "response.created", "response": {"id": response.response_id, "output": []}}
        for index, item in enumerate(response.raw_output):
            for part in item.get("content") or () if item.get("type") == "message" else ():
                if isinstance(part, dict) and part.get("text"):
                    yield {"type": "response.output_text.delta", "output_index": index, "delta": part["text"]}
            yield {"type": "response.output_item.done", "output_index": index, "item": item}
        usage = response.usage.to_dict()
        answer = {"id": response.response_id, "status": "completed", "output": response.raw_output, "usage": usage}
        yield {"type": "response.completed", "response": answer}


class SharedList:
    """A session of a user's own, with nothing but the documented methods, that lies in a list."""

    def __init__(self, items: list[dict[str, Any]] | None = None) -> None:
        self.session_id = "mine"
        self.items = [] if items is None else items

    async def get_items(self, limit: int | None = None) -> list[dict[str, Any]]:
        return copy.deepcopy(self.items if limit is None else self.items[-limit:] if limit else [])

    async def add_items(self, items: list[dict[str, Any]]) -> None:
        self.items += copy.deepcopy(items)

    async def pop_item(self) -> dict[str, Any] | None:
        return self.items.pop() if self.items else None

    async def clear_session(self) -> None:
        self.items.clear()


def said(*texts: str, **fields: Any) -> dict[str, Any]:
    """Return an assistant's message of so many parts."""
    parts = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": parts, **fields}
