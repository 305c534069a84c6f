"""What a model is: the interface that the loop calls, and what it gets back."""

from __future__ import annotations

import abc
import enum
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from agentkit._repr import bare_repr
from agentkit.models.output_schema import AgentOutputSchemaBase
from agentkit.models.settings import ModelSettings
from agentkit.models.typed import to_json, typed_item
from agentkit.tooling import Tool
from agentkit.usage import Usage

if TYPE_CHECKING:
    from openai.types.responses import ResponseOutputItem

__all__ = [
    "HandoffTool",
    "Model",
    "ModelProvider",
    "ModelResponse",
    "ModelTracing",
    "TResponseInputItem",
]

TResponseInputItem = dict[str, Any]
"""An item of the conversation in the shape of OpenAI's Responses API."""


class ModelTracing(enum.Enum):
    """How much of a model call is traced."""

    DISABLED = 0
    ENABLED = 1
    ENABLED_WITHOUT_DATA = 2

    def is_disabled(self) -> bool:
        """Return whether nothing is traced."""
        return self is ModelTracing.DISABLED

    def include_data(self) -> bool:
        """Return whether inputs and outputs are traced."""
        return self is ModelTracing.ENABLED


class HandoffTool(Protocol):
    """What a model has to know of a handoff, which it sees as a tool."""

    tool_name: str
    tool_description: str
    input_json_schema: dict[str, Any]
    strict_json_schema: bool


class ModelResponse:
    """What a model answered: items in the shape of the Responses API, and the tokens used.

    Args:
        output: The items, as `openai` objects or as JSON.
        usage: Tokens used.
        response_id: The platform's id for the response, where it has one.
        referenceable_id: The older name of `response_id`.
        model: Name of the model that answered, as the platform says it.
        incomplete: Why the answer stops short, such as "max_output_tokens"; None for a whole one.
    """

    __slots__ = ("_typed", "incomplete", "model", "raw_output", "response_id", "usage")

    def __init__(
        self,
        output: Sequence[Any],  # `openai` objects or dicts
        usage: Usage | None = None,
        response_id: str | None = None,
        *,
        referenceable_id: str | None = None,
        model: str | None = None,
        incomplete: str | None = None,
    ) -> None:
        self.raw_output: list[dict[str, Any]] = [to_json(item) for item in output]
        """The items as JSON."""
        self.usage = usage if usage is not None else Usage(requests=1)
        self.response_id = response_id or referenceable_id
        self.model = model
        self.incomplete = incomplete
        self._typed: list[ResponseOutputItem] | None = None

    @property
    def output(self) -> list[ResponseOutputItem]:
        """The items as `openai` objects."""
        if self._typed is None:
            self._typed = [typed_item(item) for item in self.raw_output]
        return self._typed

    @property
    def referenceable_id(self) -> str | None:
        """The older name of `response_id`."""
        return self.response_id

    def to_input_items(self) -> list[TResponseInputItem]:
        """Return the items in the shape in which they go back to the model."""
        return list(self.raw_output)

    def __repr__(self) -> str:
        kinds = ", ".join(str(item.get("type", "?")) for item in self.raw_output)
        return f"ModelResponse({kinds}; {self.usage.total_tokens} tokens)"


class Model(abc.ABC):
    """A model. Subclass it to connect a platform of your own; the loop passes only what your signature accepts."""

    def __repr__(self) -> str:
        name = getattr(self, "model", None)
        return f"{type(self).__name__}({name!r})" if isinstance(name, str) else f"{type(self).__name__}()"

    @abc.abstractmethod
    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 (the documented name)
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Any],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None = None,
        conversation_id: str | None = None,
        prompt: Any = None,
    ) -> ModelResponse:
        """Return the model's whole answer.

        Args:
            system_instructions: The agent's instructions.
            input: The conversation so far. It must not be changed.
            model_settings: Settings of the call.
            tools: Tools the model may call.
            output_schema: Schema the answer has to follow, or None for text.
            handoffs: Handoffs the model may call, as tools.
            tracing: How much of the call is traced.
            previous_response_id: Response that this one goes on from, for platforms that keep the conversation.
            conversation_id: Conversation that this belongs to, for platforms that keep it.
            prompt: A prompt stored on the platform.
        """

    @abc.abstractmethod
    def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 (the documented name)
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Any],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None = None,
        conversation_id: str | None = None,
        prompt: Any = None,
    ) -> AsyncIterator[Any]:
        """Return the events of the answer as they come, in the shape of the Responses API.

        The last one carries the whole response: `response.completed`. Arguments as for `get_response`.
        """


class ModelProvider(abc.ABC):
    """Finds models by name."""

    __repr__ = bare_repr

    @abc.abstractmethod
    def get_model(self, model_name: str | None) -> Model:
        """Return the model of that name; the default one for None."""

    async def prepare(self) -> None:
        """Find out what `get_model(None)` needs, before it is called: it must not block the event loop."""
        return
