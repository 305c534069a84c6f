"""What calls of a server's tools carry besides their arguments: the protocol's `_meta`."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from agentkit.exceptions import UserError
from agentkit.tooling import RunContextWrapper

__all__ = ["MCPToolMetaContext", "MCPToolMetaResolver", "meta_of_call"]


@dataclass
class MCPToolMetaContext:
    """What a function that makes the `_meta` of a call is told."""

    run_context: RunContextWrapper[Any]
    """The run's context."""
    server_name: str
    """Name of the server."""
    tool_name: str
    """Name of the tool, as the server knows it."""
    arguments: dict[str, Any] | None
    """A copy of the call's arguments."""


MCPToolMetaResolver = Callable[[MCPToolMetaContext], dict[str, Any] | Awaitable[dict[str, Any] | None] | None]
"""Makes the `_meta` of a call, sync or async; None is none."""


async def meta_of_call(resolver: MCPToolMetaResolver, context: MCPToolMetaContext) -> dict[str, Any] | None:
    """Return the `_meta` of a call.

    Raises:
        UserError: The function raised, or returned something else than a dict.
    """
    who = f"The tool_meta_resolver of MCP server {context.server_name!r}"
    try:
        meta = resolver(context)
        if inspect.isawaitable(meta):
            meta = await meta
    except Exception as error:  # the user's function
        raise UserError(f"{who} raised {type(error).__name__} over tool {context.tool_name!r}: {error}") from error
    if meta is not None and not isinstance(meta, dict):
        raise UserError(f"{who} has to return a dict or None, not {meta!r:.80}.")
    return meta
