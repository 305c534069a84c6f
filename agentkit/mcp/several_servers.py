"""Several MCP servers, some of which may fail to start."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Self

from agentkit._repr import brief
from agentkit.exceptions import MCPServerError, UserError
from agentkit.mcp.server import MCPServer

__all__ = ["MCPServerManager"]


class MCPServerManager:
    """Connects servers, and goes on without those that fail.

    ```python
    async with MCPServerManager([calendar, search]) as manager:
        agent = Agent(name="Planner", mcp_servers=manager.active_servers)
    ```

    A server may be connected here and used anywhere: no task owns it.

    Args:
        servers: The servers, each once.
        connect_timeout_seconds: Seconds that connecting to one may take; no limit when None.
        cleanup_timeout_seconds: Seconds that disconnecting from one may take; no limit when None.
        drop_failed_servers: Whether `active_servers` leaves out those that aren't connected.
        strict: Whether the first failure is raised.
        suppress_cancelled_error: Whether a server whose `connect` is cancelled from inside counts as one that failed.
            When the caller is cancelled, that is raised in any case.
        connect_in_parallel: Whether all are connected to at once, rather than one after another.

    Raises:
        UserError: A timeout isn't above 0, or one of the servers is none.
    """

    def __init__(
        self,
        servers: Iterable[MCPServer],
        *,
        connect_timeout_seconds: float | None = 10.0,
        cleanup_timeout_seconds: float | None = 10.0,
        drop_failed_servers: bool = True,
        strict: bool = False,
        suppress_cancelled_error: bool = True,
        connect_in_parallel: bool = False,
    ) -> None:
        self._servers = list(dict.fromkeys(servers))
        for server in self._servers:
            if not isinstance(server, MCPServer):
                raise UserError(f"{type(server).__name__} {server!r:.60} is no MCP server.", hint="Use MCPServerStdio.")
        self.connect_timeout_seconds = _limit(connect_timeout_seconds, "connect_timeout_seconds")
        self.cleanup_timeout_seconds = _limit(cleanup_timeout_seconds, "cleanup_timeout_seconds")
        self.drop_failed_servers = drop_failed_servers
        self.strict = strict
        self.suppress_cancelled_error = suppress_cancelled_error
        self.connect_in_parallel = connect_in_parallel
        self._connected: set[MCPServer] = set()
        self._failed: dict[MCPServer, BaseException] = {}
        self._errors: dict[MCPServer, BaseException] = {}
        self._begun = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({brief([server.name for server in self._servers])})"

    @property
    def all_servers(self) -> list[MCPServer]:
        """The servers."""
        return list(self._servers)

    @property
    def active_servers(self) -> list[MCPServer]:
        """Those for agents: all before `connect_all`, and then those connected, or all where none is to be dropped."""
        if not self.drop_failed_servers or not self._begun:
            return list(self._servers)
        return [server for server in self._servers if server in self._connected]

    @property
    def failed_servers(self) -> list[MCPServer]:
        """Those that couldn't be connected to."""
        return [server for server in self._servers if server in self._failed]

    @property
    def errors(self) -> dict[MCPServer, BaseException]:
        """What went wrong with each server, in connecting or in disconnecting."""
        return dict(self._errors)

    async def __aenter__(self) -> Self:
        await self.connect_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cleanup_all()

    async def connect_all(self) -> list[MCPServer]:
        """Connect those that aren't connected, and return the active ones.

        Raises:
            Exception: What the first server that failed raised, where `strict`. Those connected are disconnected then.
        """
        self._begun = True
        self._failed.clear()
        self._errors.clear()
        return await self._connect([server for server in self._servers if server not in self._connected])

    async def reconnect(self, *, failed_only: bool = True) -> list[MCPServer]:
        """Connect again to those that failed, or to all, and return the active ones.

        Raises:
            Exception: What the first server that failed raised, where `strict`.
        """
        servers = self.failed_servers if failed_only else self.all_servers
        self._begun = True
        await self._clean(servers)
        for server in servers:
            self._failed.pop(server, None)
            self._errors.pop(server, None)
        return await self._connect(servers)

    async def cleanup_all(self) -> None:
        """Disconnect from all, the last one first. What goes wrong is in `errors`."""
        self._begun = True
        await self._clean(self._servers)

    async def _connect(self, servers: list[MCPServer]) -> list[MCPServer]:
        try:
            if self.connect_in_parallel:
                outcomes = await asyncio.gather(*map(self._attempt, servers), return_exceptions=True)
                for error in outcomes:
                    if error is not None:
                        raise error
            else:
                for server in servers:
                    await self._attempt(server)
        except BaseException:
            await self._clean(servers)
            raise
        return self.active_servers

    async def _attempt(self, server: MCPServer) -> None:
        try:
            await self._in_time(server, server.connect, self.connect_timeout_seconds, "connect")
        except (Exception, asyncio.CancelledError) as error:  # a server of the user's own may raise anything
            self._failed[server] = self._errors[server] = error
            if self.strict or not self._goes_on(error):
                raise
        else:
            self._connected.add(server)

    async def _clean(self, servers: list[MCPServer]) -> None:
        """Disconnect from `servers`, from all of them also where the caller is cancelled meanwhile."""
        cancelled: BaseException | None = None
        for server in reversed(servers):
            self._connected.discard(server)
            try:
                await self._in_time(server, server.cleanup, self.cleanup_timeout_seconds, "disconnect")
            except (Exception, asyncio.CancelledError) as error:  # as above
                if self._goes_on(error):
                    self._errors.setdefault(server, error)
                else:
                    cancelled = error
        if cancelled is not None:
            raise cancelled

    def _goes_on(self, error: BaseException) -> bool:
        """Return whether an error is the server's, and not one of this task's being cancelled."""
        if not isinstance(error, asyncio.CancelledError):
            return True
        task = asyncio.current_task()
        return self.suppress_cancelled_error and (task is None or not task.cancelling())

    async def _in_time(
        self, server: MCPServer, do: Callable[[], Awaitable[Any]], limit_s: float | None, verb: str
    ) -> None:
        try:
            async with asyncio.timeout(limit_s) as within:
                await do()
        except TimeoutError:
            if not within.expired():
                raise
            what = f"MCP server {server.name!r} took longer than {limit_s:g} s to {verb}."
            hint = f"Give it more time by {'connect' if verb == 'connect' else 'cleanup'}_timeout_seconds=…."
            raise MCPServerError(what, hint=hint, server_name=server.name, timeout_seconds=limit_s) from None


def _limit(given: Any, name: str) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given < float("inf"):
        raise UserError(f"MCPServerManager: {name} has to be a number of seconds above 0, or None, not {given!r}.")
    return float(given)
