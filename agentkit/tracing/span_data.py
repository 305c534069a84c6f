"""What a span is about: one class for each kind of span.

The fields are plain and may be set until the span is finished. They are only referred to then and turned into JSON
later, on another thread, so what they hold must not be changed afterwards.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeAlias

from agentkit._repr import brief

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "AgentSpanData",
    "CustomSpanData",
    "Fields",
    "FunctionSpanData",
    "GenerationSpanData",
    "GuardrailSpanData",
    "HandoffSpanData",
    "MCPListToolsSpanData",
    "ResponseSpanData",
    "SpanData",
]

JSON: TypeAlias = Any  # whatever a user's tool, or a server, puts there

Fields: TypeAlias = (
    "tuple[str | None, str | None, Mapping[str, Any] | None, float | None, JSON, JSON, Mapping[str, Any] | None]"
)
"""What the store keeps of a span's data: name, model, usage, first_token_s, input, output, everything else."""


class SpanData(ABC):
    """What a span is about. Derive from it for kinds of your own."""

    __slots__ = ()

    @property
    @abstractmethod
    def type(self) -> str:
        """The kind of span, such as "function"."""

    @abstractmethod
    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary, `type` included, in the documented shape."""

    def fields(self) -> Fields:
        """Return what the store keeps, by column."""
        rest = self.export()
        rest.pop("type", None)
        name, model, usage = rest.pop("name", None), rest.pop("model", None), rest.pop("usage", None)
        return name, model, usage, None, rest.pop("input", None), rest.pop("output", None), rest or None

    def leave_out(self) -> None:
        """Forget what models and tools were sent and gave, as that isn't to be recorded. Nothing, unless overridden."""
        return

    def __repr__(self) -> str:
        told = {name: value for name, value in self.export().items() if name != "type" and value is not None}
        shown = ", ".join(f"{name}={brief(value)}" for name, value in told.items())
        return f"{type(self).__name__}({shown})"


class AgentSpanData(SpanData):
    """An agent at work: from its first turn to its answer or its handoff."""

    __slots__ = ("handoffs", "name", "output_type", "tools")
    type = "agent"

    def __init__(
        self,
        name: str,
        handoffs: Sequence[str] | None = None,
        tools: Sequence[str] | None = None,
        output_type: str | None = None,
    ) -> None:
        self.name = name
        self.handoffs = handoffs
        self.tools = tools
        self.output_type = output_type

    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary."""
        return {"type": "agent", "name": self.name, **self._rest()}

    def fields(self) -> Fields:
        """Return what the store keeps, by column."""
        return self.name, None, None, None, None, None, self._rest()

    def _rest(self) -> dict[str, Any]:
        return {"handoffs": self.handoffs, "tools": self.tools, "output_type": self.output_type}


class FunctionSpanData(SpanData):
    """A function tool that was called.

    Attributes:
        name: The tool's name.
        input: Its arguments, as the model wrote them (JSON text).
        output: What it returned.
        mcp_data: Where the tool came from an MCP server: what is known of that.
        call_id: The id that the model gave the call; its result is told by it, too.
    """

    __slots__ = ("call_id", "input", "mcp_data", "name", "output")
    type = "function"

    def __init__(
        self,
        name: str,
        input: JSON = None,  # noqa: A002 (the documented name)
        output: JSON = None,
        mcp_data: Mapping[str, Any] | None = None,
        call_id: str | None = None,
    ) -> None:
        self.name = name
        self.input = input
        self.output = output
        self.mcp_data = mcp_data
        self.call_id = call_id

    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary, in the documented shape, which has no `call_id`; the output as text."""
        return {
            "type": "function",
            "name": self.name,
            "input": self.input,
            "output": None if self.output is None else str(self.output),
            "mcp_data": self.mcp_data,
        }

    def fields(self) -> Fields:
        """Return what the store keeps, by column."""
        rest = {"mcp_data": self.mcp_data, "call_id": self.call_id}
        known = {name: value for name, value in rest.items() if value is not None}
        return self.name, None, None, None, self.input, self.output, known or None

    def leave_out(self) -> None:
        """Forget the arguments and what was returned."""
        self.input = self.output = None


