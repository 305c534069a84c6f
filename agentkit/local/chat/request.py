"""The body of `POST /v1/chat/completions`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from agentkit.local.catalog import ChosenModel
from agentkit.local.chat.messages import ChatMessage, to_items
from agentkit.local.checking import Shape, by_type, text_or_list
from agentkit.local.engines.base import Prompt
from agentkit.local.errors import ApiError, not_offered, unsupported_parameter
from agentkit.local.requests.fields import Effort, Metadata, Probability, ServiceTier, Temperature, Verbosity
from agentkit.local.requests.schema_rules import check_answer_schema
from agentkit.local.requests.text_format import (
    FormatName,
    JsonObjectFormat,
    TextOnlyFormat,
    check_json_is_mentioned,
)
from agentkit.local.requests.tools import FunctionName, check_tool_choice, check_tools, tool_with_defaults

__all__ = ["ChatRequest", "build_prompt", "check_request", "stop_sequences"]

_Penalty = Annotated[float, Field(ge=-2.0, le=2.0)]


class FunctionDefinition(Shape):
    """A function that the model may call."""

    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ChatTool(Shape):
    """A function, one level deeper than in the Responses API."""

    type: Literal["function"]
    function: FunctionDefinition


class OtherTool(Shape, extra="allow"):
    """A tool of another kind. `check_request` refuses it by name."""

    type: str


def _function_or_other(value: Any) -> str | None:
    tag = by_type(value)
    return tag if tag in (None, "<function>") else "<other>"


_Tool = Annotated[
    Annotated[ChatTool, Tag("<function>")] | Annotated[OtherTool, Tag("<other>")], Discriminator(_function_or_other)
]


class NamedFunction(Shape):
    """The name of a function."""

    name: str


class FunctionChoice(Shape):
    """This function has to be called."""

    type: Literal["function"]
    function: NamedFunction


class AllowedTools(Shape):
    """Which of the tools may be called."""

    mode: Literal["auto", "required"]
    tools: list[dict[str, Any]] = Field(min_length=1)


class AllowedToolsChoice(Shape):
    """Only these of the tools may be called."""

    type: Literal["allowed_tools"]
    allowed_tools: AllowedTools


def _choice_tag(value: Any) -> str | None:
    if isinstance(value, str):
        return "<word>"
    tag = by_type(value)
    return tag if tag in (None, "<function>", "<allowed_tools>") else "<other>"


_ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<word>")]
    | Annotated[FunctionChoice, Tag("<function>")]
    | Annotated[AllowedToolsChoice, Tag("<allowed_tools>")]
    | Annotated[OtherTool, Tag("<other>")],
    Discriminator(_choice_tag),
]


class JsonSchema(Shape):
    """A schema and its name."""

    name: FormatName
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None
    description: str | None = None


class JsonSchemaFormat(Shape):
    """JSON that follows a schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


_ResponseFormat = Annotated[
    Annotated[TextOnlyFormat, Tag("<text>")]
    | Annotated[JsonSchemaFormat, Tag("<json_schema>")]
    | Annotated[JsonObjectFormat, Tag("<json_object>")],
    Discriminator(by_type),
]


