"""Finding out what a model's methods accept, and the parts of a request that both APIs share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.models.settings import ModelSettings
from agentkit.tooling import HOSTED_TOOLS, FunctionTool

__all__ = [
    "accepted_arguments",
    "body_values",
    "encode_body",
    "plain_json",
    "shared_fields",
    "streams_batches",
    "tools_json",
]


@functools.lru_cache(maxsize=256)
def _parameters(function: Callable[..., Any]) -> frozenset[str] | None:
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters)


def accepted_arguments(method: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Return those of `arguments` that `method` takes, so that models written for any release of the interface run."""
    names = _parameters(getattr(method, "__func__", method))
    return arguments if names is None else {k: v for k, v in arguments.items() if k in names}


def streams_batches(model: Any) -> bool:
    """Return whether `model` gives its stream unparsed too, as agentkit's adapters do.

    Not so where a subclass has its own `stream_response`: then that is what has to be called.
    """
    owner = next(kind for kind in type(model).__mro__ if "stream_response" in vars(kind))
    return "stream_batches" in vars(owner)


def tools_json(
    tools: list[Any],
    handoffs: list[Any],
    shape: Callable[[str, str, dict[str, Any], bool], dict[str, Any]],
    hosted: Callable[[Any], dict[str, Any] | None],
    *,
    adapter: str,
) -> bytes:
    """Return tools and handoffs as the JSON list that an API takes.

    Args:
        tools: The agent's tools.
        handoffs: The agent's handoffs, which the model sees as tools.
        shape: Makes one entry from name, description, schema and strictness.
        hosted: Makes one from another tool; None where the API has no form for it.
        adapter: Name of the model adapter, for the error.

    Raises:
        UserError: A tool that this adapter can't carry; the message names both.
    """
    entries = []
    for tool in tools:
        if isinstance(tool, FunctionTool):
            entries.append(shape(tool.name, tool.description, tool.params_json_schema, tool.strict_json_schema))
        elif (entry := hosted(tool)) is not None:
            entries.append(entry)
        else:
            raise _not_carried(tool, adapter)
    entries += [shape(h.tool_name, h.tool_description, h.input_json_schema, h.strict_json_schema) for h in handoffs]
    return _json.dumps(entries)


def _not_carried(tool: Any, adapter: str) -> UserError:
    name = getattr(tool, "name", None) or str(tool)
    if isinstance(tool, HOSTED_TOOLS):
        hint = "Hosted tools need OpenAI's Responses API: OpenAIResponsesModel, or connect(…) without api=."
    else:
        hint = "Make it a function tool with @function_tool."
    return UserError(f"{adapter} can't carry the tool {name!r} of type {type(tool).__name__}.", hint=hint)


def plain_json(value: Any) -> Any:
    """Return a setting that may be a pydantic object as plain JSON; all else as it is."""
    return value.model_dump(mode="json", exclude_unset=True) if hasattr(value, "model_dump") else value


def shared_fields(settings: ModelSettings) -> dict[str, Any]:
    """Return the settings that both APIs know under the same name."""
    return {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "parallel_tool_calls": settings.parallel_tool_calls,
        "metadata": settings.metadata,
        "store": settings.store,
        "top_logprobs": settings.top_logprobs,
        "prompt_cache_retention": settings.prompt_cache_retention,
        "prompt_cache_options": plain_json(settings.prompt_cache_options),
    }


def body_values(fields: Mapping[str, Any], settings: ModelSettings) -> dict[str, Any]:
    """Return the values of a request's body: `fields` that are not None, and the settings' extras over them."""
    values = {key: value for key, value in fields.items() if value is not None}
    values |= settings.extra_args or {}
    values |= settings.extra_body or {}
    return values


def encode_body(values: bytes, **encoded: bytes | bytearray | None) -> bytes:
    """Return a request body.

    Args:
        values: JSON object.
        encoded: Members to add to it, as JSON by key; None is left out.
    """
    parts = [values[1:-1]] if values != b"{}" else []
    parts += [b'"%s":%s' % (key.encode(), value) for key, value in encoded.items() if value is not None]
    return b"{" + b",".join(parts) + b"}"
