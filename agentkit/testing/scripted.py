"""A model that answers what it was told to, for tests: of agentkit, and of its users' agents."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.models import (
    AgentOutputSchemaBase,
    Model,
    ModelResponse,
    ModelSettings,
    ModelTracing,
    RawResponsesStreamEvent,
    TResponseInputItem,
)
from agentkit.tooling import Tool
from agentkit.usage import Usage

__all__ = ["ScriptedModel", "ScriptedRequest", "call", "message"]

Item = dict[str, Any]


def message(text: str) -> Item:
    """Return an assistant's message, as a model would have sent it."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "message", "id": "", "role": "assistant", "status": "completed", "content": [part]}


def call(name: str, /, **arguments: Any) -> Item:
    """Return a call of the tool `name`, as a model would have sent it. Handoffs are tools too: `transfer_to_…`."""
    return {
        "type": "function_call",
        "id": "",
        "call_id": "",
        "name": name,
        "arguments": _json.dumps(arguments).decode(),
        "status": "completed",
    }


@dataclass(frozen=True, slots=True)
class ScriptedRequest:
    """What the model was asked."""

    system_instructions: str | None
    """The agent's instructions."""
    input: list[TResponseInputItem]
    """The conversation up to there."""
    tools: list[str]
    """Names of the tools it was offered."""
    handoffs: list[str]
    """Names of the handoffs it was offered, as tools."""
    output_schema: AgentOutputSchemaBase | None
    """Schema that the answer was to follow."""
    model_settings: ModelSettings
    """Settings of the call."""


class ScriptedModel(Model):
    """Answers with its replies, in their order, and keeps what it was asked in `requests`.

    ```python
    model = ScriptedModel().reply(call("get_weather", city="Tokyo")).reply("It is sunny.")
    ```

    Args:
        replies: The first replies, each a text, an item, a list of items or an exception.
    """

    def __init__(self, *replies: str | Item | list[Item] | Exception) -> None:
        self.model = "scripted"
        self.requests: list[ScriptedRequest] = []
        self._replies: deque[list[Item] | Exception] = deque()
        self._count = 0
        self._counted: tuple[int, int, Item | None] = (0, 0, None)
        for reply in replies:
            self._replies.append(_items(reply))

    def reply(self, *items: str | Item | Exception) -> ScriptedModel:
        """Add one reply made of `items`, and return the model: texts, calls, or an exception to be raised."""
        if len(items) == 1:
            self._replies.append(_items(items[0]))
        else:
            self._replies.append([item for part in items for item in _all_items(part)])
        return self

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 (the documented name)
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Any],
        tracing: ModelTracing = ModelTracing.DISABLED,
        *,
        previous_response_id: str | None = None,
        conversation_id: str | None = None,
        prompt: Any = None,
    ) -> ModelResponse:
        """Return the next reply.

        Raises:
            UserError: There is none left.
            Exception: The reply is one.
        """
        conversation = [{"role": "user", "content": input}] if isinstance(input, str) else input
        self.requests.append(
            ScriptedRequest(
                system_instructions,
                conversation,
                [tool.name for tool in tools],
                [handoff.tool_name for handoff in handoffs],
                output_schema,
                model_settings,
            )
        )
        if not self._replies:
            raise UserError(f"ScriptedModel was called {len(self.requests)} times, but has no reply left.")
        reply = self._replies.popleft()
        if isinstance(reply, Exception):
            raise reply
        self._count += 1
        output = [self._numbered(item, index) for index, item in enumerate(reply)]
        sent, received = self._sent(conversation), _tokens(output)
        return ModelResponse(output, Usage(1, sent, received, sent + received), f"resp_{self._count}")

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 (the documented name)
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Any],
        tracing: ModelTracing = ModelTracing.DISABLED,
        *,
        previous_response_id: str | None = None,
        conversation_id: str | None = None,
        prompt: Any = None,
    ) -> AsyncIterator[Any]:
        """Yield the next reply as the events that the Responses API sends. Errors as for `get_response`."""
        response = await self.get_response(
            system_instructions, input, model_settings, tools, output_schema, handoffs, tracing
        )
        for number, event in enumerate(_events(response, self.model)):
            yield RawResponsesStreamEvent({"sequence_number": number, **event}).data

    def _sent(self, conversation: list[Item]) -> int:
        """Return the tokens of a conversation; of one that goes on from the last only what is new is counted."""
        known, count, first = self._counted
        if not conversation or conversation[0] is not first or len(conversation) < known:
            known = count = 0
        count += _tokens(conversation[known:])
        self._counted = (len(conversation), count, conversation[0] if conversation else None)
        return count

    def _numbered(self, item: Item, index: int) -> Item:
        """Return the item with ids that no other item of this model has."""
        number = f"{self._count}_{index}"
        if item["type"] == "function_call":
            return {
                **item,
                "id": item["id"] or f"fc_{number}",
                "call_id": item["call_id"] or f"call_{number}",
            }
        return {**item, "id": item.get("id") or f"msg_{number}"}


def _items(reply: str | Item | list[Item] | Exception) -> list[Item] | Exception:
    return reply if isinstance(reply, Exception) else _all_items(reply)


def _all_items(reply: Any) -> list[Item]:
    if isinstance(reply, str):
        return [message(reply)]
    if isinstance(reply, dict):
        return [reply]
    if isinstance(reply, list):
        return [item for part in reply for item in _all_items(part)]
    raise UserError(
        f"ScriptedModel can't reply with {type(reply).__name__} {reply!r:.60}.", hint="Use text or call(…)."
    )


def _tokens(items: list[Item]) -> int:
    """Return about how many tokens the items are: four characters each. A real model would count otherwise."""
    return (
        sum(len(str(item.get("content") or item.get("arguments") or item.get("output") or "")) for item in items) // 4
    )


def _events(response: ModelResponse, model: str) -> list[Item]:
    base: Item = {
        "id": response.response_id, "object": "response", "created_at": int(time.time()), "model": model,
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "output": [], "status": "in_progress",
    }  # fmt: skip
    events: list[Item] = [{"type": f"response.{kind}", "response": base} for kind in ("created", "in_progress")]
    for index, item in enumerate(response.raw_output):
        place = {"output_index": index, "item_id": item.get("id", "")}
        opened = {**item, "status": "in_progress", **({"content": []} if "content" in item else {})}
        events.append({"type": "response.output_item.added", "output_index": index, "item": opened})
        if item["type"] == "message":
            events += _text_events(item, place)
        elif item["type"] == "function_call":
            arguments = {"arguments": item["arguments"]}
            events.append({"type": "response.function_call_arguments.delta", **place, "delta": item["arguments"]})
            events.append({"type": "response.function_call_arguments.done", **place, "name": item["name"], **arguments})
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    usage = {
        **{
            key: value
            for key, value in response.usage.to_dict().items()
            if key.endswith("put_tokens") or key == "total_tokens"
        },
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    done = {**base, "status": "completed", "output": response.raw_output, "usage": usage}
    return [*events, {"type": "response.completed", "response": done}]


def _text_events(item: Item, place: Item) -> list[Item]:
    events: list[Item] = []
    for position, part in enumerate(item["content"]):
        at = {**place, "content_index": position}
        text = part["text"]
        events.append({"type": "response.content_part.added", **at, "part": {**part, "text": ""}})
        events += [
            {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
            for piece in re.findall(r"\s*\S+\s*$|\s*\S+", text) or [text]
        ]
        events.append({"type": "response.output_text.done", **at, "text": text, "logprobs": []})
        events.append({"type": "response.content_part.done", **at, "part": part})
    return events