class GenerationSpanData(SpanData):
    """One call of a model, by any API but the Responses API.

    Attributes:
        input: The messages that are new since the run's previous model call, as JSON dictionaries.
        output: What the model answered, as JSON dictionaries.
        model: The model's name.
        model_config: Its settings and where it runs.
        usage: Counts, as `Usage.to_dict()` gives them.
        input_start: Index of the first of `input` in everything the model was sent.
        input_after: Id of the span that has what comes before it; None where nothing does.
        input_count: Items of the conversation up to here. `input` has one more where it begins with new instructions.
        sent_start: Index of the first item that was sent, where the platform keeps the conversation.
        request: What was sent beside the messages: an object whose `encode()` gives that as JSON.
        first_token_s: Seconds to the first token of a streamed answer.
        retries: What failed before the call came through, each with its error and the seconds waited.
    """

    __slots__ = (
        "first_token_s", "input", "input_after", "input_count", "input_start", "model", "model_config", "output",
        "request", "retries", "sent_start", "usage",
    )  # fmt: skip
    type = "generation"

    def __init__(
        self,
        input: Sequence[Mapping[str, Any]] | None = None,  # noqa: A002 (the documented name)
        output: Sequence[Mapping[str, Any]] | None = None,
        model: str | None = None,
        model_config: Mapping[str, Any] | None = None,
        usage: Mapping[str, Any] | None = None,
    ) -> None:
        self.input = input
        self.output = output
        self.model = model
        self.model_config = model_config
        self.usage = usage
        self.input_start = 0
        self.input_after: str | None = None
        self.input_count: int | None = None
        self.sent_start = 0
        self.request: Any = None  # a layer above makes them
        self.first_token_s: float | None = None
        self.retries: list[dict[str, Any]] | None = None

    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary."""
        data = {
            "type": "generation",
            "input": self.input,
            "output": self.output,
            "model": self.model,
            "model_config": self.model_config,
            "usage": self.usage,
        }
        return data | _timing(self)

    def fields(self) -> Fields:
        """Return what the store keeps, by column."""
        rest = _place(self)
        if self.model_config:
            rest["model_config"] = self.model_config
        if self.retries:
            rest["retries"] = self.retries
        return None, self.model, self.usage, self.first_token_s, self.input, self.output, rest or None

    def leave_out(self) -> None:
        """Forget the messages, and what was sent beside them."""
        self.input = self.output = self.request = None


class ResponseSpanData(SpanData):
    """One call of a model by the Responses API.

    Attributes:
        response: The answer of the client (an object with an `id`), or None.
        response_id: The id of the answer; that of `response` where it isn't set.
        input: The items that are new since the run's previous model call, as JSON dictionaries.
        output: The items that the model answered, as JSON dictionaries.
        model: The model's name.
        usage: Counts, as `Usage.to_dict()` gives them.
        input_start: Index of the first of `input` in everything the model was sent.
        input_after: Id of the span that has what comes before it; None where nothing does.
        input_count: Items of the conversation up to here. `input` has one more where it begins with new instructions.
        sent_start: Index of the first item that was sent, where the platform keeps the conversation.
        request: What was sent beside the messages: an object whose `encode()` gives that as JSON.
        first_token_s: Seconds to the first token of a streamed answer.
        retries: What failed before the call came through, each with its error and the seconds waited.
    """

    __slots__ = (
        "_response_id", "first_token_s", "input", "input_after", "input_count", "input_start", "model", "output",
        "request", "response", "retries", "sent_start", "usage",
    )  # fmt: skip
    type = "response"

    def __init__(self, response: Any = None, input: JSON = None) -> None:  # noqa: A002 (the client's object; see above)
        self.response = response
        self.input = input
        self.output: Sequence[Mapping[str, Any]] | None = None
        self.model: str | None = None
        self.usage: Mapping[str, Any] | None = None
        self.input_start = 0
        self.input_after: str | None = None
        self.input_count: int | None = None
        self.sent_start = 0
        self.request: Any = None  # a layer above makes them
        self.first_token_s: float | None = None
        self.retries: list[dict[str, Any]] | None = None
        self._response_id: str | None = None

    @property
    def response_id(self) -> str | None:
        """The id of the answer."""
        return self._response_id or getattr(self.response, "id", None)

    @response_id.setter
    def response_id(self, value: str | None) -> None:
        self._response_id = value

    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary, with the input and the output: processors get to see what was said."""
        _, model, usage, _, sent, received, _ = self.fields()
        data = {
            "type": "response",
            "response_id": self.response_id,
            "input": sent,
            "output": received,
            "model": model,
            "usage": usage,
        }
        return data | _timing(self)

    def fields(self) -> Fields:
        """Return what the store keeps, by column; what isn't set is read off `response`."""
        model, usage, output = self.model, self.usage, self.output
        if self.response is not None and (model is None or usage is None or output is None):
            answer = _as_dict(self.response)
            model = answer.get("model") if model is None else model
            usage = answer.get("usage") if usage is None else usage
            output = answer.get("output") if output is None else output
        rest = _place(self)
        if (response_id := self.response_id) is not None:
            rest["response_id"] = response_id
        if self.retries:
            rest["retries"] = self.retries
        return None, model, usage, self.first_token_s, self.input, output, rest or None

    def leave_out(self) -> None:
        """Forget the messages and what was sent beside them; of the client's answer stay model, usage and id."""
        _, self.model, self.usage, *_ = self.fields()
        self.response_id = self.response_id
        self.input = self.output = self.request = self.response = None


