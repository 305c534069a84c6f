"""Models behind OpenAI's Chat Completions API, which most other servers speak too."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Literal

from agentkit import _json
from agentkit.exceptions import ModelBehaviorError
from agentkit.models.call import encode_body, plain_json, shared_fields, tools_json
from agentkit.models.chat_messages import encode_messages
from agentkit.models.chat_stream import ChatStream, items_of_message
from agentkit.models.errors import stream_error
from agentkit.models.history import History
from agentkit.models.interface import Model, ModelResponse, ModelTracing, TResponseInputItem
from agentkit.models.output_schema import AgentOutputSchemaBase
from agentkit.models.settings import ModelSettings
from agentkit.models.stream import RawResponsesStreamEvent
from agentkit.models.wire import post, post_streamed
from agentkit.tools import Tool
from agentkit.usage import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["OpenAIChatCompletionsModel"]


class OpenAIChatCompletionsModel(Model):
    """A model behind the Chat Completions API.

    Its answers take the shape of the Responses API, so that all else need not know the difference.

    Args:
        model: Its name on the platform.
        openai_client: The client, or a function that returns the one to use in the running event loop.
    """

    api: Literal["chat_completions"] = "chat_completions"

    def __init__(self, model: str, openai_client: AsyncOpenAI | Callable[[], AsyncOpenAI]) -> None:
        self.model = model
        self._client = openai_client

    @property
    def client(self) -> AsyncOpenAI:
        """The client for the running event loop."""
        return self._client() if callable(self._client) else self._client

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
        """Return the model's whole answer. Arguments as for `Model.get_response`.

        Raises:
            ModelServerError: The server didn't answer, or answered with an error.
            ModelBehaviorError: It answered without a choice.
        """
        body = self._body(system_instructions, input, model_settings, tools, output_schema, handoffs, stream=False)
        client = self.client
        answer = _json.loads(await post(client, "/chat/completions", body, model_settings))
        choices = answer.get("choices")
        if not choices:
            raise ModelBehaviorError(f"{client.base_url} answered without a choice: {answer!s:.200}")
        items = items_of_message(choices[0].get("message") or {}, answer.get("id") or "")
        return ModelResponse(items, Usage.from_wire(answer.get("usage")), None)

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
        """Yield the answer's events as `openai` objects of the Responses API. Arguments as for `Model.get_response`."""
        batches = self.stream_batches(
            system_instructions, input, model_settings, tools, output_schema, handoffs, tracing
        )
        async for batch in batches:
            for event in batch:
                yield event.data

    async def stream_batches(
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
    ) -> AsyncGenerator[list[RawResponsesStreamEvent]]:
        """Yield the answer's events as they come, in the shape of the Responses API: a list for each piece."""
        body = self._body(system_instructions, input, model_settings, tools, output_schema, handoffs, stream=True)
        client = self.client
        stream = ChatStream(self.model)
        async with AsyncExitStack() as stack:
            batches = await stack.enter_async_context(post_streamed(client, "/chat/completions", body, model_settings))
            async for batch in batches:
                events: list[RawResponsesStreamEvent] = []
                for _, data in batch:
                    if data != b"[DONE]":
                        events += stream.feed(_chunk(data, str(client.base_url)))
                if events:
                    yield events
        yield stream.end()

    def _body(
        self,
        instructions: str | None,
        conversation: str | list[TResponseInputItem],
        settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Any],
        *,
        stream: bool,
    ) -> bytes:
        reasoning = plain_json(settings.reasoning) or {}
        fields = shared_fields(settings) | {
            "model": self.model,
            "frequency_penalty": settings.frequency_penalty,
            "presence_penalty": settings.presence_penalty,
            "max_completion_tokens": settings.max_tokens,
            "reasoning_effort": reasoning.get("effort"),
            "verbosity": settings.verbosity,
            "logprobs": True if settings.top_logprobs else None,
            "response_format": _response_format(output_schema),
            "tool_choice": _tool_choice(settings.tool_choice),
            "stream": True if stream else None,
            "stream_options": {"include_usage": True} if stream and settings.include_usage is not False else None,
        }
        return encode_body(
            fields,
            settings,
            tools=_encoded_tools(conversation, tools, handoffs) if tools or handoffs else None,
            messages=encode_messages(instructions, conversation),
        )


def _chunk(data: bytes, base_url: str) -> dict[str, Any]:
    chunk: dict[str, Any] = _json.loads(data)
    if error := chunk.get("error"):
        message = error.get("message", "no reason given") if isinstance(error, dict) else str(error)
        raise stream_error(message, error.get("code") if isinstance(error, dict) else None, base_url=base_url)
    return chunk


def _shape(name: str, description: str, schema: dict[str, Any], strict: bool) -> dict[str, Any]:
    function = {"name": name, "description": description, "parameters": schema, "strict": strict}
    return {"type": "function", "function": function}


def _encoded_tools(conversation: Any, tools: list[Tool], handoffs: list[Any]) -> bytes:
    """Return the tools' JSON; encoded once as long as a run keeps the same agent."""
    if not isinstance(conversation, History):
        return tools_json(tools, handoffs, _shape, adapter="OpenAIChatCompletionsModel")
    kept = conversation.kept.get("chat.tools")
    if kept is None or kept[0] is not tools or kept[1] is not handoffs:
        kept = (tools, handoffs, tools_json(tools, handoffs, _shape, adapter="OpenAIChatCompletionsModel"))
        conversation.kept["chat.tools"] = kept
    encoded: bytes = kept[2]
    return encoded


def _response_format(output_schema: AgentOutputSchemaBase | None) -> dict[str, Any] | None:
    if output_schema is None or output_schema.is_plain_text():
        return None
    schema = {
        "name": "final_output",
        "strict": output_schema.is_strict_json_schema(),
        "schema": output_schema.json_schema(),
    }
    return {"type": "json_schema", "json_schema": schema}


def _tool_choice(choice: str | None) -> Any:
    if choice is None or choice in ("auto", "required", "none"):
        return choice
    return {"type": "function", "function": {"name": choice}}
