"""Sync tools run where they may use what a cell made: in the cell's own thread, however the run was started."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import ipykernel
import pytest

from agentkit.testing.kernel import CellResult, Kernel

STARTS = {
    "awaited cell": "%%ask weather\nGo\n",
    "awaited line": "%ask weather Go",
    "blocking line": "_r = %ask weather Go",
    "run_sync": "_r = agentkit.Runner.run_sync(weather, 'Go')",
    "run": "_r = await agentkit.Runner.run(weather, 'Go')",
    "run_streamed": "_r = agentkit.Runner.run_streamed(weather, 'Go')\nasync for _event in _r.stream_events(): pass",
    "run_sync in an async cell": "await asyncio.sleep(0)\n_r = agentkit.Runner.run_sync(weather, 'Go')",
}
OUTPUT = "(_r if '_r' in globals() else agentkit.notebook.last_run()).new_items[1].output"


@pytest.fixture(params=STARTS.values(), ids=STARTS.keys())
def start(request: pytest.FixtureRequest) -> str:
    """A cell that asks the agent `weather`."""
    return str(request.param)


def give_tool(notebook: Kernel, body: str, *, calls: int = 1, before: str = "") -> None:
    """Give the agent a tool `work` that it calls, in one turn."""
    notebook.run(before).check()
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    notebook.run(f"import threading\n@function_tool\ndef work() -> str:\n{lines}\n").check()
    requests = ", ".join(["call('work')"] * calls)
    notebook.run(f"weather.tools = [work]; model.reply({requests}).reply('Done.')").check()


def test_a_tool_uses_a_connection_that_a_cell_made(notebook: Kernel, start: str) -> None:
    give_tool(
        notebook,
        "connection.execute('insert into t values (1)')\n"
        "return str(connection.execute('select count(*) from t').fetchone()[0])",
        before="import sqlite3\nconnection = sqlite3.connect(':memory:'); connection.execute('create table t (x)');",
        calls=2,
    )
    notebook.run(start).check()
    run = "(_r if '_r' in globals() else agentkit.notebook.last_run())"
    assert (
        notebook.run(f"[i.output for i in {run}.new_items if i.type == 'tool_call_output_item']").text == "['1', '2']"
    )


def test_runs_side_by_side_keep_their_tools_in_threads(notebook: Kernel) -> None:
    """Two runs that the cell doesn't await itself: neither may hold up the other."""
    body = "met.wait(20)\nreturn threading.current_thread().name"
    give_tool(notebook, body, before="import threading; met = threading.Barrier(2)")
    notebook.run(
        "agents = [Agent(name=n, model=ScriptedModel(call('work'), 'Done.'), tools=[work]) for n in 'ab']\n"
        "_runs = await asyncio.gather(*[agentkit.Runner.run(agent, 'Go') for agent in agents])"
    ).check()
    assert notebook.run("{run.new_items[1].output for run in _runs}").text == "{'agentkit-tool'}"


def test_a_tool_draws_on_a_figure_of_an_earlier_cell(notebook: Kernel, start: str) -> None:
    give_tool(
        notebook,
        "axes.plot([1, 2], [3, 4])\nplt.figure(figure.number)\nreturn str(len(plt.gca().lines))",
        before="import matplotlib\nmatplotlib.use('agg')\n"
        "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()",
    )
    notebook.run(start).check()
    assert notebook.run(OUTPUT).text == "'1'"
    assert notebook.run("plt.close('all'); len(axes.lines)").text == "1"


def test_prints_and_displays_of_a_tool_are_the_cells(notebook: Kernel, start: str) -> None:
    give_tool(notebook, "print('printed')\ndisplay({'text/plain': 'shown'}, raw=True)\nreturn 'x'")
    result = notebook.run(start).check()
    assert result.stdout == "printed\n"
    assert "shown" in [output["data"]["text/plain"] for output in result.outputs if "data" in output]


