"""What `%%agent` can give an agent, and what is said of options that can't be."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from agentkit import Agent, AgentHooks, ModelSettings, RunHooks, input_guardrail, output_guardrail
from agentkit.runtime import GuardrailFunctionOutput, InputGuardrail, OutputGuardrail
from agentkit.testing import ScriptedModel, call

if TYPE_CHECKING:
    from conftest import Mistake, Run
    from IPython.core.interactiveshell import InteractiveShell

FUNCTIONS = '''
from agentkit import function_tool
from pydantic import BaseModel

@function_tool
def add(a: int, b: int) -> int:
    """Add."""
    return a + b

@function_tool
def double(a: int) -> int:
    """Double."""
    return 2 * a

class City(BaseModel):
    name: str

number = 7
'''


@pytest.fixture
def made(run: Run, loaded: InteractiveShell) -> Any:
    """A function that defines an agent with some options, and returns it."""
    run(FUNCTIONS)

    def make(options: str, text: str = "You help.") -> Agent[Any]:
        cell = run(f"%%agent a {options}\n{text}\n")
        assert cell.error is None
        agent = loaded.user_ns["a"]
        assert isinstance(agent, Agent)
        return agent

    return make


def settings(agent: Agent[Any]) -> dict[str, Any]:
    values = {field.name: getattr(agent.model_settings, field.name) for field in dataclasses.fields(ModelSettings)}
    return {name: value for name, value in values.items() if value is not None}


# -- model settings ---------------------------------------------------------------------------------------------------


def test_every_setting_that_has_an_option_is_set(made: Any) -> None:
    agent = made(
        "--tools add double --temperature 0.5 --top-p 0.9 --max-tokens 1_000 --tool-choice add "
        "--parallel-tool-calls no --frequency-penalty -1 --presence-penalty 1.5 --truncation auto "
        '--reasoning-effort low --verbosity high --store yes --metadata team=maps "owner=A, B" --model rehearsal-1 '
        "--handoff-description 'For sums'"
    )
    assert settings(agent) == {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 1_000,
        "tool_choice": "add",
        "parallel_tool_calls": False,
        "frequency_penalty": -1.0,
        "presence_penalty": 1.5,
        "truncation": "auto",
        "reasoning": agent.model_settings.reasoning,
        "verbosity": "high",
        "store": True,
        "metadata": {"team": "maps", "owner": "A, B"},
    }
    assert agent.model_settings.reasoning == {"effort": "low"}
    assert agent.model == "rehearsal-1"
    assert agent.handoff_description == "For sums"


def test_any_setting_is_set_by_its_name(made: Any) -> None:
    agent = made(
        '--set top_logprobs=3 timeout=2.5 extra_args={"service_tier": "flex", "x": [1, 2]} '
        '--set reasoning={"effort": "low", "summary": "auto"} --set retry={"max_retries": 5}'
    )
    found = settings(agent)
    assert found["top_logprobs"] == 3
    assert found["timeout"] == 2.5
    assert found["extra_args"] == {"service_tier": "flex", "x": [1, 2]}
    assert found["reasoning"] == {"effort": "low", "summary": "auto"}
    assert found["retry"].max_retries == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--set temprature=1", "There is no model setting temprature. Did you mean temperature?"),
        (
            "--set seed=1",
            'There is no model setting seed. For a parameter of the API alone: --set extra_args={"seed": …}.',
        ),
        ("--set timeout", "--set has to be NAME=VALUE, not 'timeout'."),
        ("--set temperature=3", "--set temperature has to be 0 to 2, not 3."),
        ("--set temperature=nan", "--set temperature has to be 0 to 2, not nan."),
        ("--set top_logprobs=many", "--set top_logprobs can't be 'many': "),
        ("--set metadata={a", "--set metadata can't be '{a': it is no JSON."),
        ('--set retry={"max_retrys": 5}', "--set retry has no max_retrys. Did you mean max_retries?"),
        ("--temperature 1 --set temperature=1", "temperature is set twice."),
        ("--temperature 1 --temperature 1", "--temperature is given twice."),
        ("--temperature warm", "--temperature has to be a number, not 'warm'."),
        ("--temperature nan", "--temperature has to be 0 to 2, not nan."),
        ("--max-tokens 1.5", "--max-tokens has to be a whole number of 1 or more, not '1.5'."),
        ("--presence-penalty 3", "--presence-penalty has to be -2 to 2, not 3.0."),
        ("--store maybe", "--store can't be 'maybe'. It is one of yes, no."),
        ("--reasoning-effort hihg", "--reasoning-effort can't be 'hihg'. Did you mean high"),
        ("--metadata team", "--metadata has to be NAME=VALUE, not 'team'."),
    ],
)
def test_settings_that_can_not_be_are_one_line(mistake: Mistake, run: Run, options: str, message: str) -> None:
    run(FUNCTIONS)
    assert mistake(f"%%agent a {options}\nHelp.\n").startswith(f"%%agent: {message}")


def test_the_value_of_a_header_is_not_repeated(mistake: Mistake) -> None:
    said = mistake('%%agent a --set extra_headers={"authorization": "hunter2"\nHelp.\n')
    assert said == "%%agent: --set extra_headers can't be …: it is no JSON."


# -- instructions -----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the notebook works in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_instructions_come_from_a_file(made: Any, folder: Path, loaded: InteractiveShell) -> None:
    loaded.user_ns["place"] = "Norway"
    (folder / "geo.md").write_bytes(b"\xef\xbb\xbfYou know {{place}}.\r\n\r\nAnswer briefly.\r\n")
    assert made("--instructions geo.md", "").instructions == "You know Norway.\n\nAnswer briefly."
    both = made("--instructions geo.md", "Above all {{place}}.").instructions
    assert both == "You know Norway.\n\nAnswer briefly.\n\nAbove all Norway."


def test_a_file_may_have_spaces_in_its_name(made: Any, folder: Path) -> None:
    (folder / "my prompt.md").write_text("You help.")
    assert made('--instructions "my prompt.md"', "").instructions == "You help."


def test_what_is_wrong_with_a_file_is_one_line(mistake: Mistake, folder: Path) -> None:
    (folder / "geo.md").write_text("x")
    (folder / "latin.md").write_bytes(b"caf\xe9")
    (folder / "empty.md").write_text(" \n")
    (folder / "large.md").write_bytes(b"x" * 1_000_001)
    (folder / "place.md").write_text("{{plce}}")

    def said(file: str) -> str:
        return mistake(f"%%agent a --instructions {file}\n").removeprefix("%%agent: ")

    assert said("gio.md") == f"--instructions: there is no file {folder}/gio.md. Did you mean geo.md?"
    assert said(".") == "--instructions: . is a folder, and has to be a text file."
    assert said("latin.md") == "--instructions: latin.md is no text in UTF-8 (byte 3 isn't). Save it as UTF-8."
    assert said("empty.md") == "--instructions: empty.md is empty."
    assert said("large.md") == "--instructions: large.md has 1,000,001 bytes, where 1,000,000 is the most."
    assert said("place.md") == "{{plce}}: nothing here is named 'plce'."


# -- guardrails, hooks, MCP servers, handoffs -------------------------------------------------------------------------

GUARDRAILS = """
from agentkit import input_guardrail, output_guardrail, GuardrailFunctionOutput

