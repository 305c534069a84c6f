"""Which of a server's tools an agent gets."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from agentkit.exceptions import UserError
from agentkit.tooling import RunContextWrapper

if TYPE_CHECKING:
    from mcp import Tool as MCPTool

__all__ = [
    "ToolFilter",
    "ToolFilterCallable",
    "ToolFilterContext",
    "ToolFilterStatic",
    "check_filter",
    "create_static_tool_filter",
    "filtered",
]


@dataclass
class ToolFilterContext:
    """What a filter function is told besides the tool."""

    run_context: RunContextWrapper[Any]
    """The run's context."""
    agent: Any  # an Agent, which lives a layer up
    """The agent that asks for the tools."""
    server_name: str
    """Name of the server."""


class ToolFilterStatic(TypedDict, total=False):
    """Names of tools that are offered, and that are not."""

    allowed_tool_names: list[str]
    blocked_tool_names: list[str]


ToolFilterCallable = Callable[[ToolFilterContext, "MCPTool"], bool | Awaitable[bool]]
"""Whether an agent gets a tool, sync or async."""

ToolFilter = ToolFilterCallable | ToolFilterStatic | None
"""A function, lists of names, or None for all tools."""


def create_static_tool_filter(
    allowed_tool_names: list[str] | None = None, blocked_tool_names: list[str] | None = None
) -> ToolFilterStatic | None:
    """Return a filter by names, or None where neither list is given.

    Args:
        allowed_tool_names: The only tools that are offered; all when None.
        blocked_tool_names: Tools that are not offered, whether allowed or not.
    """
    given: ToolFilterStatic = {}
    if allowed_tool_names is not None:
        given["allowed_tool_names"] = allowed_tool_names
    if blocked_tool_names is not None:
        given["blocked_tool_names"] = blocked_tool_names
    return given or None


def check_filter(tool_filter: Any, who: str) -> None:
    """Refuse what is no filter.

    Raises:
        UserError: It is none; the message says why.
    """
    if tool_filter is None or (callable(tool_filter) and not isinstance(tool_filter, dict)):
        return
    keys = ("allowed_tool_names", "blocked_tool_names")
    if not isinstance(tool_filter, dict) or set(tool_filter) - set(keys):
        hint = "Use create_static_tool_filter(…), or a function of a ToolFilterContext and a tool."
        raise UserError(f"{who}: tool_filter can't be {tool_filter!r:.80}.", hint=hint)
    for key, names in tool_filter.items():
        if not isinstance(names, (list, tuple, set, frozenset)):  # a text would match by its letters
            raise UserError(f"{who}: {key} has to be a list of names, not {names!r:.80}.")


async def filtered(
    tools: list[MCPTool], tool_filter: ToolFilter, server: str, run_context: RunContextWrapper[Any] | None, agent: Any
) -> list[MCPTool]:
    """Return those of `tools` that the filter lets through.

    Raises:
        UserError: The filter is a function, and it isn't known for which run and agent, or it raised.
    """
    if tool_filter is None:
        return list(tools)
    if isinstance(tool_filter, dict):
        allowed = tool_filter.get("allowed_tool_names")
        blocked = tool_filter.get("blocked_tool_names") or ()
        return [tool for tool in tools if (allowed is None or tool.name in allowed) and tool.name not in blocked]
    if run_context is None or agent is None:
        hint = "Call list_tools(run_context, agent)."
        raise UserError(f"The tool_filter of MCP server {server!r} needs a run's context and an agent.", hint=hint)
    context = ToolFilterContext(run_context, agent, server)
    return [tool for tool in tools if await _passes(tool, tool_filter, context)]


async def _passes(tool: MCPTool, ask: ToolFilterCallable, context: ToolFilterContext) -> bool:
    try:
        verdict = ask(context, tool)
        return bool(await verdict if inspect.isawaitable(verdict) else verdict)
    except Exception as error:  # the user's function
        what = f"raised {type(error).__name__} over tool {tool.name!r}: {error}"
        raise UserError(f"The tool_filter of MCP server {context.server_name!r} {what}") from error
