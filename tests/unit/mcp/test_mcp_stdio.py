"""A server that is a child process, over real pipes."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from mcp_serving import SCRIPT, TOOLS, children, outputs, said, stdio

from agentkit import Agent, Runner
from agentkit.exceptions import UserError
from agentkit.mcp import MCPServerError, MCPServerStdio
from agentkit.testing import ScriptedModel, call


async def test_a_run_calls_the_tools_of_a_server(sums: MCPServerStdio) -> None:
    model = ScriptedModel(call("add", a=2, b=3), "five")
    result = await Runner.run(Agent(name="a", model=model, mcp_servers=[sums]), "2+3?")
    assert (result.final_output, outputs(result)) == ("five", ["5"])
    assert model.requests[0].tools == TOOLS


async def test_the_first_use_connects() -> None:
    server = stdio()
    assert await said(server, "add", a=1, b=1) == "2"
    await server.cleanup()


async def test_a_server_may_be_connected_again_after_cleanup() -> None:
    server = stdio()
    for _ in range(2):
        await server.connect()
        assert len(children()) == 2  # the server, and what waits to end it
        await server.cleanup()
        await server.cleanup()
        assert children() == []


async def test_one_task_connects_and_another_cleans_up() -> None:
    server = stdio()
    await asyncio.create_task(server.connect())
    assert await asyncio.create_task(said(server, "add", a=1, b=2)) == "3"
    await asyncio.create_task(server.cleanup())


def test_one_connection_serves_several_loops_one_after_another() -> None:
    server = stdio()
    pids = {asyncio.run(said(server, "pid")) for _ in range(2)}
    asyncio.run(server.cleanup())
    assert len(pids) == 1


async def test_a_sync_run_in_a_cell_uses_the_connection_that_the_cells_loop_made(sums: MCPServerStdio) -> None:
    model = ScriptedModel(call("add", a=2, b=3), "five")
    result = Runner.run_sync(Agent(name="a", model=model, mcp_servers=[sums]), "2+3?")  # this loop stands still
    assert outputs(result) == ["5"]


async def test_loops_of_several_threads_use_one_connection_at_once(sums: MCPServerStdio) -> None:
    found = await asyncio.gather(
        said(sums, "pid"), *(asyncio.to_thread(lambda: asyncio.run(said(sums, "pid"))) for _ in range(3))
    )
    assert len(set(found)) == 1


async def test_calls_at_once_start_one_server() -> None:
    server = stdio()
    assert len(set(await asyncio.gather(*(said(server, "pid") for _ in range(4))))) == 1
    await server.cleanup()


async def test_a_server_that_dies_is_named_with_its_exit_code_and_what_it_said(sums: MCPServerStdio) -> None:
    with pytest.raises(MCPServerError) as caught:
        await sums.call_tool("die", {"code": 3})
    error = caught.value
    assert str(error) == (
        "MCP server 'sums' ended with exit code 3 (calling its tool 'die'). "
        f"See what `{sys.executable} {SCRIPT}` says in a terminal; the next call starts it again.\n"
        "The last lines of its stderr:\nstarting\nout of memory, says the server"
    )
    fields = (error.server_name, error.tool_name, error.exit_code, error.connection_lost, error.hint is None)
    assert fields == ("sums", "die", 3, True, False)


async def test_the_model_is_told_that_a_server_died_and_the_next_call_starts_it_again(sums: MCPServerStdio) -> None:
    model = ScriptedModel(call("die", code=3), call("add", a=1, b=1), "done")
    result = await Runner.run(Agent(name="a", model=model, mcp_servers=[sums]), "go")
    assert outputs(result)[0].startswith(
        "An error occurred while running the tool. Please try again. Error: MCP server 'sums' ended with exit code 3"
    )
    assert outputs(result)[1] == "2"


async def test_a_server_that_was_killed_between_two_calls_is_started_again(sums: MCPServerStdio) -> None:
    pid = int(await said(sums, "pid"))
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # the loop has noticed already
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert int(await said(sums, "pid")) != pid


async def test_a_call_is_sent_again_only_where_retries_are_asked_for() -> None:
    async with stdio(max_retry_attempts=2, retry_backoff_seconds_base=0) as server:
        sent = []
        begin = server._connected

        async def counted() -> Any:
            sent.append(1)
            return await begin()

        server._connected = counted  # type: ignore[method-assign]
        with pytest.raises(MCPServerError, match="exit code 4"):
            await server.call_tool("die", {"code": 4})
        assert len(sent) == 3


async def test_a_command_that_is_not_there_is_named() -> None:
    server = MCPServerStdio(params={"command": "no-such-program"}, name="lost")
    with pytest.raises(MCPServerError) as caught:
        await server.connect()
    assert str(caught.value) == (
        "MCP server 'lost' can't be started: there is no command 'no-such-program'. "
        "Install it, or give its full path; with env, mind that its PATH counts."
    )


async def test_a_folder_that_is_not_there_is_named() -> None:
    server = MCPServerStdio(params={"command": sys.executable, "cwd": "/no/such/folder"}, name="lost")
    with pytest.raises(MCPServerError, match="can't be started in '/no/such/folder': there is no such folder"):
        await server.connect()


async def test_a_server_that_ends_at_once_is_quoted() -> None:
    with pytest.raises(MCPServerError, match=r"(?s)ended with exit code 1\. .*starting\nno configuration file$"):
        await stdio("--broken").connect()


async def test_a_run_ends_with_the_error_of_a_server_that_cannot_start() -> None:
    agent = Agent(name="a", model=ScriptedModel("never"), mcp_servers=[stdio("--broken")])
    with pytest.raises(MCPServerError, match=r"'sums' ended with exit code 1"):
        await Runner.run(agent, "hi")


async def test_a_server_that_never_answers_is_ended_after_the_timeout() -> None:
    with pytest.raises(MCPServerError) as caught:
        await stdio("--silent", client_session_timeout_seconds=0.3).connect()
    assert str(caught.value) == (
        "MCP server 'sums' took longer than 0.3 s to answer. "
        "Give it more time by client_session_timeout_seconds=…, or None for no limit."
    )
    assert (caught.value.timeout_seconds, children()) == (0.3, [])


async def test_a_call_that_takes_too_long_leaves_the_server_running(sums: MCPServerStdio) -> None:
    await sums.connect()
    sums._connection.timeout_s = 0.2  # type: ignore[union-attr]

    async def hurried(session: Any) -> Any:
        return await session.call_tool("wait", {}, read_timeout_seconds=0.2)

    with pytest.raises(MCPServerError, match=r"took longer than 0.2 s to answer \(calling its tool 'wait'\)"):
        await sums._request(hurried, None, "wait")
    assert await said(sums, "add", a=1, b=1) == "2"


async def test_a_cancelled_call_leaves_the_connection_open(sums: MCPServerStdio) -> None:
    pid = await said(sums, "pid")
    waiting = asyncio.create_task(said(sums, "wait"))
    while not sums._connection._pending:  # type: ignore[union-attr]
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await said(sums, "pid") == pid


async def test_cleanup_during_a_call_ends_the_call() -> None:
    server = stdio()
    await server.connect()
    waiting = asyncio.create_task(said(server, "wait"))
    while not server._connection._pending:  # type: ignore[union-attr]
        await asyncio.sleep(0)
    await server.cleanup()
    with pytest.raises(MCPServerError, match=r"'sums' was stopped \(calling its tool 'wait'\)"):
        await waiting


async def test_a_cancelled_connect_leaves_no_process() -> None:
    server = stdio("--silent")
    connecting = asyncio.create_task(server.connect())
    while not children():
        await asyncio.sleep(0)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert children() == []


async def test_a_connect_cancelled_at_once_leaves_nothing() -> None:
    connecting = asyncio.create_task(stdio().connect())
    await asyncio.sleep(0)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting


async def test_one_of_two_that_wait_for_a_connection_may_be_cancelled() -> None:
    server = stdio()
    one, other = asyncio.create_task(server.connect()), asyncio.create_task(server.connect())
    await asyncio.sleep(0)
    one.cancel()
    await other
    assert one.cancelled()
    await server.cleanup()


def test_a_server_that_is_dropped_without_cleanup_is_ended() -> None:
    server = stdio()
    asyncio.run(server.connect())
    thread = next(thread for thread in threading.enumerate() if thread.name == "agentkit-mcp")
    del server
    thread.join(30)
    assert not thread.is_alive()


def test_the_interpreters_end_ends_the_server(tmp_path: Any) -> None:
    code = (
        "import asyncio, sys\nfrom agentkit.mcp import MCPServerStdio\n"
        f"server = MCPServerStdio(params={{'command': sys.executable, 'args': [{str(SCRIPT)!r}]}})\n"
        "server.client_session_timeout_seconds = 60\n"
        "print(asyncio.run(server.call_tool('pid', {})).content[0].text)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(ended.stdout), 0)


async def test_prompts_are_listed_and_filled_in(sums: MCPServerStdio) -> None:
    listed = await sums.list_prompts()
    filled = await sums.get_prompt("greet", {"name": "Ada"})
    assert [prompt.name for prompt in listed.prompts] == ["greet"]
    assert filled.messages[0].content.text == "Say hello to Ada."  # type: ignore[union-attr]


async def test_an_unknown_prompt_is_an_error_that_names_the_server(sums: MCPServerStdio) -> None:
    with pytest.raises(MCPServerError, match=r"'sums' answered with an error: .* \(getting its prompt 'nope'\)"):
        await sums.get_prompt("nope")


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux only")
def test_a_server_in_the_middle_of_a_call_is_ended_when_our_process_is_killed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code = (
        "import asyncio, sys\nfrom agentkit.mcp import MCPServerStdio\n"
        f"server = MCPServerStdio(params={{'command': sys.executable, 'args': [{str(SCRIPT)!r}]}})\n"
        "server.client_session_timeout_seconds = None\n"
        "async def main():\n"
        "    print((await server.call_tool('pid', {})).content[0].text, flush=True)\n"
        f"    await server.call_tool('stand_still', {{'path': {str(pipe)!r}}})\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as ours:
        assert ours.stdout is not None
        server = os.pidfd_open(int(ours.stdout.readline()))
        assert pipe.read_text() == "still"
        ours.kill()
    ended = select.poll()
    ended.register(server, select.POLLIN)
    try:
        assert ended.poll(30_000) == [(server, select.POLLIN)]
    finally:
        os.close(server)


async def test_a_notebooks_stderr_which_no_process_could_write_to_is_none_of_the_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    async with stdio() as server:
        assert await said(server, "add", a=1, b=1) == "2"


async def test_many_calls_at_once_get_each_its_own_answer(sums: MCPServerStdio) -> None:
    answers = await asyncio.gather(*(said(sums, "add", a=n, b=1) for n in range(100)))
    assert answers == [str(n + 1) for n in range(100)]


async def test_an_answer_of_several_megabytes_arrives_whole(sums: MCPServerStdio) -> None:
    assert await said(sums, "large", size=5_000_000) == "0123456789" * 500_000


async def test_what_a_server_writes_to_stderr_does_not_fill_the_disk(sums: MCPServerStdio) -> None:
    await said(sums, "grumble", size=3 << 20)
    await said(sums, "add", a=1, b=1)
    assert os.fstat(sums._connection.transport._stderr.fileno()).st_size < 1 << 20  # type: ignore[union-attr]
    with pytest.raises(MCPServerError, match="The last lines of its stderr:\nout of memory, says the server$"):
        await sums.call_tool("die", {"code": 3})


async def test_calls_under_way_are_all_told_why_the_server_died(sums: MCPServerStdio) -> None:
    await sums.connect()
    waiting = [asyncio.create_task(said(sums, "wait")) for _ in range(3)]
    while await said(sums, "how_many_wait") != "3":
        await asyncio.sleep(0)
    with pytest.raises(MCPServerError):
        await sums.call_tool("die", {"code": 3})
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [(type(error), error.exit_code) for error in told] == [(MCPServerError, 3)] * 3  # type: ignore[union-attr]


async def test_a_cancelled_run_ends_the_call_on_the_server(sums: MCPServerStdio) -> None:
    run = asyncio.create_task(Runner.run(Agent(name="a", model=ScriptedModel(call("wait")), mcp_servers=[sums]), "go"))
    while await said(sums, "how_many_wait") != "1":
        await asyncio.sleep(0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    while await said(sums, "how_many_wait") != "0":
        await asyncio.sleep(0)


async def test_resources_are_listed_and_read(sums: MCPServerStdio) -> None:
    listed, templates = await sums.list_resources(), await sums.list_resource_templates()
    poem, note = await sums.read_resource("file:///poem.txt"), await sums.read_resource("file:///todo.md")
    assert [str(resource.uri) for resource in listed.resources] == ["file:///poem.txt"]
    assert [template.uri_template for template in templates.resource_templates] == ["file:///{name}.md"]
    assert [part.contents[0].text for part in (poem, note)] == ["Tyger", "# todo"]  # type: ignore[union-attr]


async def test_an_unknown_resource_is_an_error_that_names_the_server(sums: MCPServerStdio) -> None:
    with pytest.raises(MCPServerError, match=r"'sums' answered with an error: .*\(reading its resource 'x:///y'\)"):
        await sums.read_resource("x:///y")


def test_the_pauses_between_retries_double_up_to_the_longest() -> None:
    endless, limited = stdio(), stdio(retry_backoff_seconds_base=2, retry_backoff_seconds_max=5)
    assert [endless._pause_s(n) for n in (1, 2, 3, 2000)] == [1.0, 2.0, 4.0, 2.0**30]
    assert [limited._pause_s(n) for n in (1, 2, 3)] == [2.0, 4.0, 5.0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_retry_attempts": -2},
        {"retry_backoff_seconds_base": -1},
        {"retry_backoff_seconds_max": "1"},
        {"max_list_pages": 0},
        {"client_session_timeout_seconds": -1},
        {"tool_meta_resolver": {}},
    ],
)
def test_options_that_cannot_be_are_refused_by_name(wrong: dict[str, Any]) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(UserError, match=rf"^MCP server 'sums': {name} .*{value!r}"):
        stdio(**wrong)
