"""The ways to a server: a child process, or an address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict, Unpack

from agentkit.exceptions import UserError
from agentkit.mcp.approval import RequireApproval
from agentkit.mcp.call_meta import MCPToolMetaResolver
from agentkit.mcp.connected import ConnectedServer
from agentkit.mcp.connection import Transport
from agentkit.mcp.failures import without_secrets
from agentkit.mcp.filters import ToolFilter
from agentkit.mcp.http import HttpTransport, http_transport
from agentkit.mcp.stdio import StdioTransport
from agentkit.tooling import ToolErrorFunction, ToolInputGuardrail, ToolOutputGuardrail

__all__ = [
    "MCPServerSse",
    "MCPServerSseParams",
    "MCPServerStdio",
    "MCPServerStdioParams",
    "MCPServerStreamableHttp",
    "MCPServerStreamableHttpParams",
]


class MCPServerStdioParams(TypedDict):
    """How a server is started."""

    command: str
    args: NotRequired[list[str]]
    env: NotRequired[dict[str, str] | None]
    cwd: NotRequired[str | Path | None]
    encoding: NotRequired[str]
    encoding_error_handler: NotRequired[Literal["strict", "ignore", "replace"]]


class MCPServerStreamableHttpParams(TypedDict):
    """Where a server is, and how it is asked. Times are in seconds."""

    url: str
    headers: NotRequired[dict[str, str] | None]
    timeout: NotRequired[timedelta | float]
    sse_read_timeout: NotRequired[timedelta | float]
    terminate_on_close: NotRequired[bool]
    httpx_client_factory: NotRequired[Callable[..., Any]]
    auth: NotRequired[Any]


class MCPServerSseParams(TypedDict):
    """Where a server is, and how it is asked. Times are in seconds."""

    url: str
    headers: NotRequired[dict[str, str] | None]
    timeout: NotRequired[timedelta | float]
    sse_read_timeout: NotRequired[timedelta | float]
    httpx_client_factory: NotRequired[Callable[..., Any]]
    auth: NotRequired[Any]


class _Options(TypedDict, total=False):
    """Options that the three classes pass on."""

    failure_error_function: ToolErrorFunction | None
    tool_meta_resolver: MCPToolMetaResolver | None
    retry_backoff_seconds_max: float | None
    max_list_pages: int | None
    tool_input_guardrails: list[ToolInputGuardrail[Any]] | None
    tool_output_guardrails: list[ToolOutputGuardrail[Any]] | None


class MCPServerStdio(ConnectedServer):
    """A server that is started as a child process, and spoken to over its stdin and stdout.

    ```python
    async with MCPServerStdio(params={"command": "uvx", "args": ["mcp-server-time"]}) as server:
        agent = Agent(name="Clock", mcp_servers=[server])
    ```

    `async with` is optional: the first use connects, and at the latest the end of the interpreter disconnects.

    Args:
        params: `command`, and where needed `args`, `env`, `cwd`, `encoding` and `encoding_error_handler`. The process
            gets few of our environment's variables (PATH, HOME and the like), and those in `env`.
        cache_tools_list: Whether the server is asked for its tools only once. It may say that they changed, and
            `invalidate_tools_cache` asks again.
        name: What it is called, in errors and traces; "stdio: " and the command when None.
        client_session_timeout_seconds: Seconds that an answer may take; no limit when None or 0.
        tool_filter: Which of its tools agents get: `create_static_tool_filter(…)`, or a function of a
            `ToolFilterContext` and a tool, sync or async.
        use_structured_content: Whether the model gets a tool's structured content in place of its texts and images.
        max_retry_attempts: How often a request is sent again when there is no connection, or it broke; -1 is without
            end. A call that broke off may have done its work: more than 0 means that it may be done twice.
        retry_backoff_seconds_base: Seconds before the first of these; they double each time.
        message_handler: Called, in a thread of its own, with what the server sends unasked.
        require_approval: Whose calls wait for a person: "always", "never", True, False, a dict of these by tool name,
            `{"always": {"tool_names": […]}, "never": {…}}`, or a function of context, agent and tool.
        options: `failure_error_function`, `tool_meta_resolver`, `tool_input_guardrails` and `tool_output_guardrails` of
            its tools (see `MCPServer`); `retry_backoff_seconds_max`, the longest pause between retries; and
            `max_list_pages`, above which a list of tools or prompts is an error.

    Raises:
        UserError: An argument can't be what it is; the message names it.
    """

    def __init__(
        self,
        params: MCPServerStdioParams,
        cache_tools_list: bool = False,
        name: str | None = None,
        client_session_timeout_seconds: float | None = 5,
        tool_filter: ToolFilter = None,
        use_structured_content: bool = False,
        max_retry_attempts: int = 0,
        retry_backoff_seconds_base: float = 1.0,
        message_handler: Callable[[Any], Awaitable[None]] | None = None,
        require_approval: RequireApproval = None,
        **options: Unpack[_Options],
    ) -> None:
        self.params = _stdio_params(params, name)
        super().__init__(
            name or f"stdio: {params['command']}",
            cache_tools_list=cache_tools_list,
            client_session_timeout_seconds=client_session_timeout_seconds,
            tool_filter=tool_filter,
            use_structured_content=use_structured_content,
            max_retry_attempts=max_retry_attempts,
            retry_backoff_seconds_base=retry_backoff_seconds_base,
            message_handler=message_handler,
            require_approval=require_approval,
            **options,
        )

    def _transport(self) -> Transport:
        params = self.params
        return StdioTransport(
            params["command"],
            list(params.get("args") or ()),
            params.get("env"),
            params.get("cwd"),
            params.get("encoding", "utf-8"),
            params.get("encoding_error_handler", "strict"),
        )


class MCPServerStreamableHttp(ConnectedServer):
    """A server at an address, spoken to by streamable HTTP.

    Args:
        params: `url`, and where needed `headers`, `timeout` (5 s for connecting), `sse_read_timeout` (300 s between
            two pieces of an answer), `terminate_on_close`, `httpx_client_factory` (makes an `httpx2.AsyncClient` from
            `headers`, `timeout` and `auth`) and `auth` (an `httpx2.Auth`).
        cache_tools_list: See `MCPServerStdio`, here and below.
        name: What it is called; "streamable_http: " and the address when None.
        client_session_timeout_seconds: Seconds that an answer may take.
        tool_filter: Which of its tools agents get.
        use_structured_content: Whether the model gets structured content.
        max_retry_attempts: How often a request is sent again when there is no connection.
        retry_backoff_seconds_base: Seconds before the first of these.
        message_handler: Called with what the server sends unasked.
        require_approval: Whose calls wait for a person.
        options: As those of `MCPServerStdio`.

    Raises:
        UserError: An argument can't be what it is; the message names it.
    """

    _style: Literal["streamable", "sse"] = "streamable"
    _prefix = "streamable_http"

    def __init__(
        self,
        params: MCPServerStreamableHttpParams,
        cache_tools_list: bool = False,
        name: str | None = None,
        client_session_timeout_seconds: float | None = 5,
        tool_filter: ToolFilter = None,
        use_structured_content: bool = False,
        max_retry_attempts: int = 0,
        retry_backoff_seconds_base: float = 1.0,
        message_handler: Callable[[Any], Awaitable[None]] | None = None,
        require_approval: RequireApproval = None,
        **options: Unpack[_Options],
    ) -> None:
        self.params = params
        http_transport(params, self._style, f"MCP server {name or self._prefix!r}")  # refuses what can't be
        super().__init__(
            name or f"{self._prefix}: {without_secrets(params['url'])}",
            cache_tools_list=cache_tools_list,
            client_session_timeout_seconds=client_session_timeout_seconds,
            tool_filter=tool_filter,
            use_structured_content=use_structured_content,
            max_retry_attempts=max_retry_attempts,
            retry_backoff_seconds_base=retry_backoff_seconds_base,
            message_handler=message_handler,
            require_approval=require_approval,
            **options,
        )

    @property
    def session_id(self) -> str | None:
        """What the server calls the session; None where there is none, or not yet."""
        connection = self._connection
        transport = None if connection is None or not connection.usable else connection.transport
        return transport.session_id if isinstance(transport, HttpTransport) else None

    def _transport(self) -> Transport:
        return http_transport(self.params, self._style, f"MCP server {self.name!r}")


class MCPServerSse(MCPServerStreamableHttp):
    """A server at an address, spoken to by HTTP with server-sent events: what servers used before streamable HTTP.

    It takes what `MCPServerStreamableHttp` takes.
    """

    _style = "sse"
    _prefix = "sse"


def _stdio_params(params: Any, name: str | None) -> MCPServerStdioParams:
    """Return the parameters of a process, checked.

    Raises:
        UserError: One of them is missing, unknown or of the wrong kind.
    """
    who = f"MCP server {name!r}" if name else "MCPServerStdio"
    command = params.get("command") if isinstance(params, dict) else None
    if not isinstance(command, str) or not command.strip():
        hint = 'Use params={"command": "uvx", "args": ["mcp-server-time"]}, say.'
        raise UserError(f"{who}: params['command'] has to name a program, not {command!r}.", hint=hint)
    known = tuple(MCPServerStdioParams.__annotations__)
    if unknown := sorted(set(params) - set(known)):
        raise UserError(f"{who}: params has the unknown key {unknown[0]!r}.", hint=f"It takes {', '.join(known)}.")
    args = params.get("args") or ()
    if not isinstance(args, (list, tuple)) or not all(isinstance(arg, str) for arg in args):
        raise UserError(f"{who}: params['args'] has to be a list of texts, not {args!r:.80}.")
    checked: MCPServerStdioParams = params
    return checked
