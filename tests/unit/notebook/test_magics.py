"""The magics in a bare shell: a terminal's, so that what they show is printed."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.error import UsageError

from agentkit import Agent, FunctionTool, Handoff, handoff
from agentkit.exceptions import MaxTurnsExceeded, UserError
from agentkit.notebook import last_error, last_run, load_ipython_extension, unload_ipython_extension
from agentkit.notebook.magics import status_line
from agentkit.testing import ScriptedModel, call

if TYPE_CHECKING:
    from conftest import Run
    from IPython.core.interactiveshell import InteractiveShell

TOOL = '%%tool\ndef add(a: int, b: int) -> int:\n    """Add."""\n    return a + b\n'


@pytest.fixture
def model(loaded: InteractiveShell) -> ScriptedModel:
    """A model, as `model` in the notebook."""
    model = ScriptedModel()
    loaded.user_ns["model"] = model
    return model


@pytest.fixture
def weather(loaded: InteractiveShell, model: ScriptedModel) -> Agent[Any]:
    """An agent, as `weather` in the notebook."""
    agent = loaded.user_ns["weather"] = Agent(name="weather", instructions="You help.", model=model)
    return agent


def usage_error(run: Run, code: str) -> str:
    error = run(code).error
    assert isinstance(error, UsageError), error
    assert "\n" not in str(error)
    return str(error)


# -- loading ----------------------------------------------------------------------------------------------------------


def test_loading_says_who_answers(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    load_ipython_extension(shell)
    assert capsys.readouterr().out == "agentkit 0.1.0 · embedded platform (offline) · model rehearsal-1\n"
    unload_ipython_extension(shell)


def test_a_wrong_address_is_told_and_loading_goes_on(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "nonsense")
    load_ipython_extension(shell)
    assert "There is no platform 'nonsense'" in capsys.readouterr().out
    assert "ask" in shell.magics_manager.magics["line"]
    unload_ipython_extension(shell)


def test_unloading_takes_everything_back(shell: InteractiveShell) -> None:
    def mine(line: str) -> str:
        return "mine"

    shell.register_magic_function(mine, "line", "agents")

    def state() -> list[Any]:
        formatter = shell.display_formatter
        assert formatter is not None
        return [
            {kind: dict(known) for kind, known in shell.magics_manager.magics.items()},
            list(shell.Completer.custom_matchers),
            list(shell.input_transformers_cleanup),
            {event: list(called) for event, called in shell.events.callbacks.items()},
            dict(formatter.mimebundle_formatter.deferred_printers),
            dict(formatter.mimebundle_formatter.type_printers),
            dict(formatter.ipython_display_formatter.deferred_printers),
            dict(shell.user_ns),
        ]

    before = state()
    load_ipython_extension(shell)
    assert state() != before
    load_ipython_extension(shell)  # again: nothing is there twice
    unload_ipython_extension(shell)
    assert state() == before


def test_unloading_takes_back_formatters_that_were_used(run: Run, loaded: InteractiveShell) -> None:
    run("%%agent a\nYou help.\n")
    run("%unload_ext agentkit")
    unload_ipython_extension(loaded)
    formatter = loaded.display_formatter
    assert formatter is not None
    assert not [t for t in formatter.mimebundle_formatter.type_printers if t.__module__.startswith("agentkit")]


# -- %%agent ----------------------------------------------------------------------------------------------------------


def test_an_agent_is_defined_with_all_it_has(run: Run, loaded: InteractiveShell, model: ScriptedModel) -> None:
    run(TOOL)
    run("from dataclasses import dataclass\n@dataclass\nclass Answer:\n    text: str\n")
    run("%%agent spanish --handoff-description 'For Spanish'\nHablas español.\n")
    cell = run(
        "%%agent weather --tools add --handoffs spanish --model model --output-type Answer --temperature 0.5 "
        "--max-tokens 50 --top-p 0.9 --tool-choice auto\nYou are {{kind}}.\n".replace("{{kind}}", "kind")
    )
    names = loaded.user_ns
    agent = names["weather"]
    assert cell.value is agent
    assert (agent.name, agent.instructions) == ("weather", "You are kind.")
    assert (agent.tools, agent.handoffs) == ([names["add"]], [names["spanish"]])
    assert (agent.model, agent.output_type) == (model, names["Answer"])
    settings = agent.model_settings
    assert (settings.temperature, settings.max_tokens, settings.top_p, settings.tool_choice) == (0.5, 50, 0.9, "auto")
    assert names["spanish"].handoff_description == "For Spanish"


def test_a_display_name_makes_a_variable(run: Run, loaded: InteractiveShell) -> None:
    run('%%agent "Spanish tutor"\nHablas español.\n')
    assert loaded.user_ns["spanish_tutor"].name == "Spanish tutor"
    run("%%agent '3 wise men'\nBe wise.\n")
    assert loaded.user_ns["agent_3_wise_men"].name == "3 wise men"


def test_names_in_the_instructions_are_filled(run: Run, loaded: InteractiveShell) -> None:
    run("units = ['km', 'h']")
    run('%%agent a\nUse {{units[0]}}. Answer like {"a": {"b": 1}}, not \\{{x}}.\n')
    assert loaded.user_ns["a"].instructions == 'Use km. Answer like {"a": {"b": 1}}, not {{x}}.'


def test_a_semicolon_hides_the_card(run: Run, loaded: InteractiveShell) -> None:
    cell = run("%%agent a\nYou help.;\n")
    assert (cell.value, cell.stdout, cell.outputs) == (None, "", [])
    assert loaded.user_ns["a"].instructions == "You help."


def test_functions_and_dotted_paths_are_tools(
    run: Run, loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    module: Any = ModuleType("shop")
    module.price = lambda item: 1
    module.price.__name__ = "price"
    monkeypatch.setitem(sys.modules, "shop", module)
    run("def stock(item: str) -> int:\n    return 2\n")
    run(TOOL)
    run("both = [add, stock]")
    run("%%agent a --tools shop.price both\nSell.\n")
    assert [tool.name for tool in loaded.user_ns["a"].tools] == ["price", "add", "stock"]
    run("%%agent b --tools stock,shop:price\nSell.\n")
    assert [tool.name for tool in loaded.user_ns["b"].tools] == ["stock", "price"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--tools add add", "has two tools or handoffs named 'add'"),
        ("--output-type add", "add is of type FunctionTool, and no type"),
        ("--temperature 5", "--temperature has to be 0 to 2, not 5.0"),
        ("--top-p 2", "--top-p has to be 0 to 1, not 2.0"),
        ("--max-tokens -3", "--max-tokens has to be a whole number of 1 or more, not '-3'"),
        ("--tools add --tool-choice nope", "--tool-choice has to be one of auto, required, none, add; not nope"),
    ],
)
def test_what_can_not_work_is_refused_at_once(run: Run, loaded: InteractiveShell, options: str, message: str) -> None:
    run(TOOL)
    assert message in usage_error(run, f"%%agent a {options}\nHelp.\n")
    assert "a" not in loaded.user_ns


def test_pythons_own_names_are_not_taken(run: Run, loaded: InteractiveShell) -> None:
    assert "print is a name of Python's own" in usage_error(run, "%%agent print\nHelp.\n")


@pytest.mark.parametrize("first", ["%%tool", "%%agent w", "%%ask w", "%%capture"])
def test_a_cell_magic_that_is_being_typed_is_not_complete(loaded: InteractiveShell, first: str) -> None:
    assert loaded.input_transformer_manager.check_complete(first)[0] == "incomplete"


def test_a_handoff_object_is_taken_too(run: Run, loaded: InteractiveShell) -> None:
    loaded.user_ns["to_b"] = handoff(Agent(name="b"), tool_name_override="go")
    run("%%agent a --handoffs to_b\nGo.\n")
    [way] = loaded.user_ns["a"].handoffs
    assert isinstance(way, Handoff)


def test_defining_again_replaces_it_in_the_agents_that_use_it(run: Run, loaded: InteractiveShell) -> None:
    run(TOOL)
    run("%%agent spanish\nUno.\n")
    run("%%agent triage --handoffs spanish --tools add\nSort.\n")
    run("%%agent spanish\nDos.\n")
    run(TOOL)
    triage = loaded.user_ns["triage"]
    assert triage.handoffs == [loaded.user_ns["spanish"]]
    assert triage.handoffs[0].instructions == "Dos."
    assert triage.tools[0] is loaded.user_ns["add"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("%%agent", "%%agent: It needs NAME: the agent's name, and the variable that holds it."),
        ("%%agent a", "%%agent: The cell is empty: write the agent's instructions below its first line."),
        ("%%agent a\n  \n", "%%agent: The cell is empty"),
        ("%%agent a b\nx\n", "%%agent: 'b' is one word too many. Text goes in the lines below."),
        ("%%agent for\nx\n", "%%agent: 'for' can't be the name of a variable."),
        ("%%agent a --tool add\nx\n", "%%agent: There is no option --tool. Did you mean --tools"),
        ("%%agent a --tools ad\nx\n", "%%agent: There is no tool 'ad'. Did you mean add?"),
        ("%%agent a --tools nosuch.thing\nx\n", "%%agent: There is no tool 'nosuch.thing'."),
        ("%%agent a --tools n\nx\n", "%%agent: n is an int, not a tool."),
        ("%%agent a --handoffs wether\nx\n", "%%agent: There is no agent 'wether'. Did you mean weather?"),
        ("%%agent a --handoffs n\nx\n", "%%agent: n is an int, not an agent."),
        ("%%agent a --output-type Nope\nx\n", "%%agent: There is no type 'Nope'."),
        ("%%agent a --temperature hot\nx\n", "%%agent: --temperature has to be a number, not 'hot'."),
        ("%%agent a\n{{nme}}\n", "%%agent: {{nme}}: nothing here is named 'nme'. Did you mean name?"),
        ("%%agent a\n{{name.__class__}}\n", "%%agent: {{name.__class__}}: names that begin with an underscore"),
    ],
)
def test_mistakes_in_a_definition_are_one_line(
    run: Run, loaded: InteractiveShell, weather: Agent[Any], code: str, message: str
) -> None:
    run(TOOL)
    loaded.user_ns.update(n=1, name="x")
    assert usage_error(run, code).startswith(message)
    assert "a" not in loaded.user_ns


# -- %%tool -----------------------------------------------------------------------------------------------------------


def test_the_cells_function_becomes_a_tool(run: Run, loaded: InteractiveShell) -> None:
    cell = run(TOOL)
    tool = loaded.user_ns["add"]
    assert cell.value is tool
    assert isinstance(tool, FunctionTool)
    assert (tool.name, tool.description) == ("add", "Add.")
    assert cell.stdout == "Out[1]: \nTool add(a: int, b: int)\n  Add.\n"


def test_every_public_function_becomes_a_tool_and_all_else_is_python(run: Run, loaded: InteractiveShell) -> None:
    run(
        "%%tool\nX = 2\ndef _twice(n): return n * X\n"
        "def a() -> int:\n    return _twice(1)\nasync def b() -> int:\n    return 2\n"
    )
    names = loaded.user_ns
    assert names["X"] == 2
    assert names["_twice"](3) == 6
    assert [type(names[name]) for name in "ab"] == [FunctionTool, FunctionTool]


def test_name_and_description_may_be_given(run: Run, loaded: InteractiveShell) -> None:
    run(TOOL.replace("%%tool", "%%tool --name plus --description 'Add up'"))
    assert (loaded.user_ns["add"].name, loaded.user_ns["add"].description) == ("plus", "Add up")


def test_approval_and_a_timeout_may_be_given(run: Run, loaded: InteractiveShell) -> None:
    run(TOOL.replace("%%tool", "%%tool --needs-approval --timeout 2.5"))
    assert (loaded.user_ns["add"].needs_approval, loaded.user_ns["add"].timeout_seconds) == (True, 2.5)
    run(TOOL)
    assert (loaded.user_ns["add"].needs_approval, loaded.user_ns["add"].timeout_seconds) == (False, None)


def test_an_error_in_the_cell_points_at_its_line(run: Run) -> None:
    cell = run("%%tool\ndef a() -> int:\n    return 1\n\nraise ValueError('broken')\n")
    assert isinstance(cell.error, ValueError)
    assert "line 5" in cell.stdout
    assert "notebook/magics" not in cell.stdout


def test_a_syntax_error_points_at_its_line(run: Run) -> None:
    cell = run("%%tool\ndef a(:\n    return 1\n")
    assert type(cell.error).__name__ == "CellSyntaxError"
    assert "line 2" in cell.stdout
    assert "notebook/magics" not in cell.stdout


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("%%tool", "%%tool: The cell is empty: write a function below its first line."),
        ("%%tool\nx = 1\n", "%%tool: The cell defines no function to make a tool of"),
        ("%%tool --name c\ndef a(): pass\ndef b(): pass\n", "%%tool: --name and --description are for one function"),
        ("%%tool --timeout 0\ndef a(): pass\n", "%%tool: --timeout has to be a number of seconds above 0, not '0'."),
        (
            "%%tool --needs-approval\nfrom agentkit import function_tool\n@function_tool\ndef a(): pass\n",
            "%%tool: a is decorated in the cell, so --needs-approval would do nothing for it: give it to its @function",
        ),
        ("%%tool\nclass Odd: pass\ndef a(x: Odd): pass\n", "%%tool: "),
    ],
)
def test_mistakes_in_a_tool_are_one_line(run: Run, code: str, message: str) -> None:
    assert usage_error(run, code).startswith(message)


# -- %ask and %%ask ---------------------------------------------------------------------------------------------------


def test_the_answer_is_printed_and_the_result_is_the_value(
    run: Run, loaded: InteractiveShell, weather: Agent[Any], model: ScriptedModel
) -> None:
    model.reply("It is sunny.")
    cell = run("%%ask weather\nWhat's the weather?\n")
    assert cell.error is None
    assert cell.stdout.startswith("It is sunny.\nOut[1]: weather · scripted · 1 model call · ")
    assert loaded.user_ns["_"] is loaded.user_ns["Out"][1] is cell.value is last_run()
    assert model.requests[0].input == [{"role": "user", "content": "What's the weather?"}]


@pytest.mark.parametrize(
    "code", ["x = %ask weather What's up?", "%ask weather --out x What's up?", "%%ask weather --out x\nWhat's up?\n"]
)
def test_the_result_goes_where_it_is_wanted(
    run: Run, loaded: InteractiveShell, weather: Agent[Any], model: ScriptedModel, code: str
) -> None:
    model.reply("Not much.")
    cell = run(code)
    assert loaded.user_ns["x"].final_output == "Not much."
    assert cell.stdout.startswith("Not much.\n")


def test_a_semicolon_hides_the_output_and_not_the_result(
    run: Run, loaded: InteractiveShell, weather: Agent[Any], model: ScriptedModel
) -> None:
    for number, code in enumerate(["%ask weather hi;", "%%ask weather\nhi;\n", "x = %ask weather hi;"]):
        model.reply(f"Quiet {number}.")
        assert run(code).stdout == ""
        assert loaded.user_ns["_"].final_output == f"Quiet {number}."
    assert loaded.user_ns["x"].final_output == "Quiet 2."
    assert [request.input[0]["content"] for request in model.requests] == ["hi", "hi", "hi"]


def test_an_escaped_semicolon_is_text(run: Run, weather: Agent[Any], model: ScriptedModel) -> None:
    model.reply("Loud.")
    assert run("%%ask weather\nhi \\;\n").stdout.startswith("Loud.\n")
    assert model.requests[0].input[0]["content"] == "hi ;"


def test_tool_calls_and_handoffs_are_lines(run: Run, weather: Agent[Any], model: ScriptedModel) -> None:
    run(TOOL)
    run("%%agent other --model model\nYou too.\n")
    run("%%agent boss --model model --tools add --handoffs other\nYou decide.\n")
    model.reply("Let me see.", call("add", a=1, b=2)).reply(call("transfer_to_other")).reply("It is 3.")
    cell = run("%ask boss How much is 1 + 2?")
    assert cell.stdout.splitlines()[:4] == [
        "Let me see.",
        "✓ add(a=1, b=2) → 3",
        "→ boss hands over to other",
        "It is 3.",
    ]


def test_names_in_the_question_are_filled(
    run: Run, loaded: InteractiveShell, weather: Agent[Any], model: ScriptedModel
) -> None:
    loaded.user_ns["city"] = "Oslo"
    model.reply("a").reply("b")
    run("%ask weather How is {{city}} in {city} and $city?")
    run("%ask weather And {{_}}?")
    assert [r.input[-1]["content"] for r in model.requests] == ["How is Oslo in {city} and $city?", "And a?"]


def test_an_agent_is_found_by_its_own_name(run: Run, loaded: InteractiveShell, model: ScriptedModel) -> None:
    loaded.user_ns["tutor"] = Agent(name="Spanish tutor", model=model)
    model.reply("Hola")
    assert run('%ask "Spanish tutor" Hi').stdout.startswith("Hola\n")


def test_context_and_model_of_a_run_may_be_given(run: Run, loaded: InteractiveShell, weather: Agent[Any]) -> None:
    loaded.user_ns.update(other=ScriptedModel("From the other."), order={"id": 7})
    run("%ask weather --model other --context order hi")
    result: Any = last_run()
    assert result.final_output == "From the other."
    assert result.context_wrapper.context == {"id": 7}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("%ask wether hi", "%ask: There is no agent 'wether'. Did you mean weather? See %ask --help."),
        ("%ask nobody hi", "%ask: There is no agent 'nobody'. There is weather. See %ask --help."),
        ("%ask model hi", "%ask: model is a ScriptedModel, not an agent. See %ask --help."),
        ("%ask weather", "%ask: There is nothing to ask: write it after the agent's name. See %ask --help."),
        (
            "%%ask weather\n\n \n",
            "%%ask: There is nothing to ask: write it below the cell's first line. See %%ask --help.",
        ),
        ("%%ask weather", "%%ask: There is nothing to ask: write it below the cell's first line. See %%ask --help."),
        ("%%ask wether\nhi\n", "%%ask: There is no agent 'wether'. Did you mean weather? See %%ask --help."),
        (
            "%ask",
            "%ask: It needs AGENT: who is asked: a variable that holds an agent, or an agent's name. See %ask --help.",
        ),
        (
            "%ask weather --sesion x hi",
            "%ask: There is no option --sesion. Did you mean --session or --no-session? See %ask --help.",
        ),
        (
            "%ask weather --max-turns 0 hi",
            "%ask: --max-turns has to be a whole number of 1 or more, not '0'. See %ask --help.",
        ),
        ("%ask weather --out 2x hi", "%ask: '2x' can't be the name of a variable. See %ask --help."),
        ("%ask weather --context ordr hi", "%ask: There is no variable 'ordr'. See %ask --help."),
        ("%ask weather {{cty}}", "%ask: {{cty}}: nothing here is named 'cty'. See %ask --help."),
    ],
)
def test_mistakes_in_a_question_are_one_line(run: Run, weather: Agent[Any], code: str, message: str) -> None:
    assert usage_error(run, code) == message


def test_an_unknown_render_mode_is_one_line(run: Run, weather: Agent[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_RENDER", "fancy")
    assert usage_error(run, "%ask weather hi").startswith("%ask: AGENTKIT_RENDER is 'fancy'. Set it to auto, live,")


def test_without_agents_the_error_says_how_to_define_one(run: Run) -> None:
    message = "%ask: There is no agent 'weather'. Define it first: %%agent weather. See %ask --help."
    assert usage_error(run, "%ask weather hi") == message


def test_a_failed_run_raises_its_error_shown_in_two_lines(
    run: Run, loaded: InteractiveShell, weather: Agent[Any], model: ScriptedModel
) -> None:
    run(TOOL)
    weather.tools = [loaded.user_ns["add"]]
    model.reply("Wait.", call("add", a=1, b=2))
    cell = run("%ask weather --max-turns 1 --out r hi")
    assert isinstance(cell.error, MaxTurnsExceeded)
    assert cell.error is last_error()
    lines = cell.stdout.splitlines()
    assert lines[:3] == ["Wait.", "✓ add(a=1, b=2) → 3", "■ Stopped: the run took all the turns that it may."]
    assert lines[3] == (
        "MaxTurnsExceeded: The run was stopped after 1 turn. "
        "Let it take more by --max-turns, or go on: %ask weather Go on."
    )
    assert lines[4:] == ["The run so far is in `_`, the whole error in `%tb`."]
    assert loaded.user_ns["r"] is loaded.user_ns["_"] is last_run()
    assert last_run().status == "max_turns"


def test_tb_shows_the_whole_error(run: Run, weather: Agent[Any]) -> None:
    run("%ask weather hi")
    whole = run("%tb").stdout
    assert "Traceback (most recent call last)" in whole
    assert "has no reply left" in whole


def test_an_error_in_a_cells_function_names_its_line(run: Run, weather: Agent[Any], loaded: InteractiveShell) -> None:
    run("def who(context, agent):\n    return 1 / 0\nweather.instructions = who\n")
    lines = run("%ask weather hi").stdout.splitlines()
    assert lines[-3] == "ZeroDivisionError: division by zero"
    assert lines[-2:] == ["Raised in Cell In[1], line 2.", "The run so far is in `_`, the whole error in `%tb`."]


def test_an_error_group_is_short_too(run: Run, weather: Agent[Any], model: ScriptedModel) -> None:
    error = ValueError("outer")
    error.__cause__ = ExceptionGroup("inner", [KeyError("k")])
    model.reply(error)
    lines = run("%ask weather hi").stdout.splitlines()
    assert lines[-2:] == ["ValueError: outer", "The run so far is in `_`, the whole error in `%tb`."]
    assert "ExceptionGroup" in run("%tb").stdout


def test_no_key_is_left_in_an_error(run: Run, weather: Agent[Any], model: ScriptedModel) -> None:
    key = "sk-proj-abcdefgh12345678ijkl"
    model.reply(ValueError(f"Incorrect API key provided: {key}"))
    cell = run("%ask weather hi")
    assert key not in str(cell.error)
    assert key not in cell.stdout
    assert key not in run("%tb").stdout


def test_a_result_shown_again_is_shown_again(run: Run, weather: Agent[Any], model: ScriptedModel) -> None:
    model.reply("It is **sunny**.")
    run("x = %ask weather hi")
    [output] = run("x").outputs
    assert output["text/plain"] == "It is **sunny**."


# -- the others -------------------------------------------------------------------------------------------------------


def test_agents_lists_what_is_defined(run: Run, weather: Agent[Any]) -> None:
    run(TOOL)
    assert run("%agents").stdout.splitlines()[1:] == [
        "agent    model     tools  handoffs  instructions",
        "weather  scripted                   You help.",
        "tools: add(a: int, b: int)",
    ]


def test_traces_and_spans_are_dataframes(run: Run, weather: Agent[Any], model: ScriptedModel) -> None:
    model.reply("One.").reply("Two.")
    run("first = %ask weather hi")
    run("%ask weather ho")
    assert list(run("%traces --limit 5").value["input"]) == ["ho", "hi"]
    assert list(run("%traces --agent weather --limit 1").value["output"]) == ["Two."]
    assert run("%traces --error").value.empty
    last, first = run("%trace --frame").value, run("%trace first --kind agent").value
    assert list(last["kind"]) == ["agent", "generation"]
    assert [list(run(f"%trace --kind {word}").value["kind"]) for word in ("model", "tool")] == [["generation"], []]
    assert list(first["name"]) == ["weather"]
    assert set(first["span_id"]).isdisjoint(last["span_id"])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("%trace", "%trace: Nothing has been run yet."),
        ("%trace trace_0000", "%trace: "),
        ("%trace --kind agnet", "%trace: --kind can't be 'agnet'. Did you mean agent?"),
        ("%traces --limit few", "%traces: --limit has to be a whole number, not 'few'."),
        ("%traces --since yesterdayish", "%traces: "),
        ("%traces now", "%traces: 'now' is one word too many."),
    ],
)
def test_mistakes_about_traces_are_one_line(run: Run, code: str, message: str) -> None:
    assert usage_error(run, code).startswith(message)


def test_agentkit_says_who_answers(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert status_line() == "agentkit 0.1.0 · embedded platform (offline) · model rehearsal-1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1")
    assert status_line() == "agentkit 0.1.0 · http://localhost:8000/v1 · the first model it lists"


@pytest.mark.parametrize("magic", ["%%tool", "%%agent", "%%ask", "%ask", "%agents", "%traces", "%trace", "%agentkit"])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_magic_has_help(run: Run, magic: str, flag: str) -> None:
    cell = run(f"{magic} {flag}")
    assert cell.error is None
    assert "Usage:" in cell.stdout
    assert "-h, --help" in cell.stdout


@pytest.mark.parametrize("magic", ["%%tool", "%%agent", "%%ask", "%ask", "%agents", "%traces", "%trace", "%agentkit"])
def test_a_question_mark_shows_the_same_help(run: Run, loaded: InteractiveShell, magic: str) -> None:
    info = loaded.object_inspect(magic)
    assert info["found"]
    assert "Usage:" in info["docstring"]


def test_the_last_run_before_any_is_an_error_of_two_lines(run: Run) -> None:
    cell = run("import agentkit; agentkit.last_run()")
    assert isinstance(cell.error, UserError)
    assert cell.stdout.splitlines() == [
        "\x1b[31mUserError\x1b[0m: Nothing has been asked in this kernel yet. Ask by %ask AGENT …, %%ask AGENT or "
        "chat.ask(…). What a chat was asked by its field is in chat.result.",
        "Line 1 of the cell; %tb shows the whole traceback.",
    ]


def test_code_in_braces_is_sent_and_told(run: Run, model: ScriptedModel, weather: Agent[Any]) -> None:
    model.reply("Fine.")
    cell = run("%%ask weather\nIs it {{1 + 1}} or {{weather.name.upper()}}? \\{{weather.name.upper()}}")
    assert cell.captured.stderr == (
        "%%ask: {{weather.name.upper()}} is sent as it stands: {{…}} takes names, with attributes and indexes, and "
        "computes nothing. Name the value first: value = weather.name.upper(), then {{value}}. Or write "
        "\\{{ for braces.\n"
    )


def test_a_chat_in_a_terminal_tells_its_usage_once(run: Run, model: ScriptedModel, weather: Agent[Any]) -> None:
    model.reply("Fine.")
    run("import agentkit\nchat = agentkit.chat(weather)")
    cell = run("chat.ask('How is it?')")
    assert cell.stdout.count("1 model call") == 1
    assert cell.stdout.endswith("\nOut[2]: The run above: completed\n")


def test_rating_a_chat_rates_its_last_answer(run: Run, model: ScriptedModel, weather: Agent[Any]) -> None:
    model.reply("Fine.").reply("Bad.")
    run("import agentkit\nchat = agentkit.chat(weather)")
    error = run("agentkit.rate(chat, 'up')").error
    assert str(error) == 'This chat has no answer yet that could be rated. Ask it first: chat.ask("…").'
    run("chat.ask('How is it?')\nchat.ask('And tomorrow?');")
    assert run("agentkit.rate(chat, 'up', 'Yes')").error is None
    assert run("[(m.rating, m.remark) for m in chat.messages]").value == [
        (None, ""),
        (None, ""),
        (None, ""),
        ("up", "Yes"),
    ]
    assert run("agentkit.rate(chat.messages[1], 'down')").error is None
    assert run("agentkit.feedback()[['answer', 'rating']].values.tolist()").value == [["Fine.", "down"], ["Bad.", "up"]]
    assert str(run("agentkit.rate(chat.messages[0], 'down')").error).startswith(
        "What is rated is an answer, and this message is a question. Pass a run's result, a chat or a trace_id: "
    )
