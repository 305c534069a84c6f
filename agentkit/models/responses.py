"""Models behind OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Literal

from agentkit import _json
from agentkit.models.call import encode_body, plain_json, shared_fields, tools_json
from agentkit.models.errors import stream_error
from agentkit.models.history import History, encode_items
from agentkit.models.interface import Model, ModelResponse, ModelTracing, TResponseInputItem
from agentkit.models.output_schema import AgentOutputSchemaBase
from agentkit.models.settings import ModelSettings
from agentkit.models.stream import RawResponsesStreamEvent
from agentkit.models.wire import post, post_streamed
from agentkit.tools import Tool
from agentkit.usage import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["OpenAIResponsesModel", "response_from_wire"]


class OpenAIResponsesModel(Model):
    """A model behind the Responses API.

    Args:
        model: Its name on the platform.
        openai_client: The client, or a function that returns the one to use in the running event loop.
    """

    api: Literal["responses"] = "responses"

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
        """
        body = self._body(
            system_instructions, input, model_settings, tools, output_schema, handoffs,
            previous_response_id, conversation_id, prompt, stream=False,
        )  # fmt: skip
        answer = _json.loads(await post(self.client, "/responses", body, model_settings))
        return response_from_wire(answer, base_url=str(self.client.base_url))

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
        """Yield the answer's events as `openai` objects. Arguments as for `Model.get_response`."""
        batches = self.stream_batches(
            system_instructions, input, model_settings, tools, output_schema, handoffs, tracing,
            previous_response_id=previous_response_id, conversation_id=conversation_id, prompt=prompt,
        )  # fmt: skip
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
        """Yield the answer's events as they come, unparsed: a list for each piece that arrives."""
        body = self._body(
            system_instructions, input, model_settings, tools, output_schema, handoffs,
            previous_response_id, conversation_id, prompt, stream=True,
        )  # fmt: skip
        client = self.client
        async with AsyncExitStack() as stack:
            batches = await stack.enter_async_context(post_streamed(client, "/responses", body, model_settings))
            async for batch in batches:
                yield [
                    RawResponsesStreamEvent.from_bytes(data, name.decode() or _type_of(data, str(client.base_url)))
                    for name, data in batch
                    if data != b"[DONE]"
                ]

    def _body(
        self,
        instructions: str | None,
        conversation: str | list[TResponseInputItem],
        settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Any],
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: Any,
        *,
        stream: bool,
    ) -> bytes:
        fields = shared_fields(settings) | {
            "model": self.model,
            "instructions": instructions,
            "max_output_tokens": settings.max_tokens,
            "truncation": settings.truncation,
            "reasoning": plain_json(settings.reasoning),
            "include": settings.response_include,
            "text": _text(output_schema, settings),
            "tool_choice": _tool_choice(settings.tool_choice),
            "previous_response_id": previous_response_id,
            "conversation": conversation_id,
            "prompt": prompt,
            "stream": True if stream else None,
        }
        return encode_body(
            fields,
            settings,
            tools=_encoded_tools(conversation, tools, handoffs) if tools or handoffs else None,
            input=b"[" + encode_items(conversation) + b"]",
        )


def response_from_wire(answer: dict[str, Any], *, base_url: str) -> ModelResponse:
    """Return the response whose JSON is `answer`.

    Raises:
        ModelServerError: The response failed; the message is the platform's.
    """
    if answer.get("status") == "failed" or (answer.get("error") and not answer.get("output")):
        error = answer.get("error") or {}
        raise stream_error(error.get("message", "no reason given"), error.get("code"), base_url=base_url)
    return ModelResponse(answer.get("output") or [], Usage.from_wire(answer.get("usage")), answer.get("id"))


def _type_of(data: bytes, base_url: str) -> str:
    """Return the type of an event that came without a name."""
    event = _json.loads(data)
    if isinstance(event, dict) and "type" not in event and isinstance(event.get("error"), dict):
        error = event["error"]
        raise stream_error(error.get("message", "no reason given"), error.get("code"), base_url=base_url)
    kind: str = event.get("type", "")
    return kind


def _shape(name: str, description: str, schema: dict[str, Any], strict: bool) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "description": description,
        "parameters": schema,
        "strict": strict,
    }


def _encoded_tools(conversation: Any, tools: list[Tool], handoffs: list[Any]) -> bytes:
    """Return the tools' JSON; encoded once as long as a run keeps the same agent."""
    if not isinstance(conversation, History):
        return tools_json(tools, handoffs, _shape, adapter="OpenAIResponsesModel")
    kept = conversation.kept.get("responses.tools")
    if kept is None or kept[0] is not tools or kept[1] is not handoffs:
        kept = (tools, handoffs, tools_json(tools, handoffs, _shape, adapter="OpenAIResponsesModel"))
        conversation.kept["responses.tools"] = kept
    encoded: bytes = kept[2]
    return encoded


def _text(output_schema: AgentOutputSchemaBase | None, settings: ModelSettings) -> dict[str, Any] | None:
    text: dict[str, Any] = {}
    if output_schema is not None and not output_schema.is_plain_text():
        text["format"] = {
            "type": "json_schema",
            "name": "final_output",
            "schema": output_schema.json_schema(),
            "strict": output_schema.is_strict_json_schema(),
        }
    if settings.verbosity is not None:
        text["verbosity"] = settings.verbosity
    return text or None


def _tool_choice(choice: str | None) -> Any:
    if choice is None or choice in ("auto", "required", "none"):
        return choice
    return {"type": "function", "name": choice}
