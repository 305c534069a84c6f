from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from IPython.utils.capture import capture_output
from traitlets import TraitError

from agentkit import RunConfig, backend
from agentkit.exceptions import UserError
from agentkit.notebook import load_ipython_extension, unload_ipython_extension
from agentkit.notebook.settings import AgentKit, register_settings, settings, unregister_settings

if TYPE_CHECKING:
    from conftest import Run
    from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in AgentKit.names():
        monkeypatch.delenv(AgentKit.setting(name).variable, raising=False)


def test_every_setting_has_a_default_a_variable_and_a_help() -> None:
    bare = AgentKit()
    assert {name: getattr(bare, name) for name in bare.names()} == {
        "model": None,
        "max_turns": 10,
        "budget_usd": None,
        "render": "auto",
        "approve": None,
        "session": "remember",
        "concurrency": 8,
        "show_cost": True,
        "chat_height": 480,
    }
    assert all(AgentKit.setting(name).help.endswith(".") for name in bare.names())
    assert len({AgentKit.setting(name).variable for name in bare.names()}) == len(bare.names())


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("OPENAI_DEFAULT_MODEL", " gpt-x ", "model", "gpt-x"),
        ("AGENTKIT_MAX_TURNS", "3", "max_turns", 3),
        ("AGENTKIT_BUDGET_USD", "0.5", "budget_usd", 0.5),
        ("AGENTKIT_RENDER", "Static", "render", "static"),
        ("AGENTKIT_APPROVE", "deny", "approve", "deny"),
        ("AGENTKIT_SESSION", "forget", "session", "forget"),
        ("AGENTKIT_CONCURRENCY", "16", "concurrency", 16),
        ("AGENTKIT_SHOW_COST", "off", "show_cost", False),
        ("AGENTKIT_CHAT_HEIGHT", "300", "chat_height", 300),
    ],
)
def test_the_environment_decides_where_nothing_is_set(
    variable: str, text: str, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, text)
    made = AgentKit()
    assert (getattr(made, name), made.origin(name), made.own(name)) == (value, "environment", None)


def test_what_is_set_goes_before_the_environment_until_it_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_RENDER", "static")
    made = AgentKit()
    made.change(render="auto")
    assert (made.render, made.origin("render")) == ("auto", "%config")
    made.change(render=None)
    assert (made.render, made.origin("render")) == ("static", "environment")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("max_turns", 0, "AgentKit.max_turns can't be 0. Use a whole number of 1 or more."),
        ("max_turns", 2.5, "AgentKit.max_turns can't be 2.5. Use a whole number of 1 or more."),
        ("max_turns", True, "AgentKit.max_turns can't be True. Use a whole number of 1 or more."),
        ("budget_usd", 0, "AgentKit.budget_usd can't be 0. Use a number above 0."),
        ("budget_usd", float("nan"), "AgentKit.budget_usd can't be nan. Use a number above 0."),
        ("render", "fancy", "AgentKit.render can't be 'fancy'. Use auto, live, static or console."),
        ("approve", [], "AgentKit.approve can't be []. Use ask, approve, deny or wait."),
        ("show_cost", "yes", "AgentKit.show_cost can't be 'yes'. Use True or False."),
        ("model", " ", "AgentKit.model can't be ' '. Use a text."),
        ("chat_height", 20, "AgentKit.chat_height can't be 20. Use a whole number of 120 or more."),
    ],
)
def test_a_wrong_value_is_named_with_what_is_possible(name: str, value: object, message: str) -> None:
    made = AgentKit()
    with pytest.raises(TraitError) as raised:
        setattr(made, name, value)
    assert str(raised.value) == message
    assert made.own(name) is None


def test_a_wrong_variable_is_named_with_what_is_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_MAX_TURNS", "many")
    with pytest.raises(UserError) as raised:
        _ = AgentKit().max_turns
    expected = "AGENTKIT_MAX_TURNS is 'many'. Set it to a whole number of 1 or more, or unset it."
    assert str(raised.value) == expected
    with pytest.raises(UserError, match="AGENTKIT_MAX_TURNS is 'many'"):
        AgentKit().checked()


def test_one_wrong_value_of_several_changes_none() -> None:
    made = AgentKit()
    with pytest.raises(TraitError, match="max_turns"):
        made.change(model="gpt-x", max_turns=0)
    assert made.own("model") is None


