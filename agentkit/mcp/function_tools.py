"""The tools of MCP servers as function tools of an agent."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import json
import re
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import AgentsException, MCPServerError, ModelBehaviorError, UserError
from agentkit.mcp.approval import needs_approval
from agentkit.mcp.call_meta import MCPToolMetaContext, meta_of_call
from agentkit.mcp.results import output_of, text_of
from agentkit.mcp.server import MCPServer
from agentkit.tooling import (
    FunctionTool,
    RunContextWrapper,
    StrictSchemaError,
    ToolContext,
    ToolErrorFunction,
    default_tool_error_function,
    ensure_strict_json_schema,
)
from agentkit.tooling.tool import told_of_failure
from agentkit.tracing import FunctionSpanData, get_current_span, mcp_tools_span

if TYPE_CHECKING:
    from mcp import Tool as MCPTool
    from mcp_types import CallToolResult

__all__ = ["MCPUtil"]

_LONGEST_NAME = 64

_made: weakref.WeakKeyDictionary[MCPServer, dict[Any, tuple[MCPTool, FunctionTool]]] = weakref.WeakKeyDictionary()
"""The function tools of each server's tools. They stay the same objects while the tools do: what a run prepares for
the model, such as schemas, is kept by object."""


class MCPUtil:
    """Makes function tools of the tools of MCP servers."""

    @classmethod
    async def get_all_function_tools(
        cls,
        servers: Sequence[MCPServer],
        convert_schemas_to_strict: bool,
        run_context: RunContextWrapper[Any],
        agent: Any,  # an Agent, which lives a layer up
        failure_error_function: ToolErrorFunction | None = default_tool_error_function,
        include_server_in_tool_names: bool = False,
        reserved_tool_names: set[str] | None = None,
    ) -> list[FunctionTool]:
        """Return the tools of all `servers` that `agent` gets in a run.

        Args:
            servers: The servers; those not connected yet are connected.
            convert_schemas_to_strict: Whether schemas are brought into strict form, where that can be.
            run_context: The run's context, for filters.
            agent: The agent, for filters and approvals.
            failure_error_function: Makes the text for the model when a call fails, for servers that have none of
                their own; None raises the error.
            include_server_in_tool_names: Whether tools are named `mcp_<server>__<tool>`.
            reserved_tool_names: Names that the agent's own tools and handoffs have.

        Raises:
            UserError: Two tools have the same name, or one has a reserved name; the message names the servers.
            MCPServerError: A server can't be reached, died, or took too long.
        """
        for server in servers:
            if not isinstance(server, MCPServer):
                raise UserError(f"{type(server).__name__} {server!r:.60} is no MCP server.", hint="Use MCPServerStdio.")
        listing = (cls._listed(server, run_context, agent) for server in servers)
        listed = await asyncio.gather(*listing, return_exceptions=True)
        for outcome in listed:
            if isinstance(outcome, BaseException):
                raise outcome
        owners: dict[str, tuple[MCPServer, str]] = {}
        tools = []
        for server, found in zip(servers, listed, strict=True):
            for tool in found:  # type: ignore[union-attr]  # exceptions have been raised
                name = _prefixed(server.name, tool.name) if include_server_in_tool_names else _allowed(tool.name)
                if name in (reserved_tool_names or ()):
                    raise _reserved(name, server, agent, prefixed=include_server_in_tool_names)
                if name in owners:
                    raise _clash(name, owners[name], (server, tool.name), prefixed=include_server_in_tool_names)
                owners[name] = server, tool.name
                tools.append(cls._kept(tool, server, convert_schemas_to_strict, agent, failure_error_function, name))
        return tools

    @classmethod
    async def get_function_tools(
        cls,
        server: MCPServer,
        convert_schemas_to_strict: bool,
        run_context: RunContextWrapper[Any],
        agent: Any,  # an Agent
        failure_error_function: ToolErrorFunction | None = default_tool_error_function,
        include_server_in_tool_names: bool = False,
        reserved_tool_names: set[str] | None = None,
    ) -> list[FunctionTool]:
        """Return the tools of one server. See `get_all_function_tools`."""
        return await cls.get_all_function_tools(
            [server],
            convert_schemas_to_strict,
            run_context,
            agent,
            failure_error_function,
            include_server_in_tool_names,
            reserved_tool_names,
        )

    @classmethod
    def to_function_tool(
        cls,
        tool: MCPTool,
        server: MCPServer,
        convert_schemas_to_strict: bool,
        agent: Any = None,  # an Agent
        failure_error_function: ToolErrorFunction | None = default_tool_error_function,
        tool_name_override: str | None = None,
    ) -> FunctionTool:
        """Return a function tool that calls a server's tool.

        Args:
            tool: The tool, as `list_tools` returned it.
            server: Its server.
            convert_schemas_to_strict: Whether its schema is brought into strict form, where that can be.
            agent: The agent, where a function decides about approvals; without one, each call needs approval then.
            failure_error_function: Makes the text for the model when a call fails; None raises the error. A function
                of the server's own, or None, goes before it.
            tool_name_override: Name for the model.
        """
        tell = server.failure_error_function
        schema, strict = _schema(tool, strict=convert_schemas_to_strict)
        name = tool_name_override or _allowed(tool.name)
        return FunctionTool(
            name=name,
            description=tool.description or tool.title or "",
            params_json_schema=schema,
            on_invoke_tool=_Invoke(
                server, tool.name, name, failure_error_function if tell is default_tool_error_function else tell
            ),
            strict_json_schema=strict,
            needs_approval=needs_approval(server.approval_policy, tool, agent),
            tool_input_guardrails=server.tool_input_guardrails,
            tool_output_guardrails=server.tool_output_guardrails,
        )

    @classmethod
    async def _listed(cls, server: MCPServer, run_context: RunContextWrapper[Any], agent: Any) -> list[MCPTool]:
        with mcp_tools_span(server=server.name) as span:
            tools = await server.list_tools(run_context, agent)
            span.span_data.result = [tool.name for tool in tools]
        return tools

    @classmethod
    def _kept(
        cls,
        tool: MCPTool,
        server: MCPServer,
        strict: bool,
        agent: Any,
        tell: ToolErrorFunction | None,
        name: str,
    ) -> FunctionTool:
        """Return the function tool that was made of the same tool before, or a new one."""
        asker = weakref.ref(agent) if callable(server.approval_policy) and agent is not None else None
        kept = _made.setdefault(server, {})
        key = (name, strict, asker, tell)
        before = kept.get(key)
        if before is not None and before[0] == tool:
            return before[1]
        for gone in [each for each in kept if each[2] is not None and each[2]() is None]:
            del kept[gone]
        made = cls.to_function_tool(tool, server, strict, agent, tell, name)
        kept[key] = tool, made
        return made


@dataclass(frozen=True, slots=True)
class _Invoke:
    """Calls the server's tool with what the model sent."""

    server: MCPServer
    tool_name: str
    shown_name: str
    tell: ToolErrorFunction | None

    async def __call__(self, context: ToolContext[Any], arguments: str) -> Any:
        span = get_current_span()
        if span is not None and isinstance(span.span_data, FunctionSpanData):
            span.span_data.mcp_data = {"server": self.server.name}
        try:
            result = await self._result(context, _object(arguments, self.shown_name))
            if result.is_error:
                what = f"Tool {self.tool_name!r} of MCP server {self.server.name!r} failed: {text_of(result)}"
                raise MCPServerError(what, server_name=self.server.name, tool_name=self.tool_name)
        except AgentsException as error:
            return await told_of_failure(self.shown_name, self.tell, context, error, error)
        return output_of(result, structured=self.server.use_structured_content)

    async def _result(self, context: ToolContext[Any], arguments: dict[str, Any]) -> CallToolResult:
        server, resolver = self.server, self.server.tool_meta_resolver
        if resolver is None:
            return await server.call_tool(self.tool_name, arguments)
        told = MCPToolMetaContext(context, server.name, self.tool_name, copy.deepcopy(arguments))
        return await server.call_tool(self.tool_name, arguments, meta=await meta_of_call(resolver, told))