@input_guardrail
async def no_sums(context, agent, input):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="+" in str(input))

@output_guardrail
def short(context, agent, output):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=len(str(output)) > 20)

def polite(context, agent, input):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)

def two(a, b):
    return a

both = [no_sums, polite]
"""


def test_guardrails_are_found(made: Any, run: Run) -> None:
    run(GUARDRAILS)
    agent = made("--input-guardrails no_sums polite --output-guardrails short")
    assert [guardrail.get_name() for guardrail in agent.input_guardrails] == ["no_sums", "polite"]
    assert [type(guardrail) for guardrail in agent.input_guardrails] == [InputGuardrail, InputGuardrail]
    assert [type(guardrail) for guardrail in agent.output_guardrails] == [OutputGuardrail]
    assert len(made("--input-guardrails both").input_guardrails) == 2


def test_guardrails_check(made: Any, run: Run, loaded: InteractiveShell) -> None:
    run(GUARDRAILS)
    loaded.user_ns["model"] = ScriptedModel("x" * 30, "x" * 30)
    made("--input-guardrails no_sums --output-guardrails short --model model")
    assert type(run("%ask a 1+1").error).__name__ == "InputGuardrailTripwireTriggered"
    assert type(run("%ask a hi").error).__name__ == "OutputGuardrailTripwireTriggered"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--input-guardrails no_sum", "There is no guardrail 'no_sum'. Did you mean no_sums?"),
        ("--input-guardrails short", "short is a guardrail of the output: give it to --output-guardrails."),
        (
            "--output-guardrails number",
            "number is an int, and no output guardrail. Decorate a function of the context, the agent and the output "
            "with @output_guardrail.",
        ),
        ("--input-guardrails two", "two(a, b) can't be a guardrail. Decorate a function of the context, the agent and "
         "the input with @input_guardrail."),
        ("--input-guardrails add", "add is a FunctionTool, and no input guardrail."),
        ("--hooks number", "number is an int, and no hooks: an object of a subclass of AgentHooks."),
        ("--hooks nosuch", "There is no hooks object 'nosuch'."),
        ("--mcp-servers number", "number is an int, and no MCP server: an MCPServerStdio, for example."),
        ("--mcp-servers nosuch", "There is no MCP server 'nosuch'."),
        ("--tools adn", "There is no tool 'adn'. Did you mean add?"),
        ("--tools City", "City is a ModelMetaclass, not a tool."),
        ("--tools helper", "helper is an agent. Make a tool of it: helper_tool = helper.as_tool(None, 'helper')."),
        ("--tools json.nothing", "There is no tool 'json.nothing'."),
        ("--handoffs number", "number is an int, not an agent."),
        ("--output-type Citty", "There is no type 'Citty'. Did you mean City?"),
        ("--output-type list[City", "list[City is no type that can be read."),
        ("--tool-choice dubble --tools double",
         "--tool-choice has to be one of auto, required, none, double; not dubble. Did you mean double?"),
        ("--tool-use dubble --tools double", "--tool-use: the agent has no tool dubble. Did you mean double? It has "
         "double."),
        ("--tool-use double", "--tool-use: the agent has no tool double. It has none: give it some by --tools."),
        ("--tool-use again stop", "--tool-use takes again, or stop, or tools' names; not again, stop."),
        ("--tools add add", "Agent 'a' has two tools or handoffs named 'add'"),
    ],
)  # fmt: skip
def test_parts_that_can_not_be_are_one_line(
    mistake: Mistake, run: Run, loaded: InteractiveShell, options: str, message: str
) -> None:
    run(FUNCTIONS)
    run(GUARDRAILS)
    loaded.user_ns["helper"] = Agent(name="helper")
    said = mistake(f"%%agent a {options}\nHelp.\n").removeprefix("%%agent: ")
    assert said.startswith(message)
    assert "a" not in loaded.user_ns


class Told(AgentHooks[Any]):
    """Hooks that keep who was told."""

    def __init__(self, *told: str) -> None:
        self.told = list(told)

    async def on_start(self, context: Any, agent: Any) -> None:
        self.told.append(agent.name)


def test_hooks_are_an_object_or_its_class(made: Any, run: Run, loaded: InteractiveShell) -> None:
    hooks = loaded.user_ns["hooks"] = Told()
    loaded.user_ns.update(Told=Told, model=ScriptedModel("Hi."))
    made("--hooks hooks --model model")
    assert run("%ask a hi").error is None
    assert hooks.told == ["a"]
    assert isinstance(made("--hooks Told").hooks, Told)


def test_hooks_of_a_run_are_told_apart(mistake: Mistake, loaded: InteractiveShell) -> None:
    loaded.user_ns["hooks"] = RunHooks()
    said = "%%agent: hooks is hooks of a run: pass it to Runner.run(hooks=…), or make it a subclass of AgentHooks."
    assert mistake("%%agent a --hooks hooks\nHelp.\n") == said


class Server:
    """What an MCP server has."""

    name = "files"

    async def list_tools(self, *args: Any, **options: Any) -> list[Any]:
        return []

    async def call_tool(self, *args: Any, **options: Any) -> None:
        return None


def test_mcp_servers_are_found_alone_and_in_lists(made: Any, loaded: InteractiveShell) -> None:
    first, second = Server(), Server()
    loaded.user_ns.update(files=first, others=[second])
    assert made("--mcp-servers files others").mcp_servers == [first, second]


def test_a_tool_of_an_mcp_server_may_be_chosen_though_not_known_yet(made: Any, loaded: InteractiveShell) -> None:
    loaded.user_ns["files"] = Server()
    assert made("--mcp-servers files --tool-choice read_file").model_settings.tool_choice == "read_file"


def test_a_list_of_agents_is_taken_apart(made: Any, loaded: InteractiveShell) -> None:
    spanish, french = Agent(name="spanish"), Agent(name="french")
    loaded.user_ns.update(tutors=[spanish, french], one=Agent(name="A tutor"))
    assert made("--handoffs tutors 'A tutor'").handoffs == [spanish, french, loaded.user_ns["one"]]


# -- tools and their use ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "behaviour"),
    [
        ("again", "run_llm_again"),
        ("stop", "stop_on_first_tool"),
        ("add double", {"stop_at_tool_names": ["add", "double"]}),
    ],
)
def test_tool_use_says_what_becomes_of_an_output(made: Any, words: str, behaviour: Any) -> None:
    assert made(f"--tools add double --tool-use {words}").tool_use_behavior == behaviour


def test_a_tools_output_is_the_answer(made: Any, run: Run, loaded: InteractiveShell) -> None:
    loaded.user_ns["model"] = ScriptedModel().reply(call("add", a=1, b=2))
    made("--tools add double --tool-use add --model model")
    assert run("%ask a 1+2?").value.final_output == "3"


def test_a_module_that_fails_on_import_is_one_line(
    mistake: Mistake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_shop.py").write_text("1 / 0\n")
    (tmp_path / "needy_shop.py").write_text("import nosuchthing\n")
    monkeypatch.syspath_prepend(tmp_path)
    said = mistake("%%agent a --tools broken_shop.price\nHelp.\n")
    assert said == "%%agent: broken_shop can't be imported: ZeroDivisionError: division by zero."
    said = mistake("%%agent a --tools needy_shop.price\nHelp.\n")
    assert said == "%%agent: needy_shop can't be imported: No module named 'nosuchthing'."


def test_hosted_tools_are_tools(made: Any, run: Run) -> None:
    run("from agentkit import WebSearchTool\nsearch = WebSearchTool()\n")
    assert [tool.name for tool in made("--tools search add").tools] == ["web_search", "add"]


def test_output_types_may_be_expressions_from_modules(
    made: Any, loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = loaded.user_ns["City"]
    assert made("--output-type list[City] --max-tokens 5").output_type == list[city]
    assert made("--output-type City | None").output_type == city | None
    module: Any = ModuleType("shapes")
    module.City = city
    monkeypatch.setitem(sys.modules, "shapes", module)
    assert made("--output-type=list[ shapes:City ]").output_type == list[city]


def test_decorated_guardrails_of_a_module_are_found(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("checks")
    module.fine_in = input_guardrail(_fine)
    module.fine_out = output_guardrail(_fine)
    monkeypatch.setitem(sys.modules, "checks", module)
    agent = made("--input-guardrails checks.fine_in --output-guardrails checks:fine_out")
    assert agent.input_guardrails == [module.fine_in]
    assert agent.output_guardrails == [module.fine_out]


def _fine(context: Any, agent: Any, value: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)