def test_ipythons_config_magic_shows_and_sets_them(run: Run) -> None:
    shown = run("%config AgentKit").stdout
    assert "AgentKit.render=<ChoiceEnum>" in shown
    assert "Choices: auto, live, static or console" in shown
    run("%config AgentKit.max_turns = 3")
    assert (settings().max_turns, settings().origin("max_turns")) == (3, "%config")
    run("%config AgentKit.max_turns = 0")
    assert settings().max_turns == 3
    run("%config AgentKit.max_turns = None")
    assert (settings().max_turns, settings().origin("max_turns")) == (10, "default")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("max_turns = 'many'", "AgentKit.max_turns can't be 'many'. Use a whole number of 1 or more."),
        ("max_turn = 3", "AgentKit has no setting 'max_turn'. Did you mean max_turns?"),
        ("retries = 3", f"AgentKit has no setting 'retries'. There is {', '.join(AgentKit.names())}."),
    ],
)
def test_what_config_can_not_set_is_one_line(run: Run, caplog: pytest.LogCaptureFixture, code: str, said: str) -> None:
    cell = run(f"%config AgentKit.{code}")
    assert [record.getMessage() for record in caplog.records] == [said]
    assert (cell.error, cell.stdout, settings().max_turns) == (None, "", 10)


def test_setting_one_by_config_keeps_the_others(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_APPROVE", "wait")
    run("%config AgentKit.max_turns = 3")
    run("%config AgentKit.render = 'console'")
    assert {name: settings().own(name) for name in ("max_turns", "render", "approve")} == {
        "max_turns": 3,
        "render": "console",
        "approve": None,
    }


def test_the_configuration_file_counts_from_the_beginning(shell: InteractiveShell) -> None:
    shell.config.AgentKit.model = "gpt-x"
    shell.config.AgentKit.max_turns = 7
    made = register_settings(shell)
    try:
        assert (made.max_turns, made.origin("max_turns"), made.origin("render")) == (7, "config file", "default")
        assert backend.connect("embedded").default_model == "gpt-x"
        assert settings() is made
    finally:
        unregister_settings(shell)
    assert backend.connect("embedded").default_model == "rehearsal-1"
    assert settings() is not made


def test_a_wrong_value_in_the_configuration_file_is_told_and_left_out(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.config.AgentKit.max_turns = "lots"
    made = register_settings(shell)
    unregister_settings(shell)
    assert made.max_turns == 10
    assert capsys.readouterr().err == (
        "agentkit: AgentKit.max_turns can't be 'lots'. Use a whole number of 1 or more. "
        "The settings of the configuration file are not used.\n"
    )


def test_they_come_and_go_with_the_extension(shell: InteractiveShell) -> None:
    before = list(shell.configurables)
    with capture_output():
        load_ipython_extension(shell)
    assert [type(each).__name__ for each in shell.configurables[len(before) :]] == ["AgentKit"]
    unload_ipython_extension(shell)
    assert shell.configurables == before


def test_the_model_is_that_of_agents_without_one(run: Run) -> None:
    run("%config AgentKit.model = 'gpt-x'")
    assert backend.current_backend().default_model == "gpt-x"
    backend.connect("embedded")
    assert backend.current_backend().default_model == "gpt-x"
    backend.connect("embedded", model="gpt-y")
    assert backend.current_backend().default_model == "gpt-y"
    run("%config AgentKit.model = 'gpt-z'")  # said last
    assert backend.current_backend().default_model == "gpt-z"
    run("%config AgentKit.model = None")
    assert backend.current_backend().default_model == "gpt-y"


def test_runs_keep_to_the_turns_and_the_budget_that_are_set(run: Run) -> None:
    run("%%tool\ndef add(a: int, b: int) -> int:\n    'Add.'\n    return a + b")
    run("%%agent adder --tools add\nAdd numbers.")
    run("%config AgentKit.max_turns = 1")
    error = run("%ask adder What is add 2 and 3?").error
    assert type(error).__name__ == "MaxTurnsExceeded"
    run("%config AgentKit.max_turns = 5")
    assert run("%ask adder What is add 2 and 3?").error is None
    run("%config AgentKit.budget_usd = 0.25")
    made = settings().limited(None)
    assert made is not None
    assert made.budget_usd == 0.25
    own = RunConfig(budget_usd=1.0)
    assert settings().limited(own) is own
    made = settings().limited(RunConfig(model="m"))
    assert made is not None
    assert (made.model, made.budget_usd) == ("m", 0.25)


def test_a_wrong_variable_is_told_before_anything_is_asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("%%agent greeter\nGreet.")
    monkeypatch.setenv("AGENTKIT_SHOW_COST", "maybe")
    cell = run("%ask greeter Hi")
    assert "AGENTKIT_SHOW_COST is 'maybe'. Set it to True or False, or unset it." in str(cell.error)


def test_conversations_can_be_forgotten_by_a_setting(run: Run, loaded: InteractiveShell) -> None:
    run("%%agent greeter\nGreet.")
    run("%config AgentKit.session = 'forget'")
    run("%ask greeter I am Ada.")
    result = run("%ask greeter Who am I?").value
    assert [item["content"] for item in result.to_input_list() if item.get("role") == "user"] == ["Who am I?"]
