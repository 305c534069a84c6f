"""Chats in cells of a notebook at which nobody sits, and in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import agentkit
from agentkit import Agent, UserError
from agentkit.notebook.failures import Interrupted
from agentkit.testing import ScriptedModel

Run = Callable[[str], Any]


@pytest.fixture
def run(run: Run, loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A function that runs a cell in a notebook that runs by itself."""
    monkeypatch.setenv("AGENTKIT_RENDER", "static")
    loaded.user_ns |= {"agentkit": agentkit, "Agent": Agent}
    loaded.user_ns["model"] = model = ScriptedModel()
    loaded.user_ns["weather"] = Agent(name="weather", model=model)
    yield run
    agentkit.chat.close_all()


def texts(cell: Any) -> list[str]:
    return [output["text/plain"] for output in cell.outputs]


def test_a_chat_that_a_cell_begins_and_asks_is_one_output(run: Run) -> None:
    run("model.reply('Sunny.').reply('Rain.')")
    cell = run("chat = agentkit.chat(weather)\nchat.ask('Today?')\nchat.ask('Tomorrow?');")
    assert texts(cell) == [
        "Chat with weather\n\nYou: Today?\nweather: Sunny.\n\nYou: Tomorrow?\nweather: Rain.",
    ]


def test_what_a_later_cell_asks_is_kept_by_that_cell(run: Run) -> None:
    run("model.reply('Sunny.').reply('Rain.')")
    assert texts(run("chat = agentkit.chat(weather)")) == ["Chat with weather (empty)"]
    first, second = run("answer = chat.ask('Today?')"), run("chat.ask('Tomorrow?').final_output")
    assert texts(first) == ["You: Today?\nweather: Sunny."]
    assert (texts(second), second.value) == (["You: Tomorrow?\nweather: Rain."], "Rain.")
    assert [message.text for message in run("chat.messages").value] == ["Today?", "Sunny.", "Tomorrow?", "Rain."]
    assert texts(run("chat.show()")) == [
        "Chat with weather\n\nYou: Today?\nweather: Sunny.\n\nYou: Tomorrow?\nweather: Rain.",
    ]


def test_the_kept_output_is_the_same_live_and_static(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []
    for mode in ("static", "live"):
        monkeypatch.setenv("AGENTKIT_RENDER", mode)
        run("weather.model = agentkit.testing.ScriptedModel('**Sunny.** $x$')")
        cell = run("chat = agentkit.chat(weather, title='A trip')\nchat.ask('Today?');")
        shown = [output for output in cell.captured.outputs if "agk-kept" in output.data.get("text/html", "")]
        kept.append(shown[-1].data)
        run("chat.close()")
    assert kept[0] == kept[1]
    assert "Sunny." in kept[0]["text/html"]


def test_a_run_that_fails_is_kept_and_raised(run: Run) -> None:
    run("model.reply(RuntimeError('boom'))\nchat = agentkit.chat(weather)")
    cell = run("chat.ask('Today?')")
    assert texts(cell) == ["You: Today?\n[Failed: RuntimeError: boom]"]
    assert isinstance(cell.error, RuntimeError)
    assert run("chat.messages[-1].status").value == "error"
    assert run("repr(chat.messages[-1])").value == "ChatMessage(assistant, '', status='error')"


def test_an_interrupt_stops_the_run_and_keeps_what_there_is(run: Run, loaded: InteractiveShell) -> None:
    run("""
from agentkit import function_tool
from agentkit.testing import call
@function_tool
def wait() -> str:
    'Wait.'
    raise KeyboardInterrupt
weather.tools = [wait]
model.reply(call('wait'))
chat = agentkit.chat(weather)
""")
    cell = run("chat.ask('Today?')")
    assert isinstance(cell.error, Interrupted)
    assert run("chat.messages[-1].status").value == "cancelled"


def test_files_go_with_a_message(run: Run, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("hello")
    run("model.reply('Read.')\nchat = agentkit.chat(weather)")
    cell = run(f"chat.ask('What is it?', attachments={str(tmp_path / 'note.txt')!r}).final_output")
    assert texts(cell) == ["You: What is it?\n[with note.txt]\nweather: Read."]
    assert "hello" in run("str(model.requests[-1].input)").value


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("agentkit.chat(3)", "A chat needs an agent, not an int."),
        ("agentkit.chat(weather, session='s')", "A chat's session can't be a str."),
        ("agentkit.chat(weather, model=3)", "A chat's model is text, not an int."),
        ("agentkit.chat(weather, title=3)", "A chat's title is text, not an int."),
        ("agentkit.chat(weather, suggestions='Hi!')", "suggestions is a str."),
        ("agentkit.chat(weather, suggestions=[3])", "A chat's suggestion is text, not an int."),
        (
            "agentkit.chat(weather, max_turns=0)",
            "max_turns is the number of model calls that a run may make, 1 or more, not 0.",
        ),
        ("agentkit.chat(weather, run_config={})", "run_config is a dict."),
        ("agentkit.chat.resume()", "There is no chat to go on with in this kernel"),
        ("agentkit.chat.resume('nothing')", "There is no chat 'nothing'."),
        ("agentkit.chat.resume(3)", "A chat is named by its id, a text, not by an int."),
        ("agentkit.chat.resume('')", "The id is empty."),
        ("agentkit.chat.forget(3)", "A chat is named by its id, a text, not by an int."),
        ("agentkit.chat.forget(None)", "Which chat?"),
        ("agentkit.chat(weather).rate('good')", "An answer is rated 'good'."),
        ("agentkit.chat(weather).rate('up', 3)", "A chat's remark is text, not an int."),
        ("agentkit.chat.resume(agent=3)", "A chat goes on with an agent, not an int."),
        ("agentkit.chat(weather).ask('')", "There is nothing to send."),
        ("agentkit.chat(weather).ask(3)", "A message is text, not an int."),
        ("agentkit.chat(weather).ask('Hi', attachments='no.png')", "There is no file no.png."),
        ("agentkit.chat(weather).ask('Hi', attachments=[3])", "attachment is an int, and can't be attached."),
    ],
)
def test_what_cannot_be_is_refused_in_words(run: Run, code: str, said: str) -> None:
    error = run(code).error
    assert isinstance(error, UserError)
    assert said in str(error)


