"""Models behind OpenAI's Chat Completions API, which most other servers speak too."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any, ClassVar

from agentkit import _json
from agentkit.exceptions import ModelBehaviorError, ModelStatusError, UserError
from agentkit.models.call import plain_json, shared_fields
from agentkit.models.chat_items import INCOMPLETE, items_of_message
from agentkit.models.chat_messages import encode_messages
from agentkit.models.chat_quirks import ChatQuirks, Lessons, known_quirks, learn_from
from agentkit.models.chat_stream import ChatStream
from agentkit.models.errors import server_of, stream_error
from agentkit.models.interface import ModelResponse
from agentkit.models.output_schema import AgentOutputSchemaBase
from agentkit.models.settings import MCPToolChoice
from agentkit.models.stream import RawResponsesStreamEvent
from agentkit.models.wire import read_object
from agentkit.models.wire_model import ModelRequest, Pieces, WireModel, output_format
from agentkit.usage import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["OpenAIChatCompletionsModel"]

logger = logging.getLogger("agentkit")

_lessons = Lessons()


class OpenAIChatCompletionsModel(WireModel):
    """A model behind the Chat Completions API.

    Its answers take the shape of the Responses API, so that all else need not know the difference.

    Args:
        model: Its name on the platform.
        openai_client: The client, or a function that returns the one to use in the running event loop.
        quirks: In what the server differs from OpenAI's; when None, what is known of its host and model. What it
            refuses by name is learned in either case, unless `quirks.learn` is False.
    """

    api: ClassVar[str] = "chat_completions"
    path: ClassVar[str] = "/chat/completions"

    def __init__(
        self,
        model: str,
        openai_client: AsyncOpenAI | Callable[[], AsyncOpenAI],
        *,
        quirks: ChatQuirks | None = None,
    ) -> None:
        super().__init__(model, openai_client)
        self._known_quirks = quirks

    def _quirks(self, client: AsyncOpenAI) -> ChatQuirks:
        """Return how the server wants to be asked, as far as it is known."""
        return _lessons.of(str(client.base_url), self.model, self._quirks_at_first(client))

    def _quirks_at_first(self, client: AsyncOpenAI) -> ChatQuirks:
        return self._known_quirks or known_quirks(client.base_url.host, self.model)

    def _body(self, request: ModelRequest, client: AsyncOpenAI, *, stream: bool) -> bytes:
        _refuse_what_has_no_form(request, type(self).__name__)
        quirks = self._quirks(client)
        tools = self._encoded_tools(request, self._tool if quirks.strict_tools else _tool_without_strict)
        instructions = _instructions(request, quirks)
        how: dict[str, Any] = {"model": self.model, "reasoning_field": quirks.reasoning_field}
        messages = encode_messages(instructions, request.input, **how)
        fields = self._fields(request, quirks, stream=stream)
        how["instructions"] = instructions
        return self._encoded(fields, request, client, how, tools=tools, messages=messages)

    def _fields(self, request: ModelRequest, quirks: ChatQuirks, *, stream: bool) -> dict[str, Any]:
        settings = request.settings
        reasoning = plain_json(settings.reasoning) or {}
        usage = stream and quirks.stream_options and settings.include_usage is not False
        fields = shared_fields(settings) | {
            "model": self.model,
            "frequency_penalty": settings.frequency_penalty,
            "presence_penalty": settings.presence_penalty,
            quirks.token_limit: settings.max_tokens,
            "reasoning_effort": reasoning.get("effort"),
            "verbosity": settings.verbosity,
            "logprobs": True if settings.top_logprobs else None,
            "response_format": _response_format(request.output_schema, quirks),
            "tool_choice": _tool_choice(settings.tool_choice),
            "stream": True if stream else None,
            "stream_options": {"include_usage": True} if usage else None,
        }
        if not quirks.parallel_tool_calls:
            fields["parallel_tool_calls"] = None
        return fields

    def _learn(self, error: ModelStatusError, request: ModelRequest, client: AsyncOpenAI) -> bool:
        if error.status_code not in (400, 422, 501):
            return False
        quirks = self._quirks(client)
        sent = {key: value for key, value in self._fields(request, quirks, stream=True).items() if value is not None}
        if request.tools or request.handoffs:
            sent["tools"] = True
        taught = learn_from(str(error), quirks, sent)
        if taught is None:
            return False
        learned, what = taught
        at_first = self._quirks_at_first(client)
        for field in ("token_limit", "reasoning_field"):  # changed once only, or two refusals would go on for ever
            now = getattr(quirks, field)
            if now != getattr(learned, field) and now != getattr(at_first, field):
                return False
        _lessons.keep(str(client.base_url), self.model, at_first, learned)
        logger.warning("%s takes %s (model %s).", server_of(client), what, self.model)
        return True

    def _read(self, answer: dict[str, Any], client: AsyncOpenAI) -> ModelResponse:
        choices = answer.get("choices")
        if not choices:
            if "error" in answer:
                raise stream_error(answer["error"], client)
            raise ModelBehaviorError(f"{server_of(client)} answered without a choice: {answer!s:.200}")
        items = items_of_message(choices[0].get("message") or {}, answer.get("id"), self.model)
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


def _tool_without_strict(name: str, description: str, schema: dict[str, Any], strict: bool) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


def _refuse_what_has_no_form(request: ModelRequest, adapter: str) -> None:
    for name in ("previous_response_id", "conversation_id", "prompt"):
        if value := getattr(request, name):
            raise UserError(
                f"{adapter} can't carry {name}={value!r:.80}: Chat Completions servers keep neither conversations nor "
                "prompts.",
                hint="Use OpenAIResponsesModel, or pass the conversation itself as input.",
            )


def _chunk(data: bytes, client: AsyncOpenAI) -> dict[str, Any]:
    chunk = read_object(data, client)
    if error := chunk.get("error"):
        raise stream_error(error, client)
    return chunk


def _has_schema(output_schema: AgentOutputSchemaBase | None) -> bool:
    return output_schema is not None and not output_schema.is_plain_text()


def _response_format(output_schema: AgentOutputSchemaBase | None, quirks: ChatQuirks) -> dict[str, Any] | None:
    if output_schema is None or not _has_schema(output_schema) or quirks.structured_output == "instructions":
        return None
    if quirks.structured_output == "json_object":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": output_format(output_schema)}


def _instructions(request: ModelRequest, quirks: ChatQuirks) -> str | None:
    """Return the instructions, with the schema in them where the server takes none."""
    schema = request.output_schema
    if schema is None or not _has_schema(schema) or quirks.structured_output == "json_schema":
        return request.instructions
    wish = (
        "When you give your final answer, give it as one JSON object and nothing else, without a code fence. It must "
        f"follow this JSON schema:\n{_json.dumps(schema.json_schema()).decode()}"
    )
    return f"{request.instructions}\n\n{wish}" if request.instructions else wish


def _tool_choice(choice: Any) -> Any:
    if choice is None or choice in ("auto", "required", "none"):
        return choice
    if isinstance(choice, MCPToolChoice):
        raise UserError(
            f"OpenAIChatCompletionsModel can't carry tool_choice={choice!r}: it has no hosted MCP servers.",
            hint="Use OpenAIResponsesModel.",
        )
    if not isinstance(choice, str):
        return plain_json(dict(choice))
    return {"type": "function", "function": {"name": choice}}
