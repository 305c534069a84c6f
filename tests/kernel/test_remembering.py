"""Conversations that outlive the kernel, runs that wait for approval, and runs within runs, in real kernels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agentkit.testing.kernel import Kernel

SETUP = """
%load_ext agentkit
from agentkit import Agent, function_tool
from agentkit.testing import ScriptedModel, call
weather = Agent(name='weather', model=ScriptedModel('First.', 'Second.', 'Third.'))
"""
SAID = "[item['content'] for item in weather.model.requests[-1].input if item.get('role') == 'user']"


@pytest.fixture
def jupyter(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel as JupyterLab starts it for a notebook."""
    env = {"PYTEST_VERSION": None, "AGENTKIT_RENDER": None, "JPY_SESSION_NAME": str(tmp_path / "trip.ipynb")}
    with Kernel(home=tmp_path / "home", env=env, timeout_s=30) as kernel:
        kernel.run(SETUP).check()
        yield kernel


def test_a_conversation_goes_on_after_a_restart(jupyter: Kernel) -> None:
    jupyter.run("%%ask weather\nOne?\n").check()
    jupyter.restart()
    jupyter.run(SETUP).check()
    result = jupyter.run("%ask weather Two?").check()
    assert jupyter.run(SAID).text == "['One?', 'Two?']"
    assert "2 earlier messages" in result.html
    assert "earlier" not in jupyter.run("%ask weather --new Three?").check().html
    assert jupyter.run(SAID).text == "['Three?']"


def test_each_notebook_has_conversations_of_its_own(jupyter: Kernel) -> None:
    jupyter.run("%ask weather One?").check()
    jupyter.run("__vsc_ipynb_file__ = '/elsewhere/other.ipynb'").check()
    jupyter.run("%ask weather Two?").check()
    assert jupyter.run(SAID).text == "['Two?']"
    jupyter.run("del __vsc_ipynb_file__").check()
    jupyter.run("%ask weather Three?").check()
    assert jupyter.run(SAID).text == "['One?', 'Three?']"


def test_an_interrupted_answer_is_remembered_as_far_as_it_came(notebook: Kernel) -> None:
    notebook.run("weather.model = Hanging('some words')").check()
    cell = notebook.start("%ask weather One?", allow_stdin=True)
    cell.wait_for_text("hanging")
    notebook.interrupt()
    assert cell.result().status == "error"
    notebook.run("weather.model = model; model.reply('Again.')").check()
    assert "2 earlier messages" in notebook.run("%ask weather Two?").check().html


MAILER = """
sent = []
@function_tool(needs_approval=True)
def send(to: str) -> str:
    'Send a mail.'
    sent.append(to)
    return f'sent to {to}'
weather.tools = [send]
model.reply(call('send', to='Ada')).reply('It is sent.')
"""


@pytest.mark.parametrize("code", ["%%ask weather\nWrite to Ada\n", "%ask weather Write to Ada"])
def test_what_waits_for_approval_is_shown_with_the_lines_to_go_on(notebook: Kernel, code: str) -> None:
    notebook.run(MAILER).check()
    asked = notebook.run(code, allow_stdin=True).check()
    assert asked.text.startswith('[Waiting for approval.]\n  send(to="Ada")\n\nGo on with:\n\n')
    assert "Waiting for approval:" in asked.html
    assert notebook.run("sent").text == "[]"
    went_on = notebook.run(asked.text.partition("Go on with:\n\n")[2], allow_stdin=True).check()
    assert went_on.text.startswith("It is sent.")
    assert "→ sent to Ada" in went_on.html
    assert notebook.run("sent").text == "['Ada']"


def test_what_an_agent_used_as_a_tool_does_appears_while_it_does_it(notebook: Kernel) -> None:
    notebook.run(
        "@function_tool\nasync def wait(a: int) -> str:\n    await asyncio.Event().wait()\n"
        "@function_tool\ndef add(a: int, b: int) -> int:\n    return a + b\n"
        "inner = Agent(name='inner', tools=[wait, add], model=ScriptedModel("
        "call('add', a=1, b=2), ['So far so good.', call('wait', a=3)]))\n"
        "weather.tools = [inner.as_tool('think', 'Thinks.')]\nmodel.reply(call('think', input='x')).reply('Done.')"
    ).check()
    cell = notebook.start("%ask weather Go", allow_stdin=True)
    shown = cell.wait_for_text('agk-m\\">…</span> <span class=\\"agk-n\\">wait')
    assert '<span class="agk-n">think</span>' in str(shown["content"])
    assert '<span class="agk-n">add</span>' in str(shown["content"])
    notebook.interrupt()
    result = cell.result()
    assert result.error is not None
    assert result.error["ename"] == "Interrupted"
    assert "So far so good." in result.html
    assert '<span class="agk-n">wait</span>' in result.html


def test_a_guardrail_that_stops_a_run_is_told_in_a_line(notebook: Kernel) -> None:
    notebook.run(
        "from agentkit import GuardrailFunctionOutput, input_guardrail\n@input_guardrail\n"
        "def no_homework(ctx, agent, text): return GuardrailFunctionOutput(None, True)\n"
        "weather.input_guardrails = [no_homework]; model.reply('It is 4.')"
    ).check()
    result = notebook.run("%ask weather What is 2 + 2?")
    assert result.error is not None
    assert result.error["ename"] == "InputGuardrailTripwireTriggered"
    [kept] = [output["data"] for output in result.outputs if "data" in output]
    assert kept["text/plain"] == "[Guardrail 'no_homework' stopped the run.]"
