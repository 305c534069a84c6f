"""Servers at an address, over real connections."""

from __future__ import annotations

import asyncio
import subprocess
import sys
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


async def test_calls_at_once_all_find_a_server_that_was_started_anew(web: Web) -> None:
    process, port = web()
    async with at(port) as server:
        await server.connect()
        end(process)
        web(port)
        answers = await asyncio.gather(*(said(server, "add", a=n, b=0) for n in range(10)))
    assert answers == [str(n) for n in range(10)]


async def test_more_calls_at_once_than_a_client_has_connections_are_under_way_together(web: Web) -> None:
    _, port = web()
    async with at(port) as server:
        assert set(await asyncio.gather(*(said(server, "meet", count=120) for _ in range(120)))) == {"met"}


async def test_a_refused_call_leaves_the_others_and_the_session_alone(web: Web) -> None:
    _, port = web()
    async with at(port) as server:
        waiting = asyncio.create_task(said(server, "wait"))
        while await said(server, "how_many_wait") != "1":
            await asyncio.sleep(0)
        session = server.session_id
        with pytest.raises(
            MCPServerError, match=r"answered with HTTP status 503 \(calling its tool 'busy'\)"
        ) as caught:
            await server.call_tool("busy", {})
        assert (caught.value.status_code, await said(server, "how_many_wait")) == (503, "1")
        assert (waiting.done(), server.session_id == session) == (False, True)
        waiting.cancel()


async def test_a_refused_call_is_sent_again_where_retries_are_asked_for(web: Web) -> None:
    _, port = web()
    async with at(port) as server:
        server.max_retry_attempts, server.retry_backoff_seconds_base = 1, 0
        assert await said(server, "busy") == "not busy any more"


async def test_a_server_that_says_in_its_own_words_that_it_forgot_the_session_gets_a_new_one(web: Web) -> None:
    _, port = web()
    async with at(port) as server:
        await server.connect()
        before = server.session_id
        assert await said(server, "forgotten") == "remembered"
        assert (before is None, server.session_id in (None, before)) == (False, False)


async def test_the_words_that_came_with_an_error_status_are_quoted(web: Web) -> None:
    _, port = web()
    async with at(port) as server:
        with pytest.raises(MCPServerError) as caught:
            await server.call_tool("odd", {})
    assert str(caught.value) == (
        f"MCP server 'web' at http://127.0.0.1:{port}/mcp answered with HTTP status 400: No such thing (code -32000) "
        "(calling its tool 'odd'). See the server's log."
    )


@pytest.mark.parametrize(("told", "ended"), [(True, "1"), (False, "0")])
async def test_a_server_is_told_that_a_session_is_over_unless_it_is_not_to_be(web: Web, told: bool, ended: str) -> None:
    _, port = web()
    async with at(port, terminate_on_close=told):
        pass
    async with at(port) as server:
        assert await said(server, "sessions_ended") == ended


def test_what_the_protocols_package_logs_of_a_lost_server_is_not_printed(web: Web) -> None:
    process, port = web()
    code = (
        "import asyncio, os, signal\nfrom agentkit.mcp import MCPServerError, MCPServerStreamableHttp\n"
        "async def main():\n"
        f"    params = {{'url': 'http://127.0.0.1:{port}/mcp'}}\n"
        "    async with MCPServerStreamableHttp(params=params, client_session_timeout_seconds=60) as server:\n"
        f"        os.kill({process.pid}, signal.SIGKILL)\n"
        "        try:\n"
        "            await server.call_tool('add', {'a': 1, 'b': 1})\n"
        "        except MCPServerError as error:\n"
        "            print(error.connection_lost)\n"
        "asyncio.run(main())\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert (ended.stdout, ended.stderr) == ("True\n", "")