def test_a_closed_chat_says_how_to_go_on(run: Run) -> None:
    run("chat = agentkit.chat(weather)\nchat.close()")
    assert "This chat is closed. Go on with it by agentkit.chat.resume('chat-weather-" in str(
        run("chat.ask('?')").error
    )
    assert run("repr(chat)").value == "Chat with weather: 0 messages, closed"
    shown = run("chat")
    assert "Chat with weather: 0 messages, closed. Go on with it by agentkit.chat.resume('chat-weat" in shown.stdout
    assert (shown.error, "ERROR" in shown.stdout) == (None, False)


def test_a_chat_that_is_open_is_shown_again_by_resume(run: Run) -> None:
    run("model.reply('Sunny.')\nchat = agentkit.chat(weather)\nchat.ask('Today?');")
    cell = run("agentkit.chat.resume() is chat")
    assert (cell.value, texts(cell)) == (True, ["Chat with weather\n\nYou: Today?\nweather: Sunny."])


def test_chats_are_listed_with_what_they_are_about(run: Run) -> None:
    run("model.reply('Sunny.')\nchat = agentkit.chat(weather)\nchat.ask('Today?');")
    frame = run("agentkit.chat.list()").value
    assert frame[["agent", "title", "messages"]].values.tolist() == [["weather", "Today?", 2]]
    assert str(frame.dtypes["created_at"]) == "datetime64[ns, UTC]"


def test_a_chat_that_is_forgotten_leaves_none_of_its_words(
    run: Run, loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loaded.user_ns["__vsc_ipynb_file__"] = str(tmp_path / "notebook.ipynb")
    monkeypatch.setattr(loaded, "kernel", object(), raising=False)
    (tmp_path / "note.txt").write_text("A word in a file.")
    run("model.reply('A word in an answer.').reply('Rain.')")
    run(f"chat = agentkit.chat(weather)\nchat.ask('A question', attachments={str(tmp_path / 'note.txt')!r})")
    run("other = agentkit.chat(weather)\nother.ask('Tomorrow?')")
    held = [file for file in tmp_path.rglob("*.sqlite*") if b"A word in an answer." in file.read_bytes()]
    assert held
    assert run("agentkit.chat.forget(chat)").error is None
    assert run("agentkit.chat.list().title.tolist()").value == ["Tomorrow?"]
    assert run("agentkit.chat.resume(chat.id)").error is not None
    assert run("import asyncio\nasyncio.run(chat.session.get_items())").value == []
    assert str(run("agentkit.chat.forget('nothing')").error).startswith("There is no chat 'nothing'.")


def test_the_magic_begins_goes_on_and_lists(run: Run) -> None:
    run("model.reply('Sunny.')")
    assert texts(run("%chat weather --title 'A trip' --out trip")) == ["Chat with weather: A trip (empty)"]
    run("trip.ask('Today?');")
    assert texts(run("%chat --resume")) == ["Chat with weather: A trip\n\nYou: Today?\nweather: Sunny."]
    assert run("%chat --list").value["messages"].tolist() == [2]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%chat", "Which agent?"),
        ("%chat whether", "whether"),
        ("%chat weather --max-turns 0", "--max-turns"),
        ("%chat weather --list", "--list goes with nothing else."),
        ("%chat --resume --title x", "--title is for a new chat"),
        ("%chat --id nothing", "There is no chat 'nothing'."),
    ],
)
def test_a_mistyped_magic_is_one_line(run: Run, line: str, said: str) -> None:
    error = run(line).error
    assert type(error).__name__ == "UsageError"
    assert said in str(error)
    assert "\n" not in str(error)


def test_a_terminal_prints(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_RENDER", "console")
    run("model.reply('Sunny.')")
    begun = run("agentkit.chat(weather)")
    assert begun.stdout.splitlines() == [
        "Chat with weather: 0 messages. Keep it in a variable, and talk by its method ask(text).",
        "Out[2]: Chat with weather: 0 messages",
    ]
    cell = run("chat = agentkit.chat(weather)\nchat.ask('Today?');")
    assert "Sunny." in cell.stdout
    assert cell.outputs == []
