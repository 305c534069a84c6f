"""What both of OpenAI's APIs have in common as models: a request through the client, read whole or as a stream."""

from __future__ import annotations

import abc
import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from agentkit import _json
from agentkit.exceptions import ModelStatusError
from agentkit.models.call import body_values, encode_body, tools_json
from agentkit.models.errors import too_slow
from agentkit.models.history import History
from agentkit.models.interface import Model, ModelResponse, ModelTracing, TResponseInputItem
from agentkit.models.output_schema import AgentOutputSchemaBase
from agentkit.models.sent import SentRequest, output_format, telling
from agentkit.models.settings import ModelSettings
from agentkit.models.stream import RawResponsesStreamEvent
from agentkit.models.wire import post, post_streamed
from agentkit.tooling import Tool

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["ModelRequest", "Pieces", "WireModel", "output_format"]

ToolShape = Callable[[str, str, dict[str, Any], bool], dict[str, Any]]
"""Makes a tool in an API's shape."""

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
    sender: ClassVar[str | None] = None
    """What makes the request of the body, where it isn't sent as it is."""

    def __init__(self, model: str, openai_client: AsyncOpenAI | Callable[[], AsyncOpenAI]) -> None:
        self.model = model
        self._client = openai_client

    @property
    def client(self) -> AsyncOpenAI:
        """The client for the running event loop."""
        return self._client() if callable(self._client) else self._client

    def request_body(
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
        stream: bool = True,
    ) -> bytes:
        """Return the JSON that `stream_response` would send, or `get_response` where not `stream`. Nothing is sent.

        Other arguments as for `Model.get_response`.

        Raises:
            UserError: The settings or tools can't be sent by this API.
        """
        request = ModelRequest(
            system_instructions, input, model_settings, tools, output_schema, handoffs,
            previous_response_id, conversation_id, prompt,
        )  # fmt: skip
        return self._body(request, self.client, stream=stream)

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
        async with _time_limit(model_settings.timeout, client):
            while True:
                body = self._body(request, client, stream=False)
                try:
                    return self._read(await self._post(client, body, model_settings), client)
                except ModelStatusError as error:
                    if not self._learn(error, request, client):
                        raise

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
        ends = None if model_settings.timeout is None else time.monotonic() + model_settings.timeout
        async with AsyncExitStack() as stack:
            async with _time_limit(model_settings.timeout, client):
                pieces = await self._open_stream(stack, request, client)
            batches = await stack.enter_async_context(aclosing(self._events(pieces, client)))
            if ends is None:
                async for batch in batches:
                    yield batch
                return
            while True:  # the limit is for waiting on the server, not for what is done with its events
                async with _time_limit(ends - time.monotonic(), client, of=model_settings.timeout):
                    batch = await anext(batches, [])
                if not batch:
                    return
                yield batch

    async def _open_stream(self, stack: AsyncExitStack, request: ModelRequest, client: AsyncOpenAI) -> Pieces:
        """Return the server's events as they come; leaving `stack` closes the connection."""
        while True:
            body = self._body(request, client, stream=True)
            try:
                return await stack.enter_async_context(self._post_streamed(client, body, request.settings))
            except ModelStatusError as error:
                if not self._learn(error, request, client):
                    raise

    async def _post(self, client: AsyncOpenAI, body: bytes, settings: ModelSettings) -> dict[str, Any]:
        """Return what the server answers to a request."""
        return await post(client, self.path, body, settings)

    def _post_streamed(
        self, client: AsyncOpenAI, body: bytes, settings: ModelSettings
    ) -> AbstractAsyncContextManager[Pieces]:
        """Give what the server answers to a request, as it comes."""
        return post_streamed(client, self.path, body, settings)

    def _learn(self, error: ModelStatusError, request: ModelRequest, client: AsyncOpenAI) -> bool:
        """Return whether the server has to be asked again, in another way that its refusal taught."""
        return False

    def _encoded(
        self,
        fields: dict[str, Any],
        request: ModelRequest,
        client: AsyncOpenAI,
        messages_from: dict[str, Any] | None = None,
        *,
        tools: bytes | None,
        **messages: bytes | bytearray,
    ) -> bytes:
        """Return a request's body, and tell who wants to know what is in it.

        Args:
            fields: Its values.
            request: The call.
            client: Where it goes.
            messages_from: What is needed, beside the conversation, to make the messages once more.
            tools: The tools' JSON.
            messages: The messages' JSON, under their key in the body.
        """
        values = body_values(fields, request.settings)
        own = _json.dumps(values)
        (key,) = messages
        tools = None if "tools" in values else tools
        body = encode_body(own, tools=tools, **({} if key in values else messages))
        if (tell := telling.get()) is not None:
            how = None if key in values else {"key": key, **(messages_from or {})}
            tell(SentRequest(self.api, self.path, client.base_url, request.settings, own, tools, how, self.sender))
        return body

    def _encoded_tools(self, request: ModelRequest, shape: ToolShape | None = None) -> bytes | None:
        """Return the tools' JSON; encoded once as long as a run keeps the same agent.

        Args:
            request: The call.
            shape: Makes one entry from name, description, schema and strictness; `_tool` when None.
        """
        shape = shape or self._tool
        tools, handoffs = request.tools, request.handoffs
        if not tools and not handoffs:
            return None
        kept = request.input.kept if isinstance(request.input, History) else {}
        key = f"{self.path} {self.model} {shape.__name__}"
        known = kept.get(key)
        if known is None or known[0] is not tools or known[1] is not handoffs:
            encoded = tools_json(tools, handoffs, shape, self._hosted, adapter=type(self).__name__)
            known = kept[key] = (tools, handoffs, encoded)
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

    def _hosted(self, tool: Any) -> dict[str, Any] | None:
        """Return a hosted tool in the API's shape, or None where it has none."""
        return None

    @staticmethod
    @abc.abstractmethod
    def _tool(name: str, description: str, schema: dict[str, Any], strict: bool) -> dict[str, Any]:
        """Return a tool in the API's shape."""


@asynccontextmanager
async def _time_limit(seconds: float | None, client: AsyncOpenAI, *, of: float | None = None) -> AsyncGenerator[None]:
    """Stop what is awaited inside after so many seconds; never where None.

    Args:
        seconds: What is left.
        client: The client, whose server the error names.
        of: The limit as a whole; `seconds` when None.

    Raises:
        ModelConnectionError: The time is up.
    """
    if seconds is None:
        yield
        return
    try:
        async with asyncio.timeout(max(seconds, 0)):
            yield
    except TimeoutError as error:
        raise too_slow(seconds if of is None else of, client) from error
