"""Interrupts and errors: short, nothing lost, and the kernel goes on."""

from __future__ import annotations

import time

import pytest

from agentkit.testing.kernel import Kernel

CODES = ["%%ask weather\nWhat?\n", "%ask weather What?", "x = %ask weather What?", "%%time\n%%ask weather\nWhat?\n"]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("code", CODES)
def test_an_interrupt_stops_the_run_and_keeps_what_was_answered(notebook: Kernel, code: str, live: bool) -> None:
    notebook.run("weather.model = Hanging('some words')").check()
    cell = notebook.start(code, allow_stdin=live)
    cell.wait_for_text("hanging")
    notebook.interrupt()
    result = cell.result()
    assert result.error is not None
    assert (result.error["ename"], len(result.error["traceback"])) == ("Interrupted", 1)
    assert result.error["evalue"] == "What was answered so far is above and in `_`."
    [kept] = [output["data"] for output in result.outputs if "data" in output]
    assert kept["text/plain"] == "some words\n\n[Stopped. This is what was answered so far.]"
    assert notebook.run("_.status, _.text, agentkit.notebook.last_run() is _").text == (
        "('cancelled', 'some words', True)"
    )
    notebook.run("weather.model = ScriptedModel('Again.')").check()
    assert notebook.run("%ask weather hi").check().text == "Again."


@pytest.mark.parametrize(
    "code",
    ["agentkit.Runner.run_sync(weather, 'What?')", "await agentkit.Runner.run(weather, 'What?')"],
)
def test_an_interrupt_of_plain_python_is_one_line_and_its_traceback_a_command_away(notebook: Kernel, code: str) -> None:
    notebook.run("weather.instructions = lambda c, a: print('asked', flush=True) or 'x'").check()
    notebook.run(
        "class Silent(ScriptedModel):\n    async def get_response(self, *a, **k):\n"
        "        while True: await asyncio.sleep(0.05)  # the kernel looks at interrupts when its loop does something"
    ).check()
    notebook.run("weather.model = Silent()").check()
    cell = notebook.start(code)
    cell.wait_for_text("asked")
    notebook.interrupt()
    error = cell.result().error
    assert error is not None
    assert error["ename"] in ("KeyboardInterrupt", "CancelledError")
    assert [line.replace("\x1b[31m", "").replace("\x1b[0m", "") for line in error["traceback"]] == [
        "Interrupted: the run was stopped. %tb shows where."
    ]
    whole = notebook.run("%tb").error
    assert whole is not None
    assert "agentkit/runtime" in "".join(whole["traceback"])


def test_an_interrupt_takes_less_than_half_a_second(notebook: Kernel) -> None:
    took_s = []
    for code in CODES[:3]:
        notebook.run("weather.model = Hanging('some words')").check()
        cell = notebook.start(code, allow_stdin=True)
        cell.wait_for_text("hanging")
        before = time.perf_counter()
        notebook.interrupt()
        cell.result()
        took_s.append(time.perf_counter() - before)
    assert sorted(took_s)[1] < 0.5  # the middle one: the machine may be busy with something else


def test_an_interrupted_tool_does_not_hold_the_cell(notebook: Kernel) -> None:
    notebook.run(
        "import threading\nstarted = threading.Event()\n@function_tool\ndef wait() -> str:\n"
        "    print('waiting', flush=True)\n    started.wait(30); return 'x'\n"
    ).check()
    notebook.run("weather.tools = [wait]; model.reply(call('wait')).reply('Done.')").check()
    cell = notebook.start("%ask weather hi", allow_stdin=True)
    cell.wait_for_text("waiting")
    notebook.interrupt()
    assert cell.result().status == "error"
    notebook.run("started.set()").check()
    assert notebook.run("_.status").text == "'cancelled'"
    assert list(notebook.run("print(*agentkit.traces(limit=1)['status'])").stdout.split()) == ["cancelled"]


def test_a_tool_that_blocks_the_loop_does_not_hold_the_cell_either(notebook: Kernel) -> None:
    notebook.run("import threading\nreleased = threading.Event()").check()
    body = "print('blocking', flush=True); released.wait(60); return 'x'"
    notebook.run(f"@function_tool\nasync def block() -> str:\n    {body}\n").check()
    notebook.run("weather.tools = [block]; model.reply('Wait.', call('block')).reply('Done.')").check()
    cell = notebook.start("%ask weather hi", allow_stdin=True)
    cell.wait_for_text("blocking")
    notebook.interrupt()
    result = cell.result()
    assert result.error is not None
    assert result.error["ename"] == "Interrupted"
    assert "Stopped waiting. What was under way may still go on." in result.text
    assert "block" in result.html
    notebook.run("released.set(); weather.model = ScriptedModel('Again.')").check()
    assert notebook.run("%ask weather hi").check().text == "Again."


