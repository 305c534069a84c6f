"""MCP servers: what agents ask them, and the connection behind it."""

from __future__ import annotations

import asyncio
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar

from agentkit.exceptions import UserError
from agentkit.mcp.approval import Policy, RequireApproval, approval_policy
from agentkit.mcp.connection import Connection, Transport, slow
from agentkit.mcp.failures import Failure, RequestFailed, missing_package
from agentkit.mcp.filters import ToolFilter, check_filter, filtered
from agentkit.mcp.http import HttpTransport, refused, status_of_request
from agentkit.tools import (
    RunContextWrapper,
    ToolErrorFunction,
    ToolInputGuardrail,
    ToolOutputGuardrail,
    default_tool_error_function,
)

if TYPE_CHECKING:
    from mcp import ClientSession
    from mcp import Tool as MCPTool
    from mcp_types import CallToolResult, GetPromptResult, ListPromptsResult, Prompt

__all__ = ["ConnectedServer", "MCPServer"]

T = TypeVar("T")


class MCPServer(ABC):
    """A server whose tools agents may call: `Agent(mcp_servers=[…])`. Derive from it for ways to a server of your own.

    Args:
        use_structured_content: Whether the model gets a tool's structured content, where there is one, instead of its
            texts and images. Most servers send the same in both.
        require_approval: Whose calls wait for a person: "always", "never", True, False, a dict of these by tool name,
            `{"always": {"tool_names": […]}, "never": {…}}`, or a function of context, agent and tool.
        failure_error_function: Makes the text for the model when a call fails; None raises the error instead.
        tool_input_guardrails: Checks of each call.
        tool_output_guardrails: Checks of what each call returns.

    Raises:
        UserError: `require_approval` is none of these.
    """

    def __init__(
        self,
        use_structured_content: bool = False,
        require_approval: RequireApproval = None,
        failure_error_function: ToolErrorFunction | None = default_tool_error_function,
        *,
        tool_input_guardrails: list[ToolInputGuardrail[Any]] | None = None,
        tool_output_guardrails: list[ToolOutputGuardrail[Any]] | None = None,
    ) -> None:
        self.use_structured_content = use_structured_content
        self.approval_policy: Policy = approval_policy(require_approval, f"MCP server {self.name!r}")
        self.failure_error_function = failure_error_function
        self.tool_input_guardrails = list(tool_input_guardrails or ())
        self.tool_output_guardrails = list(tool_output_guardrails or ())

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called, in errors and traces."""

    @abstractmethod
    async def connect(self) -> None:
        """Connect to it; start it, where it is a process."""

    @abstractmethod
    async def cleanup(self) -> None:
        """Disconnect; end it, where it is a process."""

    @abstractmethod
    async def list_tools(self, run_context: RunContextWrapper[Any] | None = None, agent: Any = None) -> list[MCPTool]:
        """Return its tools, those that its filter lets through for this run and agent."""

    @abstractmethod
    async def call_tool(
        self, tool_name: str, arguments: dict[str, Any] | None, meta: dict[str, Any] | None = None
    ) -> CallToolResult:
        """Return what its tool answers."""

    @abstractmethod
    async def list_prompts(self) -> ListPromptsResult:
        """Return the prompts that it offers."""

    @abstractmethod
    async def get_prompt(self, name: str, arguments: dict[str, Any] | None = None) -> GetPromptResult:
        """Return one of its prompts, filled in."""

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cleanup()


class ConnectedServer(MCPServer):
    """A server with a connection: opened by `connect` or the first use, and again by the next use after it broke.

    Any of its methods may be called from any task and event loop. See `MCPServerStdio` for the arguments.
    """

    def __init__(
        self,
        name: str,
        *,
        cache_tools_list: bool,
        client_session_timeout_seconds: float | None,
        tool_filter: ToolFilter,
        max_retry_attempts: int,
        retry_backoff_seconds_base: float,
        message_handler: Callable[[Any], Awaitable[None]] | None,
        **options: Any,  # of MCPServer
    ) -> None:
        self._name = name
        super().__init__(**options)
        who = f"MCP server {name!r}"
        check_filter(tool_filter, who)
        self.cache_tools_list = cache_tools_list
        self.client_session_timeout_seconds = _timeout(client_session_timeout_seconds, who)
        self.tool_filter = tool_filter
        if isinstance(max_retry_attempts, bool) or not isinstance(max_retry_attempts, int) or max_retry_attempts < -1:
            hint = "Use 0 for none, -1 for no limit."
            raise UserError(f"{who}: max_retry_attempts can't be {max_retry_attempts!r}.", hint=hint)
        self.max_retry_attempts = max_retry_attempts
        self.retry_backoff_seconds_base = retry_backoff_seconds_base
        self.message_handler = message_handler
        self._tools: list[MCPTool] | None = None
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    @property
    def name(self) -> str:
        """What it is called, in errors and traces."""
        return self._name

    @property
    def cached_tools(self) -> list[MCPTool] | None:
        """The tools that it last said to have, before the filter; None where they are asked for anew."""
        return self._tools

    @abstractmethod
    def _transport(self) -> Transport:
        """Return a way to the server, for one connection."""

    def invalidate_tools_cache(self) -> None:
        """Ask the server for its tools again at the next use."""
        self._tools = None

    async def connect(self) -> None:
        """Connect to the server, unless it is connected.

        Raises:
            MCPServerError: It can't be started or reached; the message says why.
            UserError: The `mcp` package isn't installed.
        """
        try:
            await self._connected()
        except RequestFailed as failed:
            raise failed.failure.error(self.name, None, None) from None

    async def cleanup(self) -> None:
        """Disconnect, and wait until nothing is left: no process, no thread. It may be connected again after that."""
        with self._lock:
            connection, self._connection = self._connection, None
        self._tools = None
        if connection is not None:
            await _closed(connection)

    async def list_tools(self, run_context: RunContextWrapper[Any] | None = None, agent: Any = None) -> list[MCPTool]:
        """Return its tools, those that its filter lets through for this run and agent.

        Raises:
            MCPServerError: The server can't be reached, died, or took too long.
            UserError: The filter failed.
        """
        tools = self._tools
        if tools is None:
            tools = await self._request(_all_tools, "listing its tools")
            if self.cache_tools_list:
                self._tools = tools
        return await filtered(tools, self.tool_filter, self.name, run_context, agent)

    async def call_tool(
        self, tool_name: str, arguments: dict[str, Any] | None, meta: dict[str, Any] | None = None
    ) -> CallToolResult:
        """Return what a tool answers, failures of the tool's own included (`is_error`).

        Raises:
            MCPServerError: The server can't be reached, died, took too long, or knows no such tool.
        """

        async def send(session: ClientSession) -> CallToolResult:
            return await session.call_tool(tool_name, arguments, meta=meta)  # type: ignore[arg-type]  # a TypedDict

        return await self._request(send, None, tool_name)

    async def list_prompts(self) -> ListPromptsResult:
        """Return the prompts that it offers; none where it knows of no prompts.

        Raises:
            MCPServerError: The server can't be reached, died, or took too long.
        """
        return await self._request(_all_prompts, "listing its prompts")

    async def get_prompt(self, name: str, arguments: dict[str, Any] | None = None) -> GetPromptResult:
        """Return one of its prompts, filled in.

        Raises:
            MCPServerError: The server can't be reached, died, took too long, or knows no such prompt.
        """

        async def send(session: ClientSession) -> GetPromptResult:
            return await session.get_prompt(name, arguments)

        return await self._request(send, f"getting its prompt {name!r}")

    async def _request(
        self, send: Callable[[ClientSession], Awaitable[T]], during: str | None, tool: str | None = None
    ) -> T:
        """Return what a request is answered with; again where that is asked for and there was no connection."""
        retries, resent = 0, False
        while True:
            try:
                connection = await self._connected()
                return await _asked(connection, send)
            except RequestFailed as failed:
                failure = failed.failure
                if failure.unheard and not resent:  # the connection had ended without being noticed
                    resent = True
                    continue
                if not failure.lost or retries == self.max_retry_attempts:
                    raise failure.error(self.name, tool, during) from None
            retries += 1
            await asyncio.sleep(self.retry_backoff_seconds_base * 2 ** (retries - 1))

    async def _connected(self) -> Connection:
        """Return the connection, when it is ready; a new one, where there is none or it has broken.

        Raises:
            RequestFailed: There can be none.
        """
        try:
            import mcp  # noqa: F401  (here, where its absence is an error of the caller's)
        except ModuleNotFoundError:
            raise missing_package() from None
        with self._lock:
            if self._connection is None or not self._connection.usable:
                self._connection = Connection(
                    self._transport(), self.client_session_timeout_seconds, _Listener(self).hear
                )
                self._connection.start()
                # a server that is dropped without cleanup takes its process along
                weakref.finalize(self, self._connection.stop).atexit = False
            connection = self._connection
            connection.waiting += 1
        try:
            # shielded: others may wait for the same connection
            await asyncio.shield(asyncio.wrap_future(connection.ready))
        except BaseException as error:
            alone = self._waited(connection)
            if isinstance(error, RequestFailed) or alone:
                await _closed(connection)
            raise
        self._waited(connection)
        return connection

    def _waited(self, connection: Connection) -> bool:
        """Note that somebody doesn't wait for a connection any more; return whether nobody does."""
        with self._lock:
            connection.waiting -= 1
            return connection.waiting == 0 and not connection.ready.done()


