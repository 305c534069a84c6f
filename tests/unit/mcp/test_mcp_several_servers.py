"""Several servers, some of which fail."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from mcp_serving import said, stdio

from agentkit.exceptions import UserError
from agentkit.mcp import MCPServer, MCPServerError, MCPServerManager


class Noted(MCPServer):
    """Notes what is done with it in `log`, and fails where `fails` says so."""

    def __init__(self, name: str, log: list[str], **fails: BaseException) -> None:
        self._name, self.log, self.fails = name, log, fails
        super().__init__()

    @property
    def name(self) -> str:
        return self._name

    async def connect(self) -> None:
        await self.do("connect")

    async def cleanup(self) -> None:
        await self.do("cleanup")

    async def do(self, what: str) -> None:
        self.log.append(f"{what} {self.name}")
        if what in self.fails:
            raise self.fails[what]

    async def list_tools(self, run_context: Any = None, agent: Any = None) -> Any: ...
    async def call_tool(self, tool_name: str, arguments: Any, meta: Any = None) -> Any: ...
    async def list_prompts(self) -> Any: ...
    async def get_prompt(self, name: str, arguments: Any = None) -> Any: ...


class Stuck(Noted):
    """Never connects."""

    async def connect(self) -> None:
        await super().connect()
        await asyncio.Event().wait()


def names(servers: list[MCPServer]) -> list[str]:
    return [server.name for server in servers]


@pytest.mark.parametrize("parallel", [False, True])
async def test_servers_that_start_are_used_and_those_that_do_not_are_told(parallel: bool) -> None:
    servers = [stdio(name="good"), stdio("--broken", name="bad")]
    async with MCPServerManager(servers, connect_timeout_seconds=60, connect_in_parallel=parallel) as manager:
        assert (names(manager.active_servers), names(manager.failed_servers)) == (["good"], ["bad"])
        assert [type(error) for error in manager.errors.values()] == [MCPServerError]
        assert await said(manager.active_servers[0], "add", a=1, b=1) == "2"
    assert manager.active_servers == []


async def test_servers_are_connected_in_order_and_disconnected_from_the_last_one() -> None:
    log: list[str] = []
    async with MCPServerManager([Noted("a", log), Noted("b", log)]):
        pass
    assert log == ["connect a", "connect b", "cleanup b", "cleanup a"]


@pytest.mark.parametrize("parallel", [False, True])
async def test_a_strict_one_raises_the_first_failure_and_leaves_nothing_connected(parallel: bool) -> None:
    log: list[str] = []
    error = ValueError("no")
    servers = [Noted("a", log), Noted("b", log, connect=error)]
    with pytest.raises(ValueError, match="no"):
        await MCPServerManager(servers, strict=True, connect_in_parallel=parallel).connect_all()
    assert sorted(log) == ["cleanup a", "cleanup b", "connect a", "connect b"]


async def test_those_that_failed_are_connected_to_again_where_asked_for() -> None:
    log: list[str] = []
    bad = Noted("bad", log, connect=ValueError("no"))
    manager = MCPServerManager([Noted("good", log), bad])
    await manager.connect_all()
    del bad.fails["connect"]
    log.clear()
    assert names(await manager.reconnect()) == ["good", "bad"]
    assert (log, manager.errors) == (["cleanup bad", "connect bad"], {})


async def test_all_are_active_where_none_is_to_be_dropped() -> None:
    manager = MCPServerManager([Noted("a", [], connect=ValueError("no"))], drop_failed_servers=False)
    assert names(await manager.connect_all()) == ["a"]


async def test_a_server_that_takes_too_long_is_named() -> None:
    manager = MCPServerManager([Stuck("slow", [])], connect_timeout_seconds=0.01)
    await manager.connect_all()
    assert [str(error) for error in manager.errors.values()] == [
        "MCP server 'slow' took longer than 0.01 s to connect. Give it more time by connect_timeout_seconds=…."
    ]


async def test_a_server_that_is_cancelled_from_inside_counts_as_failed_unless_that_is_to_be_raised() -> None:
    def cancelled() -> Noted:
        return Noted("a", [], connect=asyncio.CancelledError())

    assert await MCPServerManager([cancelled()]).connect_all() == []
    for parallel in (False, True):
        manager = MCPServerManager([cancelled()], suppress_cancelled_error=False, connect_in_parallel=parallel)
        with pytest.raises(asyncio.CancelledError):
            await manager.connect_all()


@pytest.mark.parametrize("parallel", [False, True])
async def test_a_cancelled_caller_leaves_nothing_connected(parallel: bool) -> None:
    log: list[str] = []
    manager = MCPServerManager([Noted("a", log), Stuck("b", log)], connect_in_parallel=parallel)
    connecting = asyncio.create_task(manager.connect_all())
    while "connect b" not in log:
        await asyncio.sleep(0)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert (log[-2:], manager.active_servers) == (["cleanup b", "cleanup a"], [])


async def test_what_goes_wrong_in_disconnecting_is_kept_and_the_others_are_disconnected() -> None:
    log: list[str] = []
    servers = [Noted("a", log), Noted("b", log, cleanup=ValueError("no"))]
    manager = MCPServerManager(servers)
    await manager.cleanup_all()
    assert (log, names(list(manager.errors))) == (["cleanup b", "cleanup a"], ["b"])


@pytest.mark.parametrize("wrong", [0, -1, True, "5", float("inf")])
def test_a_timeout_that_cannot_be_is_refused_by_name(wrong: Any) -> None:
    with pytest.raises(UserError, match=f"cleanup_timeout_seconds has to be a number of seconds .* not {wrong!r}"):
        MCPServerManager([], cleanup_timeout_seconds=wrong)


def test_what_is_no_server_is_refused() -> None:
    with pytest.raises(UserError, match="str 'sums' is no MCP server"):
        MCPServerManager(["sums"])  # type: ignore[list-item]