class StreamOptions(Shape):
    """What a stream brings besides the answer."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


_Stop = Annotated[
    Annotated[str, Tag("<text>"), Field(min_length=1)]
    | Annotated[list[Annotated[str, Field(min_length=1)]], Tag("<list>"), Field(min_length=1, max_length=4)],
    Discriminator(text_or_list),
]


class ChatRequest(Shape):
    """The body: every parameter that the API has, so that a misspelt one is noticed."""

    messages: list[ChatMessage] = Field(min_length=1)
    model: str
    audio: dict[str, Any] | None = None
    frequency_penalty: _Penalty | None = None
    function_call: str | dict[str, Any] | None = None
    functions: list[dict[str, Any]] | None = None
    logit_bias: dict[str, int] | None = None
    logprobs: bool | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    metadata: Metadata | None = None
    modalities: list[Literal["text", "audio"]] | None = None
    moderation: dict[str, Any] | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    parallel_tool_calls: bool | None = None
    prediction: dict[str, Any] | None = None
    presence_penalty: _Penalty | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    reasoning_effort: Effort | None = None
    response_format: _ResponseFormat | None = None
    safety_identifier: str | None = None
    seed: int | None = None
    service_tier: ServiceTier | None = None
    stop: _Stop | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Temperature | None = None
    tool_choice: _ToolChoice | None = None
    tools: list[_Tool] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    top_p: Probability | None = None
    user: str | None = None
    verbosity: Verbosity | None = None
    web_search_options: dict[str, Any] | None = None


_UNSUPPORTED = {
    "functions": "Use 'tools' instead.",
    "function_call": "Use 'tool_choice' instead.",
    "logprobs": "Leave it out: the embedded platform tells no probabilities.",
    "top_logprobs": "Leave it out: the embedded platform tells no probabilities.",
    "web_search_options": "The embedded platform has no web search.",
    "audio": "The embedded platform speaks in text only.",
}


def check_request(request: ChatRequest, body: dict[str, Any]) -> None:
    """Check what the shape alone can't say of a request.

    Args:
        request: The request.
        body: The same as JSON.

    Raises:
        ApiError: Parameters contradict each other, or ask for what the platform doesn't do.
    """
    for param, instead in _UNSUPPORTED.items():
        if getattr(request, param):
            raise unsupported_parameter(param, instead)
    if request.modalities and "audio" in request.modalities:
        raise unsupported_parameter("modalities", "The embedded platform speaks in text only.")
    if request.moderation:
        raise not_offered("moderation", "moderation", "Leave it out.")
    if request.n is not None and request.n != 1:
        message = f"Unsupported value: 'n' does not support {request.n} with this model. Only 1 is supported."
        raise ApiError(message, param="n", code="unsupported_value")
    if request.max_tokens is not None and request.max_completion_tokens is not None:
        message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise ApiError(message, param="max_tokens", code="invalid_parameter_combination")
    if request.stream_options is not None and not request.stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise ApiError(message, param="stream_options", code="invalid_value")
    if request.tool_choice is not None and not request.tools and request.tool_choice != "none":
        message = "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified."
        raise ApiError(message, param="tool_choice", code="invalid_value")


def build_prompt(body: dict[str, Any], chosen: ChosenModel) -> Prompt:
    """Return what the engine gets for a checked request.

    Raises:
        ApiError: Something in it doesn't fit together.
    """
    items = to_items(body["messages"])
    tools = [_flat(tool) for tool in body.get("tools") or []]
    check_tools(tools, nested=True)
    choice = _flat_choice(body.get("tool_choice") or "auto")
    check_tool_choice(choice, tools)
    text_format = _text_format(body.get("response_format") or {"type": "text"})
    check_answer_schema(text_format, "response_format.json_schema.schema")
    if text_format["type"] == "json_object":
        check_json_is_mentioned(items, what="'messages'", option="response_format", param="messages")
    parallel = body.get("parallel_tool_calls")
    return Prompt(
        model=chosen.name,
        items=items,
        tools=[tool_with_defaults(tool) for tool in tools],
        tool_choice=choice,
        parallel_tool_calls=True if parallel is None else parallel,
        text_format=text_format,
        max_output_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        seed=body.get("seed"),
        effort=body.get("reasoning_effort"),
        stop=_stop(body.get("stop")),
    )


def stop_sequences(request: ChatRequest) -> list[str]:
    """Return the texts at which the answer is to end."""
    return list(_stop(request.stop))


def _stop(given: str | list[str] | None) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())


def _flat(tool: dict[str, Any]) -> dict[str, Any]:
    """Return a tool, or a tool's mention, in the shape of the Responses API."""
    if tool.get("type") != "function" or not isinstance(tool.get("function"), dict):
        return tool
    return {"strict": False, **tool["function"], "type": "function"}


def _flat_choice(choice: str | dict[str, Any]) -> str | dict[str, Any]:
    if isinstance(choice, str):
        return choice
    if choice["type"] == "function":
        return {"type": "function", "name": choice["function"]["name"]}
    if choice["type"] == "allowed_tools":
        allowed = choice["allowed_tools"]
        tools = [{"type": tool.get("type"), "name": _flat(tool).get("name")} for tool in allowed["tools"]]
        return {"type": "allowed_tools", "mode": allowed["mode"], "tools": tools}
    return choice


def _text_format(response_format: dict[str, Any]) -> dict[str, Any]:
    if response_format["type"] != "json_schema":
        return response_format
    return {"schema": {}, **response_format["json_schema"], "type": "json_schema"}