def _object(arguments: str, tool: str) -> dict[str, Any]:
    """Return the model's arguments.

    Raises:
        ModelBehaviorError: They are no JSON object.
    """
    try:
        value = json.loads(arguments) if arguments.strip() else {}
    except ValueError as error:
        raise ModelBehaviorError(f"Invalid JSON input for tool {tool}: {error} (got {arguments!r:.80})") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ModelBehaviorError(f"Invalid JSON input for tool {tool}: an object is needed (got {arguments!r:.80})")
    return value


def _schema(tool: MCPTool, *, strict: bool) -> tuple[dict[str, Any], bool]:
    """Return a tool's schema as the API takes it, and whether it is strict; the original where it can't be."""
    schema = json.loads(json.dumps(tool.input_schema))
    schema.setdefault("type", "object")
    schema.setdefault("properties", {})
    if not strict:
        return schema, False
    try:
        return ensure_strict_json_schema(json.loads(json.dumps(schema))), True
    except StrictSchemaError:
        return schema, False


def _allowed(name: str, whole: str | None = None) -> str:
    """Return a name in the letters and the length that the API takes; a cut one ends in a hash of `whole`."""
    safe = re.sub(r"[^a-zA-Z0-9_-]", "_", name)
    if len(safe) <= _LONGEST_NAME:
        return safe
    mark = hashlib.sha256((whole or name).encode()).hexdigest()[:8]
    return f"{safe[: _LONGEST_NAME - 9]}_{mark}"


def _prefixed(server: str, tool: str) -> str:
    return _allowed(f"mcp_{_allowed(server).strip('_-') or 'server'}__{tool}", f"{server}\0{tool}")


def _clash(name: str, one: tuple[MCPServer, str], other: tuple[MCPServer, str], *, prefixed: bool) -> UserError:
    """Return the error for two tools of one name."""
    (first, first_tool), (second, second_tool) = one, other
    if first is second:
        return UserError(
            f"MCP server {first.name!r} has the tools {first_tool!r} and {second_tool!r}, which are both named {name!r}"
            " for the model.",
            hint="Leave one out by tool_filter.",
        )
    what = f"MCP servers {first.name!r} and {second.name!r} both have a tool named {name!r}."
    if prefixed:
        return UserError(what, hint="Give the servers different names by name=….")
    hint = (
        'Use Agent(mcp_config={"include_server_in_tool_names": True}) to have the servers\' names in those of their '
        "tools, or leave one out by tool_filter."
    )
    return UserError(what, hint=hint)


def _reserved(name: str, server: MCPServer, agent: Any, *, prefixed: bool) -> UserError:
    """Return the error for a server's tool with the name of one of the agent's own."""
    who = f"Agent {agent.name!r}" if agent is not None else "The agent"
    hint = "Rename the agent's own."
    if not prefixed:
        hint = 'Use Agent(mcp_config={"include_server_in_tool_names": True}), or leave one out by tool_filter.'
    return UserError(f"{who} and MCP server {server.name!r} both have a tool or handoff named {name!r}.", hint=hint)
