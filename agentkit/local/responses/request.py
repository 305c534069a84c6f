"""The body of `POST /v1/responses`, and of the count of its tokens."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from agentkit.local.checking import Shape
from agentkit.local.errors import ApiError, not_offered
from agentkit.local.requests.fields import Effort, Metadata, Probability, ServiceTier, Temperature, Verbosity
from agentkit.local.requests.schema_rules import check_answer_schema
from agentkit.local.requests.text_format import TextFormat
from agentkit.local.requests.tools import Tool, ToolChoice, check_tool_choice, check_tools, tool_with_defaults
from agentkit.local.responses.items import Input

__all__ = ["ResponseRequest", "TokenCountRequest", "check_prompt_options", "check_request", "options_with_defaults"]


class StreamOptions(Shape):
    """Accepted; the platform adds no obfuscation to its events."""

    include_obfuscation: bool | None = None


class TextConfig(Shape):
    """How the answer's text should be."""

    format: TextFormat | None = None
    verbosity: Verbosity | None = None


class Reasoning(Shape):
    """Accepted and repeated; rehearsal-1 does not reason."""

    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None
    context: Literal["auto", "current_turn", "all_turns"] | None = None
    mode: Literal["standard", "pro"] | None = None


class PromptOptions(Shape):
    """What makes up the prompt, in a request for an answer and in one for its token count."""

    input: Input = None  # type: ignore[assignment]  # may be left out, but not null
    instructions: str | None = None
    previous_response_id: str | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    text: TextConfig | None = None
    tool_choice: ToolChoice | None = None
    tools: list[Tool] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    conversation: str | dict[str, Any] | None = None


class TokenCountRequest(PromptOptions):
    """The body of `POST /v1/responses/input_tokens`."""

    model: str | None = None
    personality: str | None = None


class ResponseRequest(PromptOptions):
    """The body of `POST /v1/responses`: every parameter that the API has, so that a misspelt one is noticed."""

    model: str
    background: bool | None = None
    include: (
        list[
            Literal[
                "file_search_call.results",
                "web_search_call.results",
                "web_search_call.action.sources",
                "message.input_image.image_url",
                "computer_call_output.output.image_url",
                "code_interpreter_call.outputs",
                "reasoning.encrypted_content",
                "message.output_text.logprobs",
            ]
        ]
        | None
    ) = None
    max_output_tokens: Annotated[int, Field(ge=16)] | None = None
    max_tool_calls: Annotated[int, Field(ge=1)] | None = None
    metadata: Metadata | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    safety_identifier: str | None = None
    service_tier: ServiceTier | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Temperature | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    top_p: Probability | None = None
    user: str | None = None
    image: dict[str, Any] | None = None
    access_programs: dict[str, Any] | None = None
    context_management: list[dict[str, Any]] | None = None
    moderation: dict[str, Any] | None = None
    prompt: dict[str, Any] | None = None


_NOT_OFFERED = {
    "background": ("background mode", "Leave it out and wait for the answer, or stream it."),
    "context_management": ("compaction", "Leave it out, and shorten the input yourself."),
    "moderation": ("moderation", "Leave it out."),
    "prompt": ("stored prompts", "Send the text itself as 'instructions'."),
    "access_programs": ("access programs", "Leave it out."),
}


def check_request(request: ResponseRequest, body: dict[str, Any]) -> None:
    """Check what the shape alone can't say of a request.

    Args:
        request: The request.
        body: The same as JSON.

    Raises:
        ApiError: Parameters contradict each other, or ask for what the platform doesn't do.
    """
    check_prompt_options(request, body)
    for param, (what, instead) in _NOT_OFFERED.items():
        if getattr(request, param):
            raise not_offered(param, what, instead)
    if request.stream_options is not None and not request.stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise ApiError(message, param="stream_options", code="invalid_value")


def check_prompt_options(request: PromptOptions, body: dict[str, Any]) -> None:
    """Check what the shape alone can't say of the parameters that make up the prompt.

    Raises:
        ApiError: Parameters contradict each other, or ask for what the platform doesn't do.
    """
    if request.conversation is not None:
        raise not_offered("conversation", "conversations", "Go on from an answer with 'previous_response_id'.")
    tools = body.get("tools") or []
    check_tools(tools)
    if request.tool_choice is not None:
        check_tool_choice(body["tool_choice"], tools)
    if request.text is not None and request.text.format is not None:
        check_answer_schema(body["text"]["format"], "text.format.schema")


def options_with_defaults(body: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that shape the answer, as a response repeats them."""
    text = body.get("text") or {}
    reasoning = body.get("reasoning") or {}
    return {
        "parallel_tool_calls": body["parallel_tool_calls"] if body.get("parallel_tool_calls") is not None else True,
        "reasoning": {"effort": None, "summary": None, **reasoning},
        "text": {"format": text.get("format") or {"type": "text"}, "verbosity": text.get("verbosity") or "medium"},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": [tool_with_defaults(tool) for tool in body.get("tools") or []],
        "truncation": body.get("truncation") or "disabled",
    }