def test_run_all_stops_after_an_interrupt(notebook: Kernel) -> None:
    notebook.run("weather.model = Hanging('some words')").check()
    cell = notebook.start("%ask weather hi\nafter = 1", allow_stdin=True)
    cell.wait_for_text("hanging")
    notebook.interrupt()
    cell.result()
    assert notebook.run("'after' in globals()").text == "False"


@pytest.mark.parametrize("live", [True, False])
def test_a_failed_run_is_told_in_two_lines_and_kept(notebook: Kernel, live: bool) -> None:
    notebook.run("@function_tool\ndef add(a: int, b: int) -> int:\n    'Add.'\n    return a + b\n").check()
    notebook.run("weather.tools = [add]; model.reply('Wait.', call('add', a=1, b=2))").check()
    result = notebook.run("%ask weather --max-turns 1 How much?", allow_stdin=live)
    assert result.error is not None
    assert result.error["ename"] == "MaxTurnsExceeded"
    assert len(result.error["traceback"]) == 2
    [kept] = [output["data"] for output in result.outputs if "data" in output]
    assert kept["text/plain"] == "[Stopped: the run took all the turns that it may.]"
    assert "Let it take more by --max-turns" in result.error["traceback"][0]
    assert "a=1, b=2" in kept["text/html"]
    assert notebook.run("print(*agentkit.traces(limit=1)['status'])").stdout == "max_turns\n"


def test_a_tool_that_fails_and_one_that_is_not_there_are_marked(notebook: Kernel) -> None:
    notebook.run("@function_tool\ndef fail(x: int) -> int:\n    'Fail.'\n    raise ValueError('no')\n").check()
    notebook.run("bad = call('fail'); bad['arguments'] = '{not json'").check()
    notebook.run("weather.tools = [fail]; model.reply(call('fail', x=1), call('nope'), bad).reply('Sorry.')").check()
    result = notebook.run("%ask weather hi").check()
    assert result.text == "Sorry."
    assert result.html.count("✗") == 3


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("%ask wether hi", "UsageError: %ask: There is no agent 'wether'. Did you mean weather? See %ask --help.\n"),
        (
            "%%ask weather",
            "UsageError: %%ask: There is nothing to ask: write it below the cell's first line. See %%ask --help.\n",
        ),
        (
            "%%ask weather --otu x\nhi\n",
            "UsageError: %%ask: There is no option --otu. Did you mean --out or --set? See %%ask --help.\n",
        ),
        ("%%agent a --tools nothing\nhi\n", "UsageError: %%agent: There is no tool 'nothing'. See %%agent --help.\n"),
    ],
)
def test_a_mistake_is_one_line_and_fails_the_cell(notebook: Kernel, code: str, line: str) -> None:
    result = notebook.run(code)
    assert (result.status, result.stderr, result.outputs[1:]) == ("error", line, [])


def test_a_server_that_is_down_is_told_in_a_line(notebook: Kernel) -> None:
    notebook.run("agentkit.connect('http://127.0.0.1:9/v1', model='m'); weather.model = None").check()
    result = notebook.run("%ask weather hi")
    assert result.error is not None
    assert "No connection to http://127.0.0.1:9/v1" in result.error["traceback"][0]
    assert len(result.error["traceback"]) == 2
    notebook.run("agentkit.connect('embedded');").check()
    assert notebook.run("%ask weather hi").check().text != ""


def test_an_unknown_model_gets_the_nearest_name(notebook: Kernel) -> None:
    notebook.run("%%agent a --model rehersal-1\nYou help.\n").check()
    result = notebook.run("%ask a hi")
    assert result.error is not None
    assert result.error["traceback"][1].startswith("Did you mean rehearsal-1? ")


def test_no_key_reaches_the_notebook(notebook: Kernel) -> None:
    key = "sk-proj-abcdefgh12345678ijkl"
    notebook.run("import os; os.environ['OPENAI_API_KEY'] = 'hunter2-hunter2'").check()
    notebook.run(
        f"model.reply('It is {key} or hunter2-hunter2.').reply(ValueError('bad key {key} hunter2-hunter2'))"
    ).check()
    for live in (True, False):
        result = notebook.run("%ask weather hi", allow_stdin=live)
        sent = str([m["content"] for m in result.messages])
        assert key not in sent
        assert "hunter2" not in sent
    notebook.run("del os.environ['OPENAI_API_KEY']").check()
