"""Hosted tools as the Responses API takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agentkit.exceptions import UserError
from agentkit.models.call import plain_json
from agentkit.models.settings import MCPToolChoice
from agentkit.tooling import (
    CodeInterpreterTool,
    ComputerTool,
    FileSearchTool,
    FunctionTool,
    HostedMCPTool,
    ImageGenerationTool,
    LocalShellTool,
    Tool,
    WebSearchTool,
)
from agentkit.tooling.file_filters import filter_json

__all__ = ["hosted_tool_json", "needed_includes", "tool_choice_json"]

_KINDS = {
    "code_interpreter": "code_interpreter",
    "computer": "computer",
    "computer_use": "computer",
    "computer_use_preview": "computer",
    "file_search": "file_search",
    "hosted_mcp": "mcp",
    "image_generation": "image_generation",
    "local_shell": "local_shell",
    "mcp": "mcp",
    "web_search": "web_search",
    "web_search_preview": "web_search",
}
"""Names by which a hosted tool may be chosen, those of March 2025 among them, and what they mean."""

_NOT_TO_BE_CHOSEN = frozenset({"web_search", "local_shell"})
"""Tools that `tool_choice` has no form for: they are made the only allowed ones instead."""


def hosted_tool_json(tool: Any, model: str) -> dict[str, Any] | None:
    """Return a hosted tool in the API's shape, or None where `tool` isn't one.

    Args:
        tool: The tool.
        model: Name of the model; those called `computer-use-preview` know the computer by an older shape.

    Raises:
        UserError: Such a model, and a computer that doesn't tell its environment and dimensions.
    """
    match tool:
        case WebSearchTool():
            fields: dict[str, Any] = {
                "filters": tool.filters,
                "user_location": tool.user_location,
                "search_context_size": tool.search_context_size,
                "external_web_access": tool.external_web_access,
                "search_content_types": tool.search_content_types,
                "image_settings": tool.image_settings,
            }
            return _shape("web_search", fields)
        case FileSearchTool():
            fields = {
                "vector_store_ids": tool.store_ids,
                "max_num_results": tool.max_num_results,
                "ranking_options": tool.ranking,
                "filters": filter_json(tool.filters),
            }
            return _shape("file_search", fields)
        case CodeInterpreterTool():
            return _shape("code_interpreter", {"container": {"type": "auto"}} | dict(tool.tool_config))
        case ImageGenerationTool():
            return _shape("image_generation", tool.tool_config)
        case HostedMCPTool():
            return _shape("mcp", tool.tool_config)
        case ComputerTool():
            return _computer(tool, model)
        case LocalShellTool():
            return {"type": "local_shell"}
    return None


def _shape(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": kind} | {key: plain_json(value) for key, value in fields.items() if value is not None}


def _computer(tool: ComputerTool, model: str) -> dict[str, Any]:
    if not _is_preview(model):
        return {"type": "computer"}
    environment, dimensions = tool.computer.environment, tool.computer.dimensions
    if environment is None or dimensions is None:
        raise UserError(
            f"{model} needs to know the computer's environment and dimensions, and {type(tool.computer).__name__} "
            "tells neither.",
            hint="Give it both properties, or use a newer model.",
        )
    width, height = dimensions
    return {
        "type": "computer_use_preview",
        "environment": environment,
        "display_width": width,
        "display_height": height,
    }


def _is_preview(model: str) -> bool:
    return model.startswith("computer-use-preview")


def needed_includes(tools: Sequence[Tool]) -> list[str]:
    """Return what `include` must hold for the answer to have what the tools promise."""
    wanted = any(isinstance(tool, FileSearchTool) and tool.include_search_results for tool in tools)
    return ["file_search_call.results"] if wanted else []


def tool_choice_json(choice: Any, tools: Sequence[Tool], handoffs: Sequence[Any], model: str) -> Any:
    """Return a `ModelSettings.tool_choice` as the API takes it.

    Args:
        choice: The setting. A function tool or handoff of that name comes before a hosted tool.
        tools: The agent's tools.
        handoffs: The agent's handoffs.
        model: Name of the model.

    Raises:
        UserError: An MCP server is to be called, and the agent has none.
    """
    if choice is None or choice in ("auto", "required", "none"):
        return choice
    if isinstance(choice, MCPToolChoice):
        named = {"type": "mcp", "server_label": choice.server_label}
        return named | ({"name": choice.name} if choice.name else {})
    if not isinstance(choice, str):
        return plain_json(dict(choice))
    functions = {tool.name for tool in tools if isinstance(tool, FunctionTool)}
    kind = None if choice in functions | {target.tool_name for target in handoffs} else _KINDS.get(choice)
    if kind is None:
        return {"type": "function", "name": choice}
    if kind == "mcp":
        return _any_mcp_server([tool.server_label for tool in tools if isinstance(tool, HostedMCPTool)])
    if kind == "computer" and _is_preview(model):
        kind = "computer_use_preview"
    return _only([{"type": kind}]) if kind in _NOT_TO_BE_CHOSEN else {"type": kind}


def _any_mcp_server(labels: list[str]) -> dict[str, Any]:
    if not labels:
        raise UserError("tool_choice asks for an MCP server, and the agent has no HostedMCPTool.", hint="Add one.")
    servers = [{"type": "mcp", "server_label": label} for label in labels]
    return servers[0] if len(servers) == 1 else _only(servers)


def _only(tools: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "allowed_tools", "mode": "required", "tools": tools}
