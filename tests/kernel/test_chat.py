"""Chats in real kernels: what is kept, and going on after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agentkit.testing.kernel import Kernel

SETUP = """
%load_ext agentkit
import agentkit
from agentkit import Agent
from agentkit.testing import ScriptedModel
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


def test_a_chat_goes_on_after_a_restart(jupyter: Kernel) -> None:
    jupyter.run("chat = agentkit.chat(weather)\nchat.ask('One?');").check()
    jupyter.restart()
    jupyter.run(SETUP).check()
    resumed = jupyter.run("chat = agentkit.chat.resume()").check()
    assert resumed.text == "Chat with weather\n\nYou: One?\nweather: First."
    asked = jupyter.run("chat.ask('Two?');").check()
    assert asked.text == "You: Two?\nweather: First."
    assert jupyter.run(SAID).text == "['One?', 'Two?']"


def test_a_branch_goes_on_after_a_restart(jupyter: Kernel) -> None:
    edit = """
from agentkit.runtime.background import run_blocking
from agentkit.notebook.display.view import NoView
first = chat._talk.tree.path()[0]
run_blocking(chat._talk.edit(first.id, 'Uno?', watch=lambda turn: (NoView(), None)));
"""
    jupyter.run("chat = agentkit.chat(weather)\nchat.ask('One?');").check()
    jupyter.run(edit).check()
    jupyter.restart()
    jupyter.run(SETUP).check()
    jupyter.run("chat = agentkit.chat.resume()\nchat.ask('Two?');").check()
    assert jupyter.run(SAID).text == "['Uno?', 'Two?']"


def test_an_answer_that_the_kernels_end_cut_short_is_kept_as_far_as_it_came(jupyter: Kernel) -> None:
    hanging = """
import asyncio
class Hanging(ScriptedModel):
    async def stream_response(self, *args, **options):
        async for event in super().stream_response(*args, **options):
            if event.type == "response.output_text.done":
                await asyncio.Event().wait()
            yield event
weather.model = Hanging('Some words.')
chat = agentkit.chat(weather)
import threading
def watch():
    import time
    while not any(turn.answer for turn in chat._talk.store.turns(chat.id)):
        time.sleep(0.05)
    print('kept', 1 + 1, flush=True)
threading.Thread(target=watch, daemon=True).start()
chat.ask('One?')
"""
    cell = jupyter.start(hanging)
    cell.wait_for_text("kept 2")
    jupyter.restart()
    jupyter.run(SETUP).check()
    resumed = jupyter.run("chat = agentkit.chat.resume()").check()
    ends = ("The kernel ended before the answer did.", "Stopped. This is what was answered so far.")
    # A restart interrupts the kernel before it kills it, and the run may get to hear of the one or of neither.
    assert resumed.text in [f"Chat with weather\n\nYou: One?\nweather: Some words.\n[{end}]" for end in ends]
    jupyter.run("chat.ask('Two?');").check()
    assert jupyter.run("[message.text for message in chat.messages][2:]").text == "['Two?', 'First.']"


def test_a_chat_whose_agent_is_not_there_says_what_to_do(jupyter: Kernel) -> None:
    jupyter.run("chat = agentkit.chat(weather)\nchat.ask('One?');").check()
    jupyter.restart()
    jupyter.run("%load_ext agentkit\nimport agentkit").check()
    failed = jupyter.run("agentkit.chat.resume()")
    assert failed.status == "error"
    assert "The chat is with the agent 'weather', which is not among the notebook's variables." in str(failed)


def test_another_notebook_has_no_chat_to_go_on_with(jupyter: Kernel) -> None:
    jupyter.run("chat = agentkit.chat(weather)\nchat.ask('One?');").check()
    jupyter.restart()
    jupyter.run(SETUP).check()
    jupyter.run("__vsc_ipynb_file__ = '/elsewhere/other.ipynb'").check()
    assert "This notebook has no chat to go on with." in str(jupyter.run("agentkit.chat.resume()"))
    assert jupyter.run("len(agentkit.chat.list()), len(agentkit.chat.list(everywhere=True))").text == "(0, 1)"


def test_live_and_static_keep_the_same_to_the_letter(jupyter: Kernel) -> None:
    code = "weather.model = ScriptedModel('**First.** $x$')\nchat = agentkit.chat(weather)\nchat.ask('One?');"
    live, static = (jupyter.run(code, allow_stdin=allowed).check() for allowed in (True, False))
    assert live.outputs[0]["data"] == static.outputs[0]["data"]
    assert (len(live.outputs), len(static.outputs)) == (2, 1)