def test_a_tool_asks_the_reader(notebook: Kernel, start: str) -> None:
    give_tool(notebook, "return input('How many? ')")
    cell = notebook.start(start, allow_stdin=True)
    question = notebook.client.get_stdin_msg(timeout=20)
    assert question["content"]["prompt"] == "How many? "
    notebook.client.input("three")
    assert cell.result().status == "ok"
    assert notebook.run(OUTPUT).text == "'three'"


def interrupted(notebook: Kernel, start: str) -> tuple[CellResult, float]:
    cell = notebook.start(start, allow_stdin=True)
    cell.wait_for_text("working")
    before = time.perf_counter()
    notebook.interrupt()
    return cell.result(), time.perf_counter() - before


def test_an_interrupt_stops_the_tool_and_its_run(notebook: Kernel, start: str) -> None:
    give_tool(
        notebook,
        "told.append('began')\nprint('working', flush=True)\ntime.sleep(60)\ntold.append('went on')\nreturn 'x'",
        before="import time; told = []",
        calls=2,
    )
    result, took_s = interrupted(notebook, start)
    assert result.error is not None
    assert result.error["ename"] in ("Interrupted", "KeyboardInterrupt", "CancelledError")
    [line] = result.error["traceback"]
    assert "Interrupted" in line
    assert took_s < 5  # the tool would sleep for 60 s
    assert notebook.run("told, len(model.requests)").text == "(['began'], 1)"
    assert list(notebook.run("print(*agentkit.traces(limit=1)['status'])").stdout.split()) == ["cancelled"]
    left = "[t.get_name() for t in asyncio.all_tasks(agentkit.runtime.background.background_loop())]"
    assert notebook.run(f"import agentkit.runtime.background\n{left}").text == "[]"
    notebook.run("weather.model = ScriptedModel(call('work'), 'Done.')").check()
    notebook.run("@function_tool\ndef work() -> str:\n    return 'again'\nweather.tools = [work]").check()
    notebook.run(start).check()
    assert notebook.run(OUTPUT).text == "'again'"


@pytest.mark.parametrize("start", ["%%ask weather\nGo\n", "_r = %ask weather Go"], ids=["awaited", "blocking"])
def test_the_stop_button_stops_the_tool(notebook: Kernel, subshell: str, start: str) -> None:
    give_tool(notebook, "print('working', flush=True)\ntime.sleep(60)\nreturn 'x'", before="import time")
    cell = notebook.start(start, allow_stdin=True)
    cell.wait_for_text("working")
    before = time.perf_counter()
    opened = [m["content"] for m in cell.messages if m["msg_type"] == "comm_open"]
    panel = next(content["comm_id"] for content in opened if "_esm" in content["data"]["state"])
    click = {"comm_id": panel, "data": {"method": "custom", "content": {"kind": "stop"}}}
    message = notebook.client.session.msg("comm_msg", click)
    message["header"]["subshell_id"] = subshell  # as JupyterLab sends it
    notebook.client.shell_channel.send(message)
    result = cell.result()
    assert time.perf_counter() - before < 5
    assert result.error is not None
    assert result.error["ename"] == "Interrupted"
    assert notebook.run("_.status").text == "'cancelled'"


@pytest.fixture
def subshell(notebook: Kernel) -> Iterator[str]:
    """The id of a thread of the kernel that takes messages while a cell runs."""
    if ipykernel.version_info < (7,):
        pytest.skip("ipykernel 6 has no subshells")
    made = control(notebook, "create_subshell")["subshell_id"]
    yield made
    control(notebook, "delete_subshell", subshell_id=made)


def control(notebook: Kernel, what: str, **content: str) -> dict[str, Any]:
    """Send a request on the kernel's control channel, and return the reply's content."""
    client = notebook.client
    client.control_channel.send(client.session.msg(f"{what}_request", content))
    while (reply := client.get_control_msg(timeout=20))["msg_type"] != f"{what}_reply":
        pass
    found: dict[str, Any] = reply["content"]
    return found
