"""From a recorded request back to what a model is called with, so that it can be made again, by either API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from agentkit.exceptions import UserError
from agentkit.models import AgentOutputSchemaBase, ModelSettings
from agentkit.records.request import RecordedRequest
from agentkit.tooling import FunctionTool

__all__ = ["model_arguments", "tools_named"]

JSON = dict[str, Any]

_SHARED = (
    "temperature", "top_p", "parallel_tool_calls", "metadata", "store", "top_logprobs", "prompt_cache_retention",
    "prompt_cache_options",
)  # fmt: skip
"""Settings that both APIs know under the same name as we do."""
_RENAMED = {
    "responses": {
        "max_output_tokens": "max_tokens", "truncation": "truncation", "reasoning": "reasoning",
        "include": "response_include", "context_management": "context_management", "tool_choice": "tool_choice",
    },
    "chat_completions": {
        "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty", "max_tokens": "max_tokens",
        "max_completion_tokens": "max_tokens", "verbosity": "verbosity",
    },
}  # fmt: skip
"""Settings by the name that an API has for them."""
_CONVERSATION = frozenset({"input", "messages"})
_ELSEWHERE = frozenset({"model", "instructions", "stream", "stream_options"}) | _CONVERSATION
"""Keys of a body that are no settings, or that follow from how the request is made."""


class _Schema(AgentOutputSchemaBase):
    """The schema of an answer as it was sent. Answers aren't checked against it."""

    def __init__(self, schema: JSON, strict: bool) -> None:
        self._schema = schema
        self._strict = strict

    def is_plain_text(self) -> bool:
        """Return False."""
        return False

    def name(self) -> str:
        """Return what the schema calls itself."""
        return str(self._schema.get("title") or "final_output")

    def json_schema(self) -> JSON:
        """Return the schema."""
        return self._schema

    def is_strict_json_schema(self) -> bool:
        """Return whether it was sent as strict."""
        return self._strict

    def validate_json(self, json_str: str) -> Any:
        """Return the text: the type that it would become isn't recorded."""
        return json_str


def model_arguments(request: RecordedRequest, items: list[JSON], instructions: str | None) -> JSON:
    """Return the arguments of `Model.get_response` that lead to `request`.

    Args:
        request: The request.
        items: The conversation.
        instructions: The instructions as they were sent.
    """
    if request.body is None:
        return _from_arguments(request["arguments"] or {}, items, instructions)
    body, api = request.body, str(request["api"])
    elsewhere = _ELSEWHERE - _CONVERSATION if request.own_messages else _ELSEWHERE
    rest = {name: value for name, value in body.items() if name not in elsewhere}
    settings = {name: rest.pop(name) for name in _SHARED if name in rest}
    settings |= {ours: rest.pop(name) for name, ours in _RENAMED[api].items() if name in rest}
    schema = _take_schema(rest, settings, api)
    tools = _take_tools(rest)
    if api == "chat_completions":
        _take_chat_settings(rest, settings)
    known = {
        "system_instructions": instructions,
        "input": items,
        "tools": tools,
        "output_schema": schema,
        "handoffs": [],  # to the model they are tools like others
        "previous_response_id": rest.pop("previous_response_id", None),
        "conversation_id": rest.pop("conversation", None),
        "prompt": rest.pop("prompt", None),
    }
    if rest:
        settings["extra_args"] = rest
    return known | {"model_settings": ModelSettings(**settings)}


def _take_schema(rest: JSON, settings: JSON, api: str) -> AgentOutputSchemaBase | None:
    """Take the answer's schema out of a body, where it has the form that we give it."""
    if api == "responses":
        text = rest.get("text")
        if not isinstance(text, dict) or not text.keys() <= {"format", "verbosity"}:
            return None
        if "format" in text and not _is_ours(text["format"], {"type", "name", "strict", "schema"}):
            return None
        del rest["text"]
        if "verbosity" in text:
            settings["verbosity"] = text["verbosity"]
        given = text.get("format")
    else:
        wanted = rest.get("response_format")
        given = wanted.get("json_schema") if isinstance(wanted, dict) else None
        if not _is_ours(given, {"name", "strict", "schema"}):
            return None
        del rest["response_format"]
    return None if given is None else _Schema(given["schema"], bool(given["strict"]))


