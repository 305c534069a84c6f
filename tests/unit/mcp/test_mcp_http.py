"""Servers at an address, over real connections."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from mcp_serving import outputs, said

from agentkit import Agent, Runner
from agentkit.exceptions import UserError
from agentkit.mcp import MCPServerError, MCPServerSse, MCPServerStreamableHttp
from agentkit.testing import ScriptedModel, call

Web = Callable[..., tuple["subprocess.Popen[str]", int]]


def at(port: int, path: str = "mcp", **params: Any) -> MCPServerStreamableHttp:
    url = f"http://127.0.0.1:{port}/{path}"
    return MCPServerStreamableHttp(params={"url": url, **params}, name="web", client_session_timeout_seconds=60)


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


async def test_a_run_calls_the_tools_of_a_server(web: Web) -> None:
    _, port = web()
    async with at(port) as server:
        agent = Agent(name="a", model=ScriptedModel(call("add", a=2, b=3), "five"), mcp_servers=[server])
        assert outputs(await Runner.run(agent, "2+3?")) == ["5"]
        assert outputs(Runner.run_sync(agent.clone(model=ScriptedModel(call("add", a=1, b=1), "two")), "1+1?")) == ["2"]


async def test_a_server_that_died_is_named_and_the_next_call_finds_the_new_one(web: Web) -> None:
    process, port = web()
    async with at(port) as server:
        assert await said(server, "add", a=1, b=1) == "2"
        end(process)
        with pytest.raises(MCPServerError) as caught:
            await server.call_tool("add", {"a": 1, "b": 1})
        assert str(caught.value).startswith("MCP server 'web' ")
        assert (caught.value.tool_name, caught.value.connection_lost) == ("add", True)
        web(port)
        assert await said(server, "add", a=1, b=2) == "3"


async def test_a_server_that_was_started_anew_is_connected_to_anew(web: Web) -> None:
    process, port = web()
    async with at(port) as server:
        assert await said(server, "add", a=1, b=1) == "2"
        end(process)
        web(port)
        assert await said(server, "add", a=1, b=2) == "3"


async def test_a_server_that_dies_during_a_call_is_named(web: Web) -> None:
    _, port = web()
    async with at(port) as server:
        with pytest.raises(MCPServerError, match=r"^MCP server 'web' .*\(calling its tool 'die'\)"):
            await server.call_tool("die", {"code": 3})


async def test_an_address_where_nothing_answers_is_named(web: Web) -> None:
    process, port = web()
    end(process)
    with pytest.raises(MCPServerError) as caught:
        await at(port).connect()
    assert str(caught.value) == (
        f"MCP server 'web' can't be reached at http://127.0.0.1:{port}/mcp: All connection attempts failed. "
        "Start the server, or correct the address."
    )


async def test_a_wrong_path_is_told_by_its_status(web: Web) -> None:
    _, port = web()
    with pytest.raises(MCPServerError) as caught:
        await at(port, "wrong").connect()
    assert str(caught.value) == (
        f"MCP server 'web' at http://127.0.0.1:{port}/wrong answered with HTTP status 404. "
        "Correct the address: it often ends in /mcp."
    )
    assert caught.value.status_code == 404


async def test_a_wrong_token_is_told_by_its_status(web: Web) -> None:
    _, port = web()
    with pytest.raises(MCPServerError, match=r"HTTP status 401\. Give a key or token in headers or auth\.$"):
        await at(port, headers={"Authorization": "Bearer wrong"}).connect()


async def test_a_server_of_the_older_protocol_is_spoken_to_by_sse(web: Web) -> None:
    _, port = web()
    params: Any = {"url": f"http://127.0.0.1:{port}/sse"}
    async with MCPServerSse(params=params, client_session_timeout_seconds=60) as server:
        assert await said(server, "add", a=1, b=2) == "3"


async def test_an_sse_server_that_died_is_connected_to_anew(web: Web) -> None:
    process, port = web()
    params: Any = {"url": f"http://127.0.0.1:{port}/sse"}
    async with MCPServerSse(params=params, client_session_timeout_seconds=60, name="old") as server:
        await server.connect()
        end(process)
        with pytest.raises(MCPServerError, match="^MCP server 'old' "):
            await server.call_tool("add", {"a": 1, "b": 2})
        web(port)
        assert await said(server, "add", a=1, b=2) == "3"


def test_a_name_that_is_made_of_the_address_holds_no_secret() -> None:
    server = MCPServerStreamableHttp(params={"url": "https://ann:secret@example.com/mcp?key=secret"})
    assert server.name == "streamable_http: https://example.com/mcp"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "params['url'] has to be an address"),
        ({"url": "localhost"}, "not 'localhost'"),
        ({"url": "http://a", "adress": 1}, "params has the unknown key 'adress'"),
        ({"url": "http://a", "timeout": 0}, "params['timeout'] has to be a number of seconds above 0, not 0"),
    ],
)
def test_params_that_cannot_be_are_refused(params: Any, message: str) -> None:
    with pytest.raises(UserError) as caught:
        MCPServerStreamableHttp(params=params)
    assert message in str(caught.value)