class _Listener:
    """Hears what a server says unasked, without keeping a server alive that nobody uses any more."""

    def __init__(self, server: ConnectedServer) -> None:
        self._server = weakref.ref(server)

    async def hear(self, message: Any) -> None:
        from mcp_types import ToolListChangedNotification

        server = self._server()
        if server is None:
            return
        if isinstance(message, ToolListChangedNotification):
            server.invalidate_tools_cache()
        if server.message_handler is not None:
            await server.message_handler(message)


async def _asked(connection: Connection, send: Callable[[ClientSession], Awaitable[T]]) -> T:
    """Return what a request is answered with.

    Raises:
        RequestFailed: It isn't, or with an error.
    """
    from mcp import MCPError

    statuses: list[int] = []
    status_of_request.set(statuses)
    try:
        return await connection.request(send)
    except MCPError as error:
        failure = _failure(connection, error, statuses)
        if failure is None or failure.lost:
            failure = await _after_the_end(connection, failure)
        raise RequestFailed(failure) from None
    except (RuntimeError, ValueError) as error:  # the package's own words for answers that break the protocol
        raise RequestFailed(Failure(f"sent an answer that can't be used: {error}")) from None


def _failure(connection: Connection, error: Any, statuses: list[int]) -> Failure | None:
    """Return what an error of the protocol's package says; None where the connection has to tell."""
    from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT

    transport = connection.transport
    if isinstance(transport, HttpTransport) and statuses:
        failure = refused(transport.shown_url, statuses[-1])
        if statuses[-1] == 404:  # it has forgotten the session, most likely since it was started anew
            return Failure(failure.what, failure.hint, status_code=404, lost=True, unheard=True)
        return failure
    if error.code == REQUEST_TIMEOUT:
        return slow(connection.timeout_s)
    broken = str(error).startswith(("Connection closed", "SSE stream"))  # a server may use the code for its own
    if error.code == CONNECTION_CLOSED and (broken or not transport.alive):
        return None
    return Failure(f"answered with an error: {error} (code {error.code})")


