"""Models behind OpenAI's Chat Completions API, which most other servers speak too."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, ClassVar

from agentkit.exceptions import ModelBehaviorError
from agentkit.models.call import encode_body, plain_json, shared_fields
from agentkit.models.chat_messages import encode_messages
from agentkit.models.chat_stream import INCOMPLETE, ChatStream, items_of_message
from agentkit.models.errors import server_of, stream_error
from agentkit.models.interface import ModelResponse
from agentkit.models.output_schema import AgentOutputSchemaBase
from agentkit.models.stream import RawResponsesStreamEvent
from agentkit.models.wire import read_object
from agentkit.models.wire_model import ModelRequest, Pieces, WireModel, output_format
from agentkit.usage import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["OpenAIChatCompletionsModel"]


class OpenAIChatCompletionsModel(WireModel):
    """A model behind the Chat Completions API.

    Its answers take the shape of the Responses API, so that all else need not know the difference.

    Args:
        model: Its name on the platform.
        openai_client: The client, or a function that returns the one to use in the running event loop.
    """

    api: ClassVar[str] = "chat_completions"
    path: ClassVar[str] = "/chat/completions"

    def _body(self, request: ModelRequest, client: AsyncOpenAI, *, stream: bool) -> bytes:
        settings = request.settings
        reasoning = plain_json(settings.reasoning) or {}
        fields = shared_fields(settings) | {
            "model": self.model,
            "frequency_penalty": settings.frequency_penalty,
            "presence_penalty": settings.presence_penalty,
            _token_limit(client): settings.max_tokens,
            "reasoning_effort": reasoning.get("effort"),
            "verbosity": settings.verbosity,
            "logprobs": True if settings.top_logprobs else None,
            "response_format": _response_format(request.output_schema),
            "tool_choice": _tool_choice(settings.tool_choice),
            "stream": True if stream else None,
            "stream_options": {"include_usage": True} if stream and settings.include_usage is not False else None,
        }
        messages = encode_messages(request.instructions, request.input)
        return encode_body(fields, settings, tools=self._encoded_tools(request), messages=messages)

    def _read(self, answer: dict[str, Any], client: AsyncOpenAI) -> ModelResponse:
        choices = answer.get("choices")
        if not choices:
            if "error" in answer:
                raise stream_error(answer["error"], client)
            raise ModelBehaviorError(f"{server_of(client)} answered without a choice: {answer!s:.200}")
        items = items_of_message(choices[0].get("message") or {}, answer.get("id") or "")
        reason = INCOMPLETE.get(choices[0].get("finish_reason"))
        usage = Usage.from_wire(answer.get("usage"))
        return ModelResponse(items, usage, None, model=answer.get("model"), incomplete=reason)

    async def _events(self, pieces: Pieces, client: AsyncOpenAI) -> AsyncGenerator[list[RawResponsesStreamEvent]]:
        stream = ChatStream(self.model)
        async for piece in pieces:
            events: list[RawResponsesStreamEvent] = []
            for _, data in piece:
                if data == b"[DONE]":  # some servers keep the connection open after it
                    yield [*events, *stream.end()]
                    return
                events += stream.feed(_chunk(data, client))
            if events:
                yield events
        yield stream.end()

    @staticmethod
    def _tool(name: str, description: str, schema: dict[str, Any], strict: bool) -> dict[str, Any]:
        function = {"name": name, "description": description, "parameters": schema, "strict": strict}
        return {"type": "function", "function": function}


def _token_limit(client: AsyncOpenAI) -> str:
    """Return the name of the limit: OpenAI has given it a new one, which others refuse or pass over."""
    return "max_completion_tokens" if client.base_url.host == "api.openai.com" else "max_tokens"


def _chunk(data: bytes, client: AsyncOpenAI) -> dict[str, Any]:
    chunk = read_object(data, client)
    if error := chunk.get("error"):
        raise stream_error(error, client)
    return chunk


def _response_format(output_schema: AgentOutputSchemaBase | None) -> dict[str, Any] | None:
    if output_schema is None or output_schema.is_plain_text():
        return None
    return {"type": "json_schema", "json_schema": output_format(output_schema)}


def _tool_choice(choice: str | None) -> Any:
    if choice is None or choice in ("auto", "required", "none"):
        return choice
    return {"type": "function", "function": {"name": choice}}