class HandoffSpanData(SpanData):
    """The conversation passing from one agent to another."""

    __slots__ = ("from_agent", "to_agent")
    type = "handoff"

    def __init__(self, from_agent: str | None = None, to_agent: str | None = None) -> None:
        self.from_agent = from_agent
        self.to_agent = to_agent

    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary."""
        return {"type": "handoff", "from_agent": self.from_agent, "to_agent": self.to_agent}

    def fields(self) -> Fields:
        """Return what the store keeps, by column. The name is that of the agent handed to."""
        rest = {"from_agent": self.from_agent, "to_agent": self.to_agent}
        return self.to_agent, None, None, None, None, None, rest


class GuardrailSpanData(SpanData):
    """A guardrail's check, and whether it said stop."""

    __slots__ = ("name", "triggered")
    type = "guardrail"

    def __init__(self, name: str, triggered: bool = False) -> None:
        self.name = name
        self.triggered = triggered

    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary."""
        return {"type": "guardrail", "name": self.name, "triggered": self.triggered}

    def fields(self) -> Fields:
        """Return what the store keeps, by column."""
        return self.name, None, None, None, None, None, {"triggered": self.triggered}


class MCPListToolsSpanData(SpanData):
    """An MCP server being asked for its tools, and their names."""

    __slots__ = ("result", "server")
    type = "mcp_tools"

    def __init__(self, server: str | None = None, result: Sequence[str] | None = None) -> None:
        self.server = server
        self.result = result

    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary."""
        return {"type": "mcp_tools", "server": self.server, "result": self.result}

    def fields(self) -> Fields:
        """Return what the store keeps, by column. The name is that of the server."""
        return self.server, None, None, None, None, None, {"server": self.server, "result": self.result}


class CustomSpanData(SpanData):
    """Something of the user's own."""

    __slots__ = ("data", "name")
    type = "custom"

    def __init__(self, name: str, data: dict[str, Any] | None = None) -> None:
        self.name = name
        self.data: dict[str, Any] = {} if data is None else data

    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary."""
        return {"type": "custom", "name": self.name, "data": self.data}

    def fields(self) -> Fields:
        """Return what the store keeps, by column."""
        return self.name, None, None, None, None, None, self.data or None


def _place(data: GenerationSpanData | ResponseSpanData) -> dict[str, Any]:
    """Return where in its run's conversation a model call stands, as far as it is known."""
    place: dict[str, Any] = {}
    if data.input_start:
        place["input_start"] = data.input_start
        place["input_after"] = data.input_after
    if data.input_count is not None:
        place["input_count"] = data.input_count
    if data.sent_start:
        place["sent_start"] = data.sent_start
    return place


def _timing(data: GenerationSpanData | ResponseSpanData) -> dict[str, Any]:
    """Return what isn't among the documented keys, where it is known."""
    extra: dict[str, Any] = {}
    if data.input_start:
        extra["input_start"] = data.input_start
    if data.first_token_s is not None:
        extra["first_token_s"] = data.first_token_s
    return extra


def _as_dict(response: Any) -> Mapping[str, Any]:  # a dictionary, a pydantic model, or neither
    if isinstance(response, dict):
        return response
    if hasattr(response, "model_dump"):
        # Servers send what the client's types don't know: no warnings about that from a background thread.
        dumped: Mapping[str, Any] = response.model_dump(mode="json", exclude_unset=True, warnings=False)
        return dumped
    return {name: getattr(response, name, None) for name in ("model", "usage", "output")}
