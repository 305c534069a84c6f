"""What `%ask` remembers, and which conversation it goes on with."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.error import UsageError

from agentkit import Agent, SQLiteSession
from agentkit.notebook import last_run
from agentkit.notebook.conversations import Conversations, notebook_file, sessions_file
from agentkit.testing import ScriptedModel

if TYPE_CHECKING:
    from conftest import Run
    from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture
def model(loaded: InteractiveShell) -> ScriptedModel:
    """A model with many replies, whose agents are `weather` and `other` in the notebook."""
    model = ScriptedModel(*[f"Reply {number}." for number in range(9)])
    for name in ("weather", "other"):
        loaded.user_ns[name] = Agent(name=name, model=model)
    return model


def said(model: ScriptedModel) -> list[Any]:
    """Return the texts that the model was sent at its last call, by who said them."""
    texts = []
    for item in model.requests[-1].input:
        content = item["content"]
        texts.append(content if isinstance(content, str) else content[0]["text"])
    return texts


def test_an_agent_remembers_what_it_was_asked(run: Run, model: ScriptedModel) -> None:
    first, second = run("%ask weather One?"), run("%%ask weather\nTwo?\n")
    assert said(model) == ["One?", "Reply 0.", "Two?"]
    assert "earlier" not in first.stdout
    assert second.stdout.rstrip().endswith(" tokens · 2 earlier messages")


def test_each_agent_has_a_conversation_of_its_own(run: Run, model: ScriptedModel) -> None:
    run("%ask weather One?")
    run("%ask other Two?")
    assert said(model) == ["Two?"]


def test_an_agent_that_is_defined_again_goes_on(run: Run, loaded: InteractiveShell, model: ScriptedModel) -> None:
    run("%ask weather One?")
    run("%%agent weather --model model\nYou know better now.\n")
    loaded.user_ns["weather"].model = model
    run("%ask weather Two?")
    assert said(model) == ["One?", "Reply 0.", "Two?"]


def test_new_forgets_what_was_said(run: Run, model: ScriptedModel) -> None:
    run("%ask weather One?")
    assert "earlier" not in run("%ask weather --new Two?").stdout
    assert said(model) == ["Two?"]
    run("%ask weather Three?")
    assert said(model) == ["Two?", "Reply 1.", "Three?"]


def test_without_a_session_nothing_is_known_or_kept(run: Run, model: ScriptedModel) -> None:
    run("%ask weather One?")
    run("%ask weather --no-session Two?")
    assert said(model) == ["Two?"]
    run("%ask weather Three?")
    assert said(model) == ["One?", "Reply 0.", "Three?"]


def test_a_named_conversation_is_shared_and_kept_in_the_file(
    run: Run, loaded: InteractiveShell, model: ScriptedModel
) -> None:
    run("%ask weather --session trip One?")
    run("%reload_ext agentkit")
    loaded.user_ns["other"].model = model
    run("%ask other --session trip Two?")
    assert said(model) == ["One?", "Reply 0.", "Two?"]
    assert sessions_file().exists()
    run("%ask weather Three?")
    assert said(model) == ["Three?"]


def test_a_session_in_a_variable_is_used(
    run: Run, loaded: InteractiveShell, model: ScriptedModel, tmp_path: Path
) -> None:
    mine = loaded.user_ns["mine"] = SQLiteSession("mine", tmp_path / "mine.sqlite")
    run("%ask weather --session mine One?")
    run("%ask other --session mine Two?")
    mine.close()
    assert said(model) == ["One?", "Reply 0.", "Two?"]
    assert not sessions_file().exists()


def test_what_was_said_before_a_failure_is_remembered(run: Run, model: ScriptedModel) -> None:
    run("%ask weather One?")
    run("weather.tools = [1]")
    assert run("%ask weather Two?").error is not None
    run("weather.tools = []")
    run("%ask weather Three?")
    assert said(model) == ["One?", "Reply 0.", "Three?"]


def test_a_result_that_is_shown_again_says_the_same(run: Run, model: ScriptedModel) -> None:
    run("%ask weather One?")
    run("%ask weather --out r Two?")
    assert "2 earlier messages" in run("r").outputs[0]["text/html"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("%ask weather --no-session --new hi", "%ask: --no-session goes with neither --session nor --new."),
        ("%ask weather --no-session --session a hi", "%ask: --no-session goes with neither --session nor --new."),
        ("%ask weather --state nothing", "%ask: There is no variable 'nothing'."),
        ("%ask weather --state weather", "%ask: weather is an Agent, not a RunState: make one with to_state()."),
        ("%ask weather --state s hi", "%ask: --state goes on with a run, which takes no text: 'hi' can't be asked."),
        ("%ask weather --new --state s", "%ask: --state goes on with a run, so its conversation can't be a --new one."),
    ],
)
def test_what_does_not_go_together_is_one_line(run: Run, model: ScriptedModel, code: str, message: str) -> None:
    run("%ask weather hi")
    run("s = _.to_state()")
    error = run(code).error
    assert isinstance(error, UsageError)
    assert str(error) == f"{message} See %ask --help."


def test_the_notebook_is_known_by_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_VERSION", raising=False)
    monkeypatch.setenv("JPY_SESSION_NAME", "/work/a.ipynb")
    assert notebook_file({}, in_kernel=True) == "/work/a.ipynb"
    assert notebook_file({"__vsc_ipynb_file__": "/work/b.ipynb"}, in_kernel=True) == "/work/b.ipynb"
    assert notebook_file({}, in_kernel=False) is None
    monkeypatch.delenv("JPY_SESSION_NAME")
    assert notebook_file({}, in_kernel=True) is None


def test_where_outputs_are_compared_there_is_no_memory_from_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/work/a.ipynb")
    monkeypatch.setenv("PYTEST_VERSION", "9")
    assert notebook_file({}, in_kernel=True) is None


def test_a_known_notebook_keeps_its_conversations_in_the_file(
    loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/work/a.ipynb")
    conversations, agent = Conversations(), Agent(name="weather")
    kernel: Any = SimpleNamespace(kernel=object(), user_ns={})
    terminal: Any = SimpleNamespace(user_ns={})
    kept, passing = conversations.of_agent(kernel, agent), conversations.of_agent(terminal, agent)
    assert (kept.session_id, kept.db_path) == ("/work/a.ipynb: weather", str(sessions_file()))
    assert (passing.session_id, passing.db_path) == ("weather", ":memory:")
    assert conversations.of_agent(kernel, agent) is kept
    conversations.close()


def test_the_last_run_goes_on_from_its_conversation(run: Run, model: ScriptedModel) -> None:
    run("%ask weather One?")
    run("%ask weather Two?")
    assert [item.get("content") for item in last_run().to_input_list() if item.get("role") == "user"] == [
        "One?",
        "Two?",
    ]
