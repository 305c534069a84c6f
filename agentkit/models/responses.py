"""Models behind OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from agentkit.exceptions import UserError
from agentkit.models.call import plain_json, shared_fields
from agentkit.models.errors import stream_error
from agentkit.models.history import encode_items
from agentkit.models.hosted_tools import hosted_tool_json, needed_includes, tool_choice_json
from agentkit.models.interface import ModelResponse
from agentkit.models.stream import RawResponsesStreamEvent
from agentkit.models.wire import read_object
from agentkit.models.wire_model import ModelRequest, Pieces, WireModel, output_format
from agentkit.usage import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["OpenAIResponsesModel", "response_from_wire"]


class OpenAIResponsesModel(WireModel):
    """A model behind the Responses API.

    Args:
        model: Its name on the platform.
        openai_client: The client, or a function that returns the one to use in the running event loop.
    """

    api: ClassVar[str] = "responses"
    path: ClassVar[str] = "/responses"

    def _body(self, request: ModelRequest, client: AsyncOpenAI, *, stream: bool) -> bytes:
        if request.previous_response_id and request.conversation_id:
            raise UserError(
                f"The run has both previous_response_id={request.previous_response_id!r} and "
                f"conversation_id={request.conversation_id!r}, and the API takes one of them.",
                hint="Leave one out: a conversation holds its earlier responses already.",
            )
        settings = request.settings
        fields = shared_fields(settings) | {
            "model": self.model,
            "instructions": request.instructions,
            "max_output_tokens": settings.max_tokens,
            "truncation": settings.truncation,
            "reasoning": plain_json(settings.reasoning),
            "include": _include(request),
            "context_management": _plain_list(settings.context_management),
            "text": _text(request),
            "tool_choice": tool_choice_json(settings.tool_choice, request.tools, request.handoffs, self.model),
            "previous_response_id": request.previous_response_id,
            "conversation": request.conversation_id,
            "prompt": request.prompt,
            "stream": True if stream else None,
        }
        conversation = b"[" + encode_items(request.input) + b"]"
        return self._encoded(fields, request, client, tools=self._encoded_tools(request), input=conversation)

    def _read(self, answer: dict[str, Any], client: AsyncOpenAI) -> ModelResponse:
        return response_from_wire(answer, client)

    async def _events(self, pieces: Pieces, client: AsyncOpenAI) -> AsyncGenerator[list[RawResponsesStreamEvent]]:
        async for piece in pieces:
            yield [
                RawResponsesStreamEvent.from_bytes(data, name.decode() or _type_of(data, client))
                for name, data in piece
                if data != b"[DONE]"
            ]

    def _hosted(self, tool: Any) -> dict[str, Any] | None:
        return hosted_tool_json(tool, self.model)

    @staticmethod
    def _tool(name: str, description: str, schema: dict[str, Any], strict: bool) -> dict[str, Any]:
        return {"type": "function", "name": name, "description": description, "parameters": schema, "strict": strict}


def response_from_wire(answer: dict[str, Any], client: AsyncOpenAI | None = None) -> ModelResponse:
    """Return the response whose JSON is `answer`.

    Raises:
        ModelServerError: The response failed; the message is the platform's.
    """
    if answer.get("status") == "failed" or (answer.get("error") and not answer.get("output")):
        raise stream_error(answer.get("error") or {}, client)
    reason = (answer.get("incomplete_details") or {}).get("reason") if answer.get("status") == "incomplete" else None
    return ModelResponse(
        answer.get("output") or [],
        Usage.from_wire(answer.get("usage")),
        answer.get("id"),
        model=answer.get("model"),
        incomplete=reason,
    )


def _type_of(data: bytes, client: AsyncOpenAI) -> str:
    """Return the type of an event that came without a name."""
    event = read_object(data, client)
    if "type" not in event and "error" in event:
        raise stream_error(event["error"], client)
    return str(event.get("type", ""))


def _text(request: ModelRequest) -> dict[str, Any] | None:
    text: dict[str, Any] = {}
    if request.output_schema is not None and not request.output_schema.is_plain_text():
        text["format"] = {"type": "json_schema", **output_format(request.output_schema)}
    if request.settings.verbosity is not None:
        text["verbosity"] = request.settings.verbosity
    return text or None


def _include(request: ModelRequest) -> list[str] | None:
    """Return what more the response is to hold: what the settings name, and what they and the tools imply."""
    settings = request.settings
    wanted = [*(settings.response_include or ()), *needed_includes(request.tools)]
    if settings.top_logprobs is not None:
        wanted.append("message.output_text.logprobs")
    return list(dict.fromkeys(wanted)) or None


def _plain_list(entries: Sequence[Any] | None) -> list[Any] | None:
    return None if entries is None else [plain_json(entry) for entry in entries]
