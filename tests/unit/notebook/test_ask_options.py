"""What `%ask` can be told besides the text, and what is said of options that can't be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from agentkit import Agent, RunResultStreaming
from agentkit.exceptions import BudgetExceeded, ModelBehaviorError
from agentkit.notebook import last_run
from agentkit.testing import ScriptedModel, call

if TYPE_CHECKING:
    from conftest import Mistake, Run
    from IPython.core.interactiveshell import InteractiveShell

CODE = "Try:\n\n```python\nx = 1\n```\n\nand\n\n```python\nprint(x)\n```\n"


class City(BaseModel):
    name: str


# -- --json -----------------------------------------------------------------------------------------------------------


def test_json_makes_the_value_what_the_answer_stands_for(
    run: Run, loaded: InteractiveShell, weather: Agent[Any], model: ScriptedModel
) -> None:
    model.reply('Sure:\n\n```json\n{"city": "Oslo", "days": [1, 2]}\n```')
    cell = run("x = %ask weather --json --out r Where?")
    assert loaded.user_ns["x"] == {"city": "Oslo", "days": [1, 2]}
    assert isinstance(loaded.user_ns["r"], RunResultStreaming)
    assert last_run() is loaded.user_ns["r"]
    assert cell.error is None


def test_json_of_a_structured_answer_is_its_fields(run: Run, weather: Agent[Any], model: ScriptedModel) -> None:
    weather.output_type = list[City]
    model.reply('{"response": [{"name": "Oslo"}, {"name": "Bergen"}]}')
    assert run("%ask weather --json Where?").value == [{"name": "Oslo"}, {"name": "Bergen"}]


def test_an_answer_that_is_no_json_is_an_error_and_is_kept(
    run: Run, loaded: InteractiveShell, weather: Agent[Any], model: ScriptedModel
) -> None:
    model.reply("Sunny.")
    cell = run("%ask weather --json Where?")
    assert isinstance(cell.error, ModelBehaviorError)
    assert cell.stdout.splitlines() == [
        "Sunny.",
        "ModelBehaviorError: The answer is no JSON: expecting value in line 1, column 1. "
        "Ask for JSON in the text, or define the agent with --output-type.",
        "The result is in `_`.",
    ]
    assert loaded.user_ns["_"] is last_run()


# -- --code -----------------------------------------------------------------------------------------------------------


def next_input(loaded: InteractiveShell) -> Any:
    """Return the cell that is to be put below, once."""
    given, loaded.rl_next_input = loaded.rl_next_input, None  # type: ignore[attr-defined]
    return given


def test_code_goes_into_the_next_cell(
    run: Run, loaded: InteractiveShell, weather: Agent[Any], model: ScriptedModel
) -> None:
    loaded.rl_next_input = None  # type: ignore[attr-defined]
    model.reply(CODE).reply("```\n$ ls\n```")
    assert run("r = %ask weather --code A program?").error is None
    assert next_input(loaded) == "x = 1\n\nprint(x)"
    assert isinstance(loaded.user_ns["r"], RunResultStreaming)
    cell = run("%ask weather --code Another?")
    assert next_input(loaded) is None
    assert "\nNo cell was added: the answer has no block of Python code.\n" in cell.stdout


def test_code_of_a_run_that_did_not_end_goes_nowhere(
    run: Run, loaded: InteractiveShell, weather: Agent[Any], model: ScriptedModel
) -> None:
    loaded.rl_next_input = None  # type: ignore[attr-defined]
    model.reply(CODE, call("nothing"))
    assert run("%ask weather --code --max-turns 1 A program?").error is not None
    assert next_input(loaded) is None


# -- settings, budget -------------------------------------------------------------------------------------------------


def test_settings_of_a_run_go_over_the_agents(run: Run, weather: Agent[Any], model: ScriptedModel) -> None:
    weather.model_settings.temperature = 0.1
    weather.model_settings.top_p = 0.5
    model.reply("Hi.")
    assert run("%ask weather --temperature 1 --max-tokens 50 --set top_logprobs=2 hi").error is None
    used = model.requests[-1].model_settings
    assert (used.temperature, used.top_p, used.max_tokens, used.top_logprobs) == (1.0, 0.5, 50, 2)
    assert weather.model_settings.temperature == 0.1


def test_a_budget_stops_the_run(run: Run, weather: Agent[Any], model: ScriptedModel) -> None:
    model.reply("One.", call("nothing")).reply("Two.")
    cell = run("%ask weather --budget-tokens 1 hi")
    assert isinstance(cell.error, BudgetExceeded)
    assert last_run().status == "budget"


@pytest.mark.parametrize("amount", ["0.05", "$0.05", "'$ 0.05'"])
def test_a_budget_may_be_written_with_its_sign(
    run: Run, loaded: InteractiveShell, weather: Agent[Any], amount: str
) -> None:
    cell = run(f"%ask weather --budget {amount} hi")
    assert "The run has a budget in dollars, but the price of model 'scripted' isn't known." in str(cell.error)
    loaded.user_ns["weather"].model = "rehearsal-1"
    assert run(f"%ask weather --budget {amount} hi").error is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--budget cheap", "--budget has to be a number of US dollars above 0, not 'cheap'."),
        ("--budget 0", "--budget has to be a number of US dollars above 0, not '0'."),
        ("--budget -1", "--budget has to be a number of US dollars above 0, not '-1'."),
        ("--budget inf", "--budget has to be a number of US dollars above 0, not 'inf'."),
        ("--budget nan", "--budget has to be a number of US dollars above 0, not 'nan'."),
        ("--budget €1", "--budget has to be a number of US dollars above 0, not '€1'."),
        ("--budget-tokens 1.5", "--budget-tokens has to be a whole number of 1 or more, not '1.5'."),
        ("--max-turns none", "--max-turns has to be a whole number of 1 or more, not 'none'."),
        ("--temperature 3", "--temperature has to be 0 to 2, not 3.0."),
        ("--set tempo=1", "There is no model setting tempo."),
        ("--context ordr", "There is no variable 'ordr'. Did you mean order?"),
        ("--out 2x", "'2x' can't be the name of a variable."),
        ("--json=yes", "--json takes no value."),
        ("--session", "--session needs a value: NAME."),
        ("--state order", "order is a dict, not a RunState: make one with to_state()."),
        ("--concurrency 2", "--concurrency goes with --over, which runs a dataframe's rows."),
        ("--missing skip", "--missing goes with --over, which runs a dataframe's rows."),
        ("--afresh", "--afresh goes with --over, which runs a dataframe's rows."),
        ("--over frame --json", "--json can't go with --over, which asks for each row."),
        ("--over frame --dry-run", "--dry-run can't go with --over, which asks for each row."),
        ("--over frame --session s", "--session can't go with --over, which asks for each row."),
        ("--over frme", "There is no variable 'frme'. Did you mean frame?"),
        ("--json --code", "--json can't go with --code: the answer is data or code. Choose one."),
        ("--json --dry-run", "--json can't go with --dry-run: nothing is sent, so there is no answer to read."),
        ("--code --dry-run", "--code can't go with --dry-run: nothing is sent, so there is no answer to take code"),
        ("--session ''", "--session needs a name, and got an empty one; --no-session keeps nothing."),
        ("--dryrun", "There is no option --dryrun. Did you mean --dry-run?"),
    ],
)
def test_options_that_can_not_be_are_one_line(
    mistake: Mistake, loaded: InteractiveShell, weather: Agent[Any], model: ScriptedModel, options: str, message: str
) -> None:
    loaded.user_ns.update(order={"id": 7}, frame=[{"a": 1}])
    assert mistake(f"%%ask weather {options}\nhi\n").startswith(f"%%ask: {message}")
    assert model.requests == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--image x", "--state goes on with a run: --image can't go with it."),
        ("--dry-run", "--state goes on with a run: --dry-run can't go with it."),
    ],
)
def test_a_state_goes_on_alone(
    run: Run, mistake: Mistake, weather: Agent[Any], model: ScriptedModel, options: str, message: str
) -> None:
    model.reply("Hi.")
    run("%ask weather hi")
    run("s = _.to_state()")
    assert mistake(f"%ask weather --state s {options}") == f"%ask: {message}"


# -- options after the text -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("hi --dry-run", "--dry-run"),
        ("hi --budget 0.01", "--budget"),
        ("hi --budget=0.01", "--budget"),
        ("hi --new;", "--new"),
        ("what does --json do?", "--json"),
        ("hi --help", "--help"),
    ],
)
def test_an_option_after_the_text_is_refused_and_nothing_is_sent(
    run: Run, mistake: Mistake, weather: Agent[Any], model: ScriptedModel, text: str, flag: str
) -> None:
    assert mistake(f"%ask weather {text}") == (
        f"%ask: {flag} stands within the text, so it would be sent and do nothing. Write it before the text: "
        f"%ask weather {flag} … To say it to the model, put -- before the text (%ask weather -- …), or use %%ask."
    )
    assert mistake(f"x = %ask weather {text}").startswith(f"%ask: {flag} stands within the text")
    assert model.requests == []


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("%ask weather -- hi --dry-run", "hi --dry-run"),
        ("%ask weather --max-turns 2 -- --json does what?", "--json does what?"),
        ("%ask weather what does `--json` do", "what does `--json` do"),
        ("%ask weather what does '--json' do", "what does '--json' do"),
        ("%ask weather git log --oneline -- x", "git log --oneline -- x"),
        ("%%ask weather\nhi --dry-run", "hi --dry-run"),
    ],
)
def test_words_that_look_like_options_can_be_said(
    run: Run, weather: Agent[Any], model: ScriptedModel, typed: str, sent: str
) -> None:
    model.reply("Yes.")
    assert run(typed).error is None
    assert model.requests[0].input[-1]["content"] == sent


def test_an_agent_of_several_words_is_named_in_quotes_there(
    mistake: Mistake, loaded: InteractiveShell, model: ScriptedModel
) -> None:
    loaded.user_ns["tutor"] = Agent(name="Spanish tutor", model=model)
    assert '%ask "Spanish tutor" --new …' in mistake('%ask "Spanish tutor" hola --new')


# -- two agents of one name -------------------------------------------------------------------------------------------


def test_of_two_agents_of_one_name_it_is_said_which_one_is_asked(
    run: Run, loaded: InteractiveShell, model: ScriptedModel
) -> None:
    model.reply("One.").reply("Two.").reply("Three.")
    loaded.user_ns |= {"a": Agent(name="geo", model=model), "b": Agent(name="geo", model=ScriptedModel("Other."))}
    loaded.user_ns["c"] = loaded.user_ns["a"]
    assert run("%ask geo hi").captured.stderr == (
        "%ask: geo is the name of 2 agents, in a, b: a is meant. Give the variable to mean another.\n"
    )
    assert run("%ask b hi").captured.stderr == ""
    del loaded.user_ns["b"]
    assert run("%ask geo hi").captured.stderr == ""  # two variables, one agent