async def _after_the_end(connection: Connection, failure: Failure | None) -> Failure:
    """Close a broken connection, and return what broke it."""
    why = await connection.why()
    connection.join(1)
    return why if failure is None else failure


async def _closed(connection: Connection) -> None:
    """Close a connection, and wait until nothing is left of it, also where the caller is cancelled meanwhile."""
    connection.stop()
    cancelled: asyncio.CancelledError | None = None
    while not connection.ended.done():
        try:
            await asyncio.shield(asyncio.wrap_future(connection.ended))
        except asyncio.CancelledError as error:
            cancelled = error
    connection.join(1)
    if cancelled is not None:
        raise cancelled


async def _all_tools(session: ClientSession) -> list[MCPTool]:
    if session.server_capabilities is not None and session.server_capabilities.tools is None:
        return []
    from mcp_types import PaginatedRequestParams

    tools: list[MCPTool] = []
    cursor: str | None = None
    seen: set[str | None] = set()
    while cursor not in seen:  # a server that repeats itself would never end
        seen.add(cursor)
        page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor:
            break
    return tools


async def _all_prompts(session: ClientSession) -> ListPromptsResult:
    from mcp_types import ListPromptsResult, PaginatedRequestParams

    if session.server_capabilities is not None and session.server_capabilities.prompts is None:
        return ListPromptsResult(prompts=[])
    prompts: list[Prompt] = []
    cursor: str | None = None
    seen: set[str | None] = set()
    while cursor not in seen:
        seen.add(cursor)
        page = await session.list_prompts(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
        prompts += page.prompts
        cursor = page.next_cursor
        if not cursor:
            break
    return ListPromptsResult(prompts=prompts)


def _timeout(given: Any, who: str) -> float | None:
    if given is None or (given == 0 and not isinstance(given, bool)):
        return None
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given < float("inf"):
        hint = "None is no limit."
        raise UserError(f"{who}: client_session_timeout_seconds has to be a number above 0, not {given!r}.", hint=hint)
    return float(given)
