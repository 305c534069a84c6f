"""Chats that go on: after approvals, after they were closed, in a cell that runs again, with one agent of several."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import agentkit
from agentkit import Agent, UserError
from agentkit.notebook.conversations import conversations
from agentkit.testing import ScriptedModel

Run = Callable[[str], Any]

MAIL = """
from agentkit import function_tool
from agentkit.testing import call
@function_tool(needs_approval=True)
def send(to: str) -> str:
    "Send a mail."
    return f"sent to {to}"
weather.tools = [send]
model.reply(call("send", to="Ada"), call("send", to="Bo")).reply("All done.").reply("Yes.")
"""
KEPT = "[(turn.status, turn.answer, [step.state for step in turn.steps], turn.note) for turn in {}]"


@pytest.fixture
def run(run: Run, loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A function that runs a cell in a notebook that runs by itself."""
    monkeypatch.setenv("AGENTKIT_RENDER", "static")
    loaded.user_ns |= {"agentkit": agentkit, "Agent": Agent}
    loaded.user_ns["model"] = model = ScriptedModel()
    loaded.user_ns["weather"] = Agent(name="weather", model=model)
    yield run
    agentkit.chat.close_all()
    conversations.close()


@pytest.fixture
def notebook(loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the shell be a kernel whose front end says which notebook it is."""
    loaded.user_ns["__vsc_ipynb_file__"] = str(tmp_path / "notebook.ipynb")
    monkeypatch.setattr(loaded, "kernel", object(), raising=False)


def texts(cell: Any) -> list[str]:
    return [output["text/plain"] for output in cell.outputs]


@pytest.mark.parametrize("mode", ["static", "live"])
def test_what_comes_of_an_approval_reaches_the_chat(run: Run, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    run(MAIL)
    monkeypatch.setenv("AGENTKIT_APPROVE", "wait")
    run("chat = agentkit.chat(weather)")
    run("chat.ask('Write to both')")
    assert run(KEPT.format("chat._talk.store.turns(chat.id)")).value[0][:3] == ("waiting", "", ["waiting", "waiting"])
    monkeypatch.setenv("AGENTKIT_RENDER", mode)
    run("chat.show()")
    cell = run("approved = agentkit.approve(); approved.final_output")
    assert (cell.error, cell.value) == (None, "All done.")
    assert texts(cell)[-1] == (
        'You: Write to both\n  ✓ send(to="Ada") → sent to Ada\n  ✓ send(to="Bo") → sent to Bo\nweather: All done.'
    )
    over = [("completed", "All done.", ["ok", "ok"], "")]
    assert run(KEPT.format("chat._talk.tree.path()")).value == over
    assert run(KEPT.format("chat._talk.store.turns(chat.id)")).value == over
    assert run("chat.messages[-1].usage.requests, chat.result is approved").value == (2, True)
    monkeypatch.setenv("AGENTKIT_RENDER", "static")
    assert "weather: All done." in texts(run("agentkit.chat.resume(chat.id)"))[0]
    run("chat.ask('Is it sent?')")
    kinds = run("[item.get('type') or item['role'] for item in model.requests[-1].input]").value
    assert kinds == ["user", *["function_call"] * 2, *["function_call_output"] * 2, "message", "user"]


def test_a_chats_run_rests_again_at_what_nobody_decided_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run(MAIL)
    run("@function_tool(needs_approval=True)\ndef drop() -> str:\n    'Drop.'\n    return 'dropped'")
    run("weather.tools += [drop]")
    run("weather.model = agentkit.testing.ScriptedModel([call('send', to='Ada'), call('drop')], 'All done.')")
    monkeypatch.setenv("AGENTKIT_APPROVE", "wait")
    run("chat = agentkit.chat(weather)\nchat.ask('Write, and drop')")
    run("agentkit.approve(tools='send')")
    assert run("chat.messages[-1].status").value == "waiting"
    cell = run("agentkit.reject('No.')")
    assert cell.error is None
    assert run(KEPT.format("chat._talk.tree.path()")).value == [("completed", "All done.", ["ok", "rejected"], "")]
    assert "No call waits" in str(run("agentkit.approve()").error)


def test_an_approval_is_refused_while_a_message_is_answered_and_can_be_given_after(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(MAIL)
    monkeypatch.setenv("AGENTKIT_APPROVE", "wait")
    run("chat = agentkit.chat(weather)\nchat.ask('Write to both')")
    run("chat._talk._busy = True")
    assert "A message is being answered." in str(run("agentkit.approve()").error)
    run("chat._talk._busy = False")
    assert run("agentkit.approve().final_output").value == "All done."


@pytest.mark.parametrize("said", [True, False])
def test_a_closed_chat_goes_on_where_nobody_names_the_notebook(run: Run, said: bool) -> None:
    run("model.reply('Sunny.').reply('Rain.')\nchat = agentkit.chat(weather)")
    if said:
        run("chat.ask('Today?')")
    run("chat.close()")
    assert run("again = agentkit.chat.resume(chat.id)").error is None
    run("again.ask('Tomorrow?')")
    assert run("[message.text for message in again.messages]").value == (
        ["Today?", "Sunny.", "Tomorrow?", "Rain."] if said else ["Tomorrow?", "Sunny."]
    )
    assert run("len(agentkit.chat.list()), again.id == chat.id").value == (1, True)
    run("again.close()")
    assert run("len(agentkit.chat.resume().messages)").value == (4 if said else 2)
    run("agentkit.chat.forget(chat.id)")
    assert isinstance(run("agentkit.chat.resume(chat.id)").error, UserError)


def test_the_chat_that_was_used_last_goes_on(run: Run) -> None:
    run("model.reply('Sunny.')\nfirst = agentkit.chat(weather)\nsecond = agentkit.chat(Agent(name='other'))")
    run("first.ask('Today?')")
    assert run("agentkit.chat.resume() is first").value


def in_cell(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, cell_id: str) -> None:
    """Let the next cells be this one, as the front end calls it."""
    parent = {"header": {"msg_id": uuid.uuid4().hex}, "metadata": {"cellId": cell_id}}
    monkeypatch.setattr(shell, "get_parent", lambda: parent, raising=False)


@pytest.mark.parametrize("mode", ["static", "live"])
def test_a_cell_that_runs_again_closes_the_chat_that_it_showed(
    run: Run, loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    from ipywidgets.widgets.widget import _instances as widgets

    monkeypatch.setenv("AGENTKIT_RENDER", mode)
    open_before = len(widgets)
    for _ in range(3):
        in_cell(loaded, monkeypatch, "one")
        run("chat = agentkit.chat(weather)\nbeside = agentkit.chat(weather)")
    in_cell(loaded, monkeypatch, "two")
    run("other = agentkit.chat(weather)")
    assert run("len(agentkit.chat.list())").value == 3
    assert len(widgets) - open_before == (6 if mode == "live" else 0)  # each with its layout
    run("chat.show()")
    in_cell(loaded, monkeypatch, "one")
    run("new = agentkit.chat(weather)")
    assert run("[str(each)[-6:] == 'closed' for each in (chat, beside, other, new)]").value == [
        False,
        True,
        False,
        False,
    ]


def test_what_was_said_in_a_chat_that_a_cell_replaced_can_be_resumed(
    run: Run, loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_cell(loaded, monkeypatch, "one")
    run("model.reply('Sunny.')\nfirst = agentkit.chat(weather)\nfirst.ask('Today?')")
    in_cell(loaded, monkeypatch, "one")
    run("agentkit.chat(weather)")
    assert run("agentkit.chat.list().messages.tolist()").value == [0, 2]
    assert texts(run("agentkit.chat.resume(first.id)")) == ["Chat with weather\n\nYou: Today?\nweather: Sunny."]


EARLIER = "(new._frame.earlier or ('', ''))[1].removesuffix(f'agentkit.chat.resume({chr(34)}{chat.id}{chr(34)})')"


def test_a_chat_in_the_place_of_another_says_how_that_goes_on(
    run: Run, loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_cell(loaded, monkeypatch, "one")
    run("model.reply('Sunny.')\nchat = agentkit.chat(weather)\nchat.ask('Today?')")
    in_cell(loaded, monkeypatch, "two")
    run("other = Agent(name='other')\nnew = agentkit.chat(weather)")
    assert run("new._frame.earlier").value is None
    in_cell(loaded, monkeypatch, "one")
    run("beside, new = agentkit.chat(other), agentkit.chat(weather)")
    assert run("beside._frame.earlier").value is None
    assert run(EARLIER).value == "import agentkit; "
    in_cell(loaded, monkeypatch, "one")
    run("chat = agentkit.chat.resume(chat)")
    assert (run("len(chat.messages)").value, run("chat._frame.earlier").value) == (2, None)
    in_cell(loaded, monkeypatch, "one")
    run("new = agentkit.chat(weather)")
    assert run("new._frame.earlier[0]").value == "The earlier chat (2 messages), in a new cell:"
    assert run(EARLIER).value == "import agentkit; "


@pytest.mark.usefixtures("notebook")
def test_a_notebook_that_runs_again_says_how_its_last_chat_goes_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("model.reply('Sunny.')\nchat = agentkit.chat(weather)\nchat.ask('Today?')")
    assert run("agentkit.chat(weather)._frame.earlier").value is None
    agentkit.chat.close_all()
    monkeypatch.setattr(agentkit.chat, "_of_kernel", set())  # as in another
    run("new = agentkit.chat(weather)")
    assert run(EARLIER).value == "import agentkit; "
    assert run("agentkit.chat(Agent(name='other'))._frame.earlier").value is None


@pytest.mark.parametrize("lasting", [True, False])
@pytest.mark.parametrize("closed", [True, False])
def test_a_chat_that_was_deleted_says_so(run: Run, request: pytest.FixtureRequest, lasting: bool, closed: bool) -> None:
    if lasting:
        request.getfixturevalue("notebook")
    run("model.reply('Sunny.')\nchat = agentkit.chat(weather)\nchat.ask('Today?')")
    if closed:
        run("chat.close()")
    assert run("agentkit.chat.forget(chat.id)").error is None
    assert str(run("chat.ask('?')").error) == (
        "This chat is deleted. agentkit.chat.forget() was called for it. Begin another: agentkit.chat(agent)."
    )
    assert run("repr(chat)").value == "Chat with weather: 2 messages, deleted"


@pytest.mark.usefixtures("notebook")
def test_a_closed_chat_goes_on_as_what_it_is(run: Run) -> None:
    run("model.reply('Sunny.')\nchat = agentkit.chat(weather)\nchat.ask('Today?')\nchat.close()\ndel weather")
    assert run("[message.text for message in agentkit.chat.resume(chat).messages]").value == ["Today?", "Sunny."]


@pytest.mark.usefixtures("notebook")
def test_a_notebook_goes_on_with_the_newest_chat_whose_agent_is_there(run: Run) -> None:
    run("model.reply('Sunny.').reply('Nice.')")
    run("one = agentkit.chat(weather)\none.ask('Today?')")
    run("expert = Agent(name='expert', model=model)\ntwo = agentkit.chat(expert)\ntwo.ask('How?')")
    agentkit.chat.close_all()
    run("del expert")
    assert run("agentkit.chat.resume().id == one.id").value
    agentkit.chat.close_all()
    assert run("agentkit.chat.resume(agent=Agent(name='expert')).id == two.id").value
    agentkit.chat.close_all()
    said = str(run("del weather\nagentkit.chat.resume()").error)
    assert said.startswith("The agents of this notebook's chats are not among its variables: ")
    assert [
        text for text in run("[f'{one.id} (with weather)', f'{two.id} (with expert)']").value if text not in said
    ] == []


@pytest.mark.usefixtures("notebook")
def test_a_run_that_rested_in_another_kernel_says_that_it_cannot_go_on(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(MAIL)
    monkeypatch.setenv("AGENTKIT_APPROVE", "wait")
    run("chat = agentkit.chat(weather)\nchat.ask('Write to both')")
    run("chat.close()")
    assert "agentkit.approve()" in run("agentkit.chat.resume().messages[-1].note").value
    agentkit.chat.close_all()
    monkeypatch.setattr(agentkit.chat, "_of_kernel", set())  # as in another
    assert run("[(each.status, each.note) for each in agentkit.chat.resume().messages[-1:]]").value == [
        (
            "interrupted",
            "The run rested at calls that nobody decided on until the kernel ended. Send the message again.",
        )
    ]


@pytest.mark.usefixtures("notebook")
def test_sessions_of_chats_are_left_to_the_list_of_chats(run: Run) -> None:
    run("model.reply('Sunny.').reply('Fine.').reply('Rain.')\nmine = agentkit.SQLiteSession('mine')")
    run("chat = agentkit.chat(weather)\nchat.ask('Today?')")
    run("%ask weather --session trip How are you?")
    listed = run("%session list").value
    assert [entry.name for entry in listed.conversations] == ["trip"]
    everywhere = run("%session list --all").value
    assert {entry.name == run("chat.id").value: entry.kind for entry in everywhere.conversations} == {
        False: "named",
        True: "chat",
    }
    assert run("get_ipython().run_line_magic('session', f'show {chat.id}')").error is None


def test_a_structured_answer_has_its_class_above_it_as_in_a_cell(run: Run) -> None:
    run("""
from dataclasses import dataclass
@dataclass
class Place:
    city: str
weather.output_type = Place
model.reply('{"city": "Oslo"}').reply('{"city": "Oslo"}').reply('{"response": ["a"]}')
""")
    asked = run("%ask weather Where?")
    chat = run("chat = agentkit.chat(weather)\nchat.ask('Where?');")
    table = '<div class="agk-h">Place</div><dl class="agk-k"><dt>city</dt><dd>Oslo</dd></dl>'
    assert [table in cell.outputs[0]["text/html"] for cell in (asked, chat)] == [True, True]
    run("weather.output_type = list[str]")
    listed = run("chat.ask('And which?');")
    assert "agk-h" not in listed.outputs[0]["text/html"].rpartition("</style>")[2]


def test_what_is_kept_is_sent_where_it_is_another_and_to_all_cells_that_show_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agentkit.notebook.chat import output

    sent: list[tuple[str | None, bool]] = []

    def publish(bundle: Any, *, display_id: str | None = None, update: bool = False) -> None:
        if "agk-kept" in bundle.get("text/html", ""):
            sent.append((display_id, update))

    monkeypatch.setattr(output, "publish", publish)
    monkeypatch.setenv("AGENTKIT_RENDER", "live")
    run("model.reply('Sunny.')\nchat = agentkit.chat(weather)")
    run("chat.show()\nchat.ask('Today?')")
    run("chat.rate('up')")
    run("chat.rate('up')")
    assert [update for _, update in sent] == [False, False, True, True]
    assert len({display_id for display_id, _ in sent}) == 1
