"""`%session`: conversations listed, shown, forgotten and gone on with another way."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from agentkit import Agent, SQLiteSession
from agentkit.notebook.conversation_list import conversation_names, find_conversation, list_conversations
from agentkit.notebook.conversations import sessions_file
from agentkit.notebook.options import Command
from agentkit.runtime.background import run_blocking
from agentkit.testing import ScriptedModel, call

if TYPE_CHECKING:
    from conftest import Mistake, Run
    from IPython.core.interactiveshell import InteractiveShell

TOOL = '%%tool\ndef add(a: int, b: int) -> int:\n    """Add."""\n    return a + b\n'


@pytest.fixture
def spoken(run: Run, loaded: InteractiveShell, weather: Agent[Any], model: ScriptedModel) -> ScriptedModel:
    """A notebook in which `weather` was asked twice, a tool was called, and `clerk` was asked by a name."""
    run(TOOL)
    weather.tools = [loaded.user_ns["add"]]
    loaded.user_ns["clerk"] = Agent(name="clerk", model=model)
    model.reply("First.").reply(call("add", a=1, b=2)).reply("Second.").reply("Third.")
    run("%ask weather One?")
    run("%ask weather Two?")
    run("%ask clerk --session trip Three?")
    for number in range(9):
        model.reply(f"More {number}.")
    return model


def texts(model: ScriptedModel) -> list[Any]:
    """Return what was said of the conversation that the model was sent last."""
    said = [item["content"] for item in model.requests[-1].input if "role" in item]
    return [content if isinstance(content, str) else content[0]["text"] for content in said]


def shown(run: Run, line: str) -> list[str]:
    """Return the lines that a magic shows."""
    cell = run(line)
    assert cell.error is None
    return list(cell.value._repr_mimebundle_()["text/plain"].splitlines())


# -- list, show -------------------------------------------------------------------------------------------------------


def test_a_notebook_without_conversations_says_so(run: Run) -> None:
    told = "No conversations in this notebook yet. %session list --all shows those of others."
    assert shown(run, "%session") == [told]
    assert shown(run, "%session list --all") == ["No conversations yet."]


def test_the_list_has_the_notebooks_first(run: Run, spoken: ScriptedModel) -> None:
    expected = [
        "conversation  of             items  began with",
        "weather       this notebook  6      One?",
        "trip          named          2      Three?",
    ]
    assert shown(run, "%session") == shown(run, "%session list") == expected
    html = run("%session list").value._repr_mimebundle_()["text/html"]
    assert "<td>weather</td><td>this notebook</td><td>6</td><td>One?</td>" in html


def test_a_conversation_is_shown_as_it_was_spoken(run: Run, spoken: ScriptedModel) -> None:
    assert shown(run, "%session show weather") == [
        "weather · 4 messages",
        "  1 user: One?",
        "  2 assistant: First.",
        "  3 user: Two?",
        "    ⚙ add(a=1, b=2)",
        "    → 3",
        "  4 assistant: Second.",
    ]
    assert shown(run, "%session show trip")[0] == "trip · 2 messages"


def test_a_session_in_a_variable_is_shown_too(run: Run, loaded: InteractiveShell) -> None:
    session = loaded.user_ns["mine"] = SQLiteSession("mine")
    run_blocking(session.add_items([{"role": "user", "content": "Hi."}]))
    assert shown(run, "%session show mine") == ["mine · 1 message", "  1 user: Hi."]
    session.close()


def test_what_was_said_does_nothing_where_it_is_shown(run: Run, loaded: InteractiveShell) -> None:
    key = "sk-proj-" + "a1B2" * 12
    session = loaded.user_ns["mine"] = SQLiteSession("mine")
    hostile = f"<img src=x onerror=alert(1)> {key}"
    items: list[Any] = [{"role": role, "content": hostile} for role in ("user", "assistant")]
    items.append({"type": "function_call_output", "call_id": "c", "output": hostile * 9})
    run_blocking(session.add_items(items))
    for text in run("%session show mine").value._repr_mimebundle_().values():
        assert key not in text
        assert key[:24] not in text
    assert "<img" not in run("%session show mine").value._repr_mimebundle_()["text/html"]
    session.close()


def test_no_part_of_a_key_is_left_in_the_list(run: Run, weather: Agent[Any], model: ScriptedModel) -> None:
    key = "sk-proj-" + "a1B2" * 12
    model.reply("Hi.")
    run(f"%ask weather {'x' * 30} {key}")
    assert not any("sk-proj-a1B2" in line for line in shown(run, "%session list"))


def test_of_a_very_long_conversation_the_end_is_shown(run: Run, loaded: InteractiveShell) -> None:
    session = loaded.user_ns["mine"] = SQLiteSession("mine")
    run_blocking(session.add_items([{"role": "user", "content": f"Number {n}."} for n in range(1, 251)]))
    lines = shown(run, "%session show mine")
    assert lines[:3] == ["mine · 250 messages", "The first 50 messages are left out.", " 51 user: Number 51."]
    assert len(lines) == 202
    session.close()


# -- clear ------------------------------------------------------------------------------------------------------------


def test_one_conversation_is_forgotten(run: Run, spoken: ScriptedModel) -> None:
    assert run("%session clear weather").stdout == "Forgot weather: 6 items.\n"
    assert shown(run, "%session list")[1:] == ["trip          named  2      Three?"]
    run("%ask weather Four?")
    assert texts(spoken) == ["Four?"]


def test_all_of_a_notebook_leaves_those_with_a_name(run: Run, spoken: ScriptedModel) -> None:
    run("%ask clerk Four?")
    assert run("%session clear --all").stdout == "Forgot 2 conversations of this notebook: 8 items.\n"
    assert shown(run, "%session list")[1:] == ["trip          named  2      Three?"]
    assert run("%session clear --all").stdout == "Nothing to forget: this notebook has no conversations.\n"


# -- branch -----------------------------------------------------------------------------------------------------------


def test_a_branch_goes_on_from_a_message_and_leaves_the_other_as_it_is(run: Run, spoken: ScriptedModel) -> None:
    cell = run("%session branch weather --at 2 --to what-if")
    told = "what-if begins with the first 2 of 4 messages of weather. Go on with it: %ask weather --session what-if …\n"
    assert cell.stdout == told
    run("%ask weather --session what-if And if?")
    assert texts(spoken) == ["One?", "First.", "And if?"]
    run("%ask weather Three?")
    assert texts(spoken) == ["One?", "First.", "Two?", "Second.", "Three?"]
    assert [line.split()[0] for line in shown(run, "%session list")[1:]] == ["weather", "trip", "what-if"]


def test_a_branch_without_options_has_all_and_a_name(run: Run, spoken: ScriptedModel) -> None:
    assert run("%session branch weather").stdout.startswith("weather-2 begins with all 4 messages of weather.")
    assert run("%session branch weather").stdout.startswith("weather-3 begins with all 4 messages of weather.")
    assert run("%session branch trip").stdout == (
        "trip-2 begins with all 2 messages of trip. Go on with it: %ask AGENT --session trip-2 …\n"
    )


def test_places_count_from_the_end_too(run: Run, spoken: ScriptedModel) -> None:
    assert "the first 3 of 4 messages" in run("%session branch weather --at -2 --to a").stdout


def test_the_calls_between_two_messages_go_with_the_first(run: Run, spoken: ScriptedModel) -> None:
    run("%session branch weather --at 3 --to before")
    assert shown(run, "%session show before")[1:] == ["  1 user: One?", "  2 assistant: First.", "  3 user: Two?"]


def test_a_branch_of_a_branch(run: Run, spoken: ScriptedModel) -> None:
    run("%session branch weather --at 2 --to a")
    run("%ask weather --session a A?")
    assert run("%session branch a --at 3 --to b").stdout.startswith("b begins with the first 3 of 4 messages of a.")
    run("%ask weather --session b B?")
    assert texts(spoken) == ["One?", "First.", "A?", "B?"]


def test_the_branch_of_a_variable_is_a_variable(run: Run, loaded: InteractiveShell) -> None:
    session = loaded.user_ns["mine"] = SQLiteSession("mine")
    run_blocking(session.add_items([{"role": "user", "content": f"{n}"} for n in range(4)]))
    assert run("%session branch mine --at 2").stdout.startswith("mine_2 begins with the first 2 of 4 messages of mine.")
    made = loaded.user_ns["mine_2"]
    assert [item["content"] for item in run_blocking(made.get_items())] == ["0", "1"]
    made.close()
    session.close()


# -- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%session lst", "%session: There is no %session lst. Did you mean list?"),
        ("%session show", "%session show: It needs NAME: a conversation: an agent's name for this notebook's with it, "
                          "a name given to --session, or a variable."),
        ("%session show wether", "%session show: There is no conversation 'wether'. Did you mean weather?"),
        ("%session show silent", "%session show: Nothing has been said to silent yet."),
        ("%session show number", "%session show: There is no conversation 'number'. %session list shows them."),
        ("%session clear", "%session clear: Name one conversation, or give --all for all of this notebook."),
        ("%session clear weather --all",
         "%session clear: Name one conversation, or give --all for all of this notebook."),
        ("%session branch weather --at 0",
         "%session branch: --at has to be 1 to 4, the number of a message; not 0."),
        ("%session branch weather --at 5",
         "%session branch: --at has to be 1 to 4, the number of a message; not 5."),
        ("%session branch weather --at two", "%session branch: --at has to be a whole number, not 'two'."),
        ("%session branch weather --to number",
         "%session branch: A conversation can't be called number: a variable has that name. Choose another."),
        ("%session branch empty", "%session branch: Nothing has been said in that conversation yet."),
        ("%session branch mine --to a-b",
         "%session branch: The branch of a session in a variable is a variable: 'a-b' can't be one."),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(
    mistake: Mistake, loaded: InteractiveShell, spoken: ScriptedModel, line: str, message: str
) -> None:
    mine, empty = SQLiteSession("mine"), SQLiteSession("empty")
    run_blocking(mine.add_items([{"role": "user", "content": "Hi."}]))
    loaded.user_ns.update(number=7, mine=mine, empty=empty, silent=Agent(name="silent"))
    assert mistake(line) == message
    mine.close()
    empty.close()


def test_a_name_that_is_taken_is_one_line(mistake: Mistake, run: Run, spoken: ScriptedModel) -> None:
    run("%session branch weather --to a")
    assert "'a'" in mistake("%session branch weather --to a")
    run("%session branch trip --to b")
    assert "'b'" in mistake("%session branch trip --to b")


# -- notebooks that are known -----------------------------------------------------------------------------------------


def notebook(path: str) -> Any:
    """Return a kernel's shell, as far as conversations look at it."""
    return SimpleNamespace(kernel=object(), user_ns={"__vsc_ipynb_file__": path, "weather": Agent(name="weather")})


