"""Servers that are spoken to over a connection."""

from __future__ import annotations

import asyncio
import threading
import weakref
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from agentkit.exceptions import UserError
from agentkit.mcp.asking import asked, closed
from agentkit.mcp.connection import Connection, Transport
from agentkit.mcp.failures import RequestFailed, missing_package
from agentkit.mcp.filters import ToolFilter, check_filter, filtered
from agentkit.mcp.pages import all_prompts, all_tools, page
from agentkit.mcp.server import MCPServer
from agentkit.tooling import RunContextWrapper

if TYPE_CHECKING:
    from mcp import ClientSession
    from mcp import Tool as MCPTool
    from mcp_types import (
        CallToolResult,
        GetPromptResult,
        ListPromptsResult,
        ListResourcesResult,
        ListResourceTemplatesResult,
        ReadResourceResult,
    )

__all__ = ["ConnectedServer"]

T = TypeVar("T")


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
        retry_backoff_seconds_max: float | None = None,
        max_list_pages: int | None = None,
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
        self.retry_backoff_seconds_base = _seconds(retry_backoff_seconds_base, "retry_backoff_seconds_base", who)
        longest = retry_backoff_seconds_max
        self.retry_backoff_seconds_max = (
            None if longest is None else _seconds(longest, "retry_backoff_seconds_max", who)
        )
        if max_list_pages is not None and (type(max_list_pages) is not int or max_list_pages < 1):
            raise UserError(f"{who}: max_list_pages has to be 1 or more, or None, not {max_list_pages!r}.")
        self.max_list_pages = max_list_pages
        self.message_handler = message_handler
        self._tools: list[MCPTool] | None = None
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._former: set[Connection] = set()
        """Connections that are being closed, or finish what they were asked."""

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
            connections = {*self._former, self._connection} - {None}
            self._connection = None
        self._tools = None
        await closed(*(connection for connection in connections if connection is not None))

    async def list_tools(self, run_context: RunContextWrapper[Any] | None = None, agent: Any = None) -> list[MCPTool]:
        """Return its tools, those that its filter lets through for this run and agent.

        Raises:
            MCPServerError: The server can't be reached, died, or took too long.
            UserError: The filter failed.
        """
        tools = self._tools
        if tools is None:
            tools = await self._request(partial(all_tools, most_pages=self.max_list_pages), "listing its tools")
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
        return await self._request(partial(all_prompts, most_pages=self.max_list_pages), "listing its prompts")

    async def get_prompt(self, name: str, arguments: dict[str, Any] | None = None) -> GetPromptResult:
        """Return one of its prompts, filled in.

        Raises:
            MCPServerError: The server can't be reached, died, took too long, or knows no such prompt.
        """

        async def send(session: ClientSession) -> GetPromptResult:
            return await session.get_prompt(name, arguments)

        return await self._request(send, f"getting its prompt {name!r}")

    async def list_resources(self, cursor: str | None = None) -> ListResourcesResult:
        """Return a page of the resources that it offers: the first, or that at a `next_cursor`.

        Raises:
            MCPServerError: The server can't be reached, died, took too long, or knows of no resources.
        """

        async def send(session: ClientSession) -> ListResourcesResult:
            return await session.list_resources(params=page(cursor))

        return await self._request(send, "listing its resources")

    async def list_resource_templates(self, cursor: str | None = None) -> ListResourceTemplatesResult:
        """Return a page of the patterns of its resources' addresses: the first, or that at a `next_cursor`.

        Raises:
            MCPServerError: The server can't be reached, died, took too long, or knows of no resources.
        """

        async def send(session: ClientSession) -> ListResourceTemplatesResult:
            return await session.list_resource_templates(params=page(cursor))

        return await self._request(send, "listing its resource templates")

    async def read_resource(self, uri: str) -> ReadResourceResult:
        """Return what is at the address of one of its resources.

        Raises:
            MCPServerError: The server can't be reached, died, took too long, or knows no such resource.
        """

        async def send(session: ClientSession) -> ReadResourceResult:
            return await session.read_resource(uri)

        return await self._request(send, f"reading its resource {uri!r}")

    async def _request(
        self, send: Callable[[ClientSession], Awaitable[T]], during: str | None, tool: str | None = None
    ) -> T:
        """Return what a request is answered with; again where that is asked for and there was no connection."""
        retries, resent = 0, False
        while True:
            try:
                connection = await self._connected()
                return await asked(connection, send)
            except RequestFailed as failed:
                failure = failed.failure
                if failure.unheard and not resent:  # the connection had ended without being noticed
                    resent = True
                    continue
                if not failure.lost or retries == self.max_retry_attempts:
                    raise failure.error(self.name, tool, during) from None
            retries += 1
            await asyncio.sleep(self._pause_s(retries))

    def _pause_s(self, retries: int) -> float:
        """Return how many seconds to wait before a retry."""
        longest = self.retry_backoff_seconds_max
        pause = self.retry_backoff_seconds_base * 2.0 ** min(retries - 1, 30)  # 2 to the power of 1,024 is no float
        return pause if longest is None else min(pause, longest)

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
                self._connection = self._begun()
            connection = self._connection
            connection.waiting += 1
        try:
            # shielded: others may wait for the same connection
            await asyncio.shield(asyncio.wrap_future(connection.ready))
        except BaseException as error:
            alone = self._waited(connection)
            if isinstance(error, RequestFailed) or alone:
                await closed(connection)
            raise
        self._waited(connection)
        return connection

    def _begun(self) -> Connection:
        """Return a new connection, which begins to connect. The lock is held."""
        before, former = self._connection, self._former
        if before is not None:
            former.add(before)
            before.ended.add_done_callback(lambda _: former.discard(before))
        connection = Connection(self._transport(), self.client_session_timeout_seconds, _Listener(self).hear)
        connection.start()
        # a server that is dropped without cleanup takes its process along
        dropped = weakref.finalize(self, connection.stop)
        dropped.atexit = False
        connection.ended.add_done_callback(lambda _: dropped.detach())
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


def _timeout(given: Any, who: str) -> float | None:
    if given is None or (given == 0 and not isinstance(given, bool)):
        return None
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given < float("inf"):
        hint = "None is no limit."
        raise UserError(f"{who}: client_session_timeout_seconds has to be a number above 0, not {given!r}.", hint=hint)
    return float(given)


def _seconds(given: Any, name: str, who: str) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given < float("inf"):
        raise UserError(f"{who}: {name} has to be a number of seconds, 0 or more, not {given!r}.")
    return float(given)
