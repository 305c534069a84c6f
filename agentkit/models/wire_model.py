"""What both of OpenAI's APIs have in common as models: a request through the client, read whole or as a stream."""

from __future__ import annotations

import abc
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from agentkit.models.call import tools_json
from agentkit.models.history import History
from agentkit.models.interface import Model, ModelResponse, ModelTracing, TResponseInputItem
from agentkit.models.output_schema import AgentOutputSchemaBase
from agentkit.models.settings import ModelSettings
from agentkit.models.stream import RawResponsesStreamEvent
from agentkit.models.wire import post, post_streamed
from agentkit.tools import Tool

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["ModelRequest", "Pieces", "WireModel", "output_format"]

Pieces = AsyncIterator[list[tuple[bytes, bytes]]]
"""Server-sent events as they come: name and data of each."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call of a model: the arguments of `Model.get_response`."""

    instructions: str | None
    input: str | list[TResponseInputItem]
    settings: ModelSettings
    tools: list[Tool]
    output_schema: AgentOutputSchemaBase | None
    handoffs: list[Any]
    previous_response_id: str | None = None
    conversation_id: str | None = None
    prompt: Any = None


class WireModel(Model):
    """A model behind one of OpenAI's APIs.

    Args:
        model: Its name on the platform.
        openai_client: The client, or a function that returns the one to use in the running event loop.
    """

    api: ClassVar[str]
    """Name of the API."""
    path: ClassVar[str]
    """Path of its endpoint."""

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
            ModelBehaviorError: Its answer holds none.
        """
        request = ModelRequest(
            system_instructions, input, model_settings, tools, output_schema, handoffs,
            previous_response_id, conversation_id, prompt,
        )  # fmt: skip
        client = self.client
        body = self._body(request, client, stream=False)
        return self._read(await post(client, self.path, body, model_settings), client)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """Yield the answer's events as `openai` objects. Arguments as for `Model.get_response`."""
        async with aclosing(self.stream_batches(*args, **kwargs)) as batches:
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
        """Yield the answer's events in the shape of the Responses API: a list for each piece that arrives, unparsed."""
        request = ModelRequest(
            system_instructions, input, model_settings, tools, output_schema, handoffs,
            previous_response_id, conversation_id, prompt,
        )  # fmt: skip
        client = self.client
        body = self._body(request, client, stream=True)
        async with (
            post_streamed(client, self.path, body, model_settings) as pieces,
            aclosing(self._events(pieces, client)) as batches,
        ):
            async for batch in batches:
                yield batch

    def _encoded_tools(self, request: ModelRequest) -> bytes | None:
        """Return the tools' JSON; encoded once as long as a run keeps the same agent."""
        tools, handoffs = request.tools, request.handoffs
        if not tools and not handoffs:
            return None
        kept = request.input.kept if isinstance(request.input, History) else {}
        known = kept.get(self.path)
        if known is None or known[0] is not tools or known[1] is not handoffs:
            encoded = tools_json(tools, handoffs, self._tool, adapter=type(self).__name__)
            known = kept[self.path] = (tools, handoffs, encoded)
        result: bytes = known[2]
        return result

    @abc.abstractmethod
    def _body(self, request: ModelRequest, client: AsyncOpenAI, *, stream: bool) -> bytes:
        """Return the request's body."""

    @abc.abstractmethod
    def _read(self, answer: dict[str, Any], client: AsyncOpenAI) -> ModelResponse:
        """Return the response that the server's JSON stands for."""

    @abc.abstractmethod
    def _events(self, pieces: Pieces, client: AsyncOpenAI) -> AsyncGenerator[list[RawResponsesStreamEvent]]:
        """Yield what the server's events stand for."""

    @staticmethod
    @abc.abstractmethod
    def _tool(name: str, description: str, schema: dict[str, Any], strict: bool) -> dict[str, Any]:
        """Return a tool in the API's shape."""


def output_format(schema: AgentOutputSchemaBase) -> dict[str, Any]:
    """Return an output schema as both APIs take it."""
    return {"name": "final_output", "strict": schema.is_strict_json_schema(), "schema": schema.json_schema()}