@pytest.fixture
def kept(loaded: InteractiveShell) -> Path:
    """The file, with conversations of two notebooks and one with a name."""
    for session_id in ("/work/a.ipynb: weather", "/work/b.ipynb: weather", "trip"):
        session = SQLiteSession(session_id, sessions_file())
        run_blocking(session.add_items([{"role": "user", "content": f"In {session_id}"}]))
        session.close()
    return sessions_file()


def listed(shell: Any, *, everywhere: bool = False) -> list[tuple[str, str, int]]:
    found = run_blocking(list_conversations(shell, everywhere=everywhere))
    return [(entry.name, entry.kind, entry.items) for entry in found]


def test_another_notebooks_conversations_are_told_apart(kept: Path) -> None:
    here = notebook("/work/a.ipynb")
    assert listed(here) == [("weather", "this notebook", 1), ("trip", "named", 1)]
    assert listed(here, everywhere=True)[2:] == [("weather", "b.ipynb", 1)]
    assert set(conversation_names(here)) == {"weather", "trip"}


def test_a_conversation_is_found_by_its_id_too(kept: Path) -> None:
    command = Command(name="session show", summary="", kinds=("line",))
    here = notebook("/work/a.ipynb")
    found = run_blocking(find_conversation(command, here, "/work/b.ipynb: weather"))
    assert (found.kind, found.started_with) == ("b.ipynb", "In /work/b.ipynb: weather")
    assert run_blocking(find_conversation(command, here, "weather")).started_with == "In /work/a.ipynb: weather"
