"""Calls that need approval, over the Jupyter protocol: decided while the cell runs, after it, and where nobody is."""

from __future__ import annotations

from typing import Any

import pytest

from agentkit.testing.kernel import Kernel, RunningCell

KEEPER = '''
done = []

@function_tool(needs_approval=True)
def delete(path: str) -> str:
    """Delete a file."""
    done.append(path)
    return f"deleted {path}"

keeper = Agent(name="keeper", model=ScriptedModel(call("delete", path="a"), "It is gone."), tools=[delete])
'''
ASK = ["%ask keeper Delete a", "x = %ask keeper Delete a"]


@pytest.fixture
def keeper(notebook: Kernel) -> Kernel:
    notebook.run(KEEPER).check()
    return notebook


def say(kernel: Kernel, comm_id: str, **content: Any) -> None:
    """Send what a widget's script would."""
    data = {"method": "custom", "content": content}
    client = kernel.client
    client.shell_channel.send(client.session.msg("comm_msg", {"comm_id": comm_id, "data": data}))


def opened_widget(cell: RunningCell) -> str:
    """Return the comm of the cell's next widget."""

    def is_widget(message: dict[str, Any]) -> bool:
        state = message["content"].get("data", {}).get("state", {})
        return message["msg_type"] == "comm_open" and "_esm" in state

    return str(cell.wait_for(is_widget)["content"]["comm_id"])


@pytest.mark.parametrize(
    ("verdict", "text", "done"), [("approve", "", "['a']"), ("always", "", "['a']"), ("reject", "Keep it.", "[]")]
)
def test_a_click_decides_while_the_cell_runs(keeper: Kernel, verdict: str, text: str, done: str) -> None:
    cell = keeper.start(ASK[0], allow_stdin=True)
    comm = opened_widget(cell)
    say(keeper, comm, kind="ready")
    asked = cell.wait_for(lambda m: '"ask"' in str(m["content"]).replace("'", '"'))
    key = next(op[1] for op in asked["content"]["data"]["content"]["ops"] if op[0] == "ask")
    say(keeper, comm, kind="decide", key=key, verdict=verdict, reason=text)
    result = cell.result().check()
    panel, kept = result.outputs
    assert panel["data"] == {"text/html": "", "text/plain": ""}  # it can't be taken away
    assert kept["data"]["text/plain"] == "It is gone."
    assert text in result.html
    assert keeper.run("done").text == done


@pytest.mark.parametrize("ask", ASK)
def test_where_no_click_comes_the_run_rests_with_its_buttons_beneath(keeper: Kernel, ask: str) -> None:
    result = keeper.run(ask, allow_stdin=True).check()
    kept, control = result.outputs
    assert kept["data"]["text/plain"].startswith('[Waiting for approval.]\n  delete(path="a")\n\nGo on with:')
    assert sorted(control["data"]) == ["application/vnd.jupyter.widget-view+json", "text/plain"]
    assert control["data"]["text/plain"] == ""
    assert keeper.run("import agentkit\nagentkit.approve()", allow_stdin=True).check().text == "It is gone."
    assert keeper.run("done").text == "['a']"


def test_a_click_after_the_cell_goes_on_and_replaces_what_was_kept(keeper: Kernel) -> None:
    cell = keeper.start("%ask keeper Delete a", allow_stdin=True)
    opened_widget(cell)
    comm = opened_widget(cell)
    cell.result().check()
    keeper.run(
        "from agentkit.notebook.latest import latest\n[resting] = latest.resting.values()\nfuture = resting._future"
    ).check()
    for content in ({"kind": "ready"}, {"kind": "decide", "key": "1", "verdict": "approve"}):
        say(keeper, comm, **content)
    keeper.run("import concurrent.futures\nconcurrent.futures.wait([future], 20)").check()
    assert keeper.run("done, agentkit.last_run().final_output").text == "(['a'], 'It is gone.')"
    kept = "resting._kept['kept'][:5], resting._kept['again'], resting._panel._open"
    assert keeper.run(kept).text == "('agk-k', 'import agentkit; agentkit.last_run()', True)"
    say(keeper, comm, kind="kept")  # as the front end does once it has what replaces the kept output
    assert keeper.run("resting._panel._open").text == "False"
    again = keeper.run("agentkit.approve()")
    assert again.error is not None
    assert again.error["evalue"].startswith("No call waits for approval.")


def test_what_waits_is_kept_while_its_cell_runs(keeper: Kernel) -> None:
    cell = keeper.start(ASK[0], allow_stdin=True)
    comm = opened_widget(cell)
    say(keeper, comm, kind="ready")
    kept = cell.wait_for(lambda m: "[Waiting for approval.]" in str(m["content"]))
    assert kept["msg_type"] == "display_data"
    assert kept["content"]["data"]["text/plain"].startswith('[Waiting for approval.]\n  delete(path="a")')
    assert '<div class="agk agk-kept agk-beneath">' in kept["content"]["data"]["text/html"]
    say(keeper, comm, kind="decide", key="1", verdict="approve")
    result = cell.result().check()
    assert "agk-beneath" not in result.html
    assert "Waiting" not in result.text


@pytest.mark.parametrize(("policy", "done"), [("", "[]"), ("deny", "[]"), ("approve", "['a']")])
def test_where_nobody_is_there_the_policy_decides(keeper: Kernel, policy: str, done: str) -> None:
    keeper.run(f"%env AGENTKIT_APPROVE={policy}").check()
    try:
        assert keeper.run("%ask keeper Delete a").check().text == "It is gone."
        assert keeper.run("done").text == done
    finally:
        keeper.run("import os; del os.environ['AGENTKIT_APPROVE']").check()


def test_an_interrupt_while_a_call_waits_leaves_the_run_at_rest(keeper: Kernel) -> None:
    cell = keeper.start("%ask keeper Delete a", allow_stdin=True)
    comm = opened_widget(cell)
    say(keeper, comm, kind="ready")
    cell.wait_for(lambda m: '"ask"' in str(m["content"]).replace("'", '"'))
    keeper.interrupt()
    result = cell.result()
    assert result.status == "error"
    panel, kept, control, error = result.outputs
    assert panel["data"] == {"text/html": "", "text/plain": ""}
    assert kept["data"]["text/plain"].startswith("[Waiting for approval.]")
    assert "application/vnd.jupyter.widget-view+json" in control["data"]
    assert error["ename"] == "Interrupted"
    assert keeper.run("agentkit.approve()", allow_stdin=True).check().text == "It is gone."


def test_each_run_that_rests_has_its_own_buttons_and_goes_on_once(keeper: Kernel) -> None:
    keeper.run('keeper.model = ScriptedModel(call("delete", path="a"), call("delete", path="b"), "Gone.")').check()
    cell = keeper.start("first = %ask keeper --no-session Delete a", allow_stdin=True)
    opened_widget(cell)
    comm = opened_widget(cell)
    cell.result().check()
    keeper.run("from agentkit.notebook.latest import latest\nfuture = latest.resting[first]._future").check()
    keeper.run("second = %ask keeper --no-session Delete b", allow_stdin=True).check()
    keeper.run("import agentkit\nagentkit.approve(run=first)", allow_stdin=True).check()
    for content in ({"kind": "ready"}, {"kind": "decide", "key": "1", "verdict": "approve"}):
        say(keeper, comm, **content)
    assert keeper.run("done, future.cancelled(), list(latest.resting) == [second]").text == "(['a'], True, True)"