def _is_ours(given: Any, keys: set[str]) -> bool:
    return isinstance(given, dict) and given.keys() == keys and given["name"] == "final_output"


def _take_tools(rest: JSON) -> list[Any]:
    """Take the tools out of a body; hosted ones stay there, as do those beside them: only Responses has them."""
    tools = [_function_tool(entry) for entry in rest.get("tools") or ()]
    if rest.get("tools") and None not in tools:
        del rest["tools"]
        return tools
    return []


def _function_tool(entry: JSON) -> FunctionTool | None:
    """Return a function tool that can't be called, for an entry of either API; None for any other tool."""
    told = entry.get("function", entry)
    if entry.get("type") != "function" or not isinstance(told, dict) or "name" not in told:
        return None
    parameters = told.get("parameters") or {"type": "object", "properties": {}}
    return FunctionTool(
        told["name"],
        told.get("description") or "",
        parameters,
        _not_called,
        strict_json_schema=bool(told.get("strict")),
    )


async def _not_called(context: Any, arguments: str) -> str:
    raise UserError("A tool of a recorded request can't be called: only what the model was told of it is recorded.")


def _take_chat_settings(rest: JSON, settings: JSON) -> None:
    if effort := rest.pop("reasoning_effort", None):
        settings["reasoning"] = {"effort": effort}
    if settings.get("top_logprobs") is not None:
        rest.pop("logprobs", None)  # comes with it
    choice = rest.pop("tool_choice", None)
    if choice is not None:
        is_named = isinstance(choice, dict) and choice.get("type") == "function"
        settings["tool_choice"] = choice["function"]["name"] if is_named else choice


def _from_arguments(given: Mapping[str, Any], items: list[JSON], instructions: str | None) -> JSON:
    """Return the arguments that a model of the user's own was called with."""
    told = given.get("model_settings") or {}
    names = {field.name for field in fields(ModelSettings)} - {"retry", "extra_headers", "extra_query"}
    settings = ModelSettings(**{name: value for name, value in told.items() if name in names})
    schema = given.get("output_schema")
    tools = [_function_tool(entry) for entry in given.get("tools") or ()]
    prompt = given.get("prompt")
    return {
        "system_instructions": instructions,
        "input": items,
        "model_settings": settings,
        "tools": [tool for tool in tools if tool is not None],
        "output_schema": None if schema is None else _Schema(schema["schema"], bool(schema["strict"])),
        "handoffs": [],
        "previous_response_id": given.get("previous_response_id"),
        "conversation_id": given.get("conversation_id"),
        "prompt": prompt if isinstance(prompt, dict) else None,
    }


def tools_named(wanted: list[Any], known: list[Any]) -> list[Any]:
    """Return tools for a request: those given, and those of `known` whose names are.

    Raises:
        UserError: There is no such tool, or it is neither a tool nor a name.
    """
    by_name = {tool.name: tool for tool in known}
    found = []
    for tool in wanted:
        if isinstance(tool, str):
            if tool not in by_name:
                names = ", ".join(by_name) or "none"
                raise UserError(f"The recorded request has no tool {tool!r}. It has: {names}.")
            found.append(by_name[tool])
        elif callable(tool) and not hasattr(tool, "name"):
            raise UserError(
                f"{getattr(tool, '__name__', tool)!r} is a function, not a tool.", hint="Make it one: @function_tool."
            )
        elif not isinstance(getattr(tool, "name", None), str):
            raise UserError(f"{tool!r:.80} is neither a tool nor the name of one.")
        else:
            found.append(tool)
    return found
