"""Runs that wait for approval, and runs that a guardrail or a budget stopped: what is shown, and how they go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agentkit import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    ModelSettings,
    RunConfig,
    Runner,
    RunResult,
    function_tool,
    input_guardrail,
)
from agentkit.exceptions import BudgetExceeded, ModelConnectionError, UserError
from agentkit.models.retry import ModelRetryBackoffSettings, ModelRetrySettings
from agentkit.notebook import last_run
from agentkit.notebook.display.run_view import run_bundle
from agentkit.notebook.latest import latest
from agentkit.testing import ScriptedModel, call

if TYPE_CHECKING:
    from conftest import Run
    from IPython.core.interactiveshell import InteractiveShell

sent: list[str] = []


@function_tool(needs_approval=True)
def send(to: str) -> str:
    """Send a mail."""
    sent.append(to)
    return f"sent to {to}"


def mailer(*calls: dict[str, Any]) -> Agent[Any]:
    return Agent(name="mailer", model=ScriptedModel(list(calls), "All done."), tools=[send])


@pytest.fixture(autouse=True)
def nothing_sent() -> None:
    sent.clear()


@pytest.fixture(autouse=True)
def policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_APPROVE", "wait")


def test_a_cell_shows_what_waits_and_how_to_go_on(run: Run, loaded: InteractiveShell) -> None:
    loaded.user_ns["mailer"] = mailer(call("send", to="Ada"))
    assert run("%ask mailer Write to Ada").stdout.startswith(
        '[Waiting for approval.]\n  send(to="Ada")\n\nGo on with:\n\n'
        'import agentkit\nagentkit.approve()  # or agentkit.reject("why not")\n'
    )
    assert sent == []


@pytest.mark.parametrize("calls", [1, 2])
@pytest.mark.parametrize("options", ["", "--out r ", "--session trip "])
def test_the_lines_do_go_on(run: Run, loaded: InteractiveShell, options: str, calls: int) -> None:
    loaded.user_ns["mailer"] = mailer(*[call("send", to=name) for name in ("Ada", "Bo")[:calls]])
    lines = run(f"%ask mailer {options}Write").stdout.partition("Go on with:\n\n")[2].split("\n")[:2]
    cell = run("\n".join(lines))
    assert cell.error is None
    assert "All done." in cell.stdout
    assert sorted(sent) == ["Ada", "Bo"][:calls]
    assert last_run().status == "completed"
    if "out" in options:
        assert loaded.user_ns["r"] is last_run()


def test_what_went_on_is_part_of_the_conversation(run: Run, loaded: InteractiveShell) -> None:
    loaded.user_ns["mailer"] = mailer(call("send", to="Ada"))
    run("%ask mailer Write to Ada")
    run("import agentkit; agentkit.approve()")
    model: Any = loaded.user_ns["mailer"].model
    model.reply("Yes.")
    run("%ask mailer Is it sent?")
    kinds = [item.get("type") or item["role"] for item in model.requests[-1].input]
    assert kinds == ["user", "function_call", "function_call_output", "message", "user"]


def test_a_rejected_call_is_not_made_and_the_model_is_told_why(run: Run, loaded: InteractiveShell) -> None:
    loaded.user_ns["mailer"] = mailer(call("send", to="Ada"))
    run("%ask mailer Write to Ada")
    cell = run("import agentkit; agentkit.reject('She is away.')")
    assert sent == []
    assert cell.stdout.splitlines()[0] == '⊘ send(to="Ada") → She is away.'
    assert loaded.user_ns["mailer"].model.requests[-1].input[-1]["output"] == "She is away."


def test_some_calls_are_approved_and_the_run_rests_at_the_others(run: Run, loaded: InteractiveShell) -> None:
    @function_tool(needs_approval=True)
    def drop(table: str) -> str:
        """Drop a table."""
        return f"dropped {table}"

    agent = mailer(call("send", to="Ada"), call("drop", table="users"))
    agent.tools.append(drop)
    agent.model = ScriptedModel([call("send", to="Ada"), call("drop", table="users")], "All done.")
    loaded.user_ns["mailer"] = agent
    run("import agentkit")
    run("%ask mailer Write to Ada, and drop the table users")
    assert isinstance(run("agentkit.approve(tools='dorp')").error, UserError)
    run("agentkit.approve(tools='send')")
    assert sent == ["Ada"]
    assert [item.name for item in last_run().interruptions] == ["drop"]
    run("agentkit.reject(tools=['drop'])")
    assert last_run().final_output == "All done."


def test_what_has_gone_on_does_not_go_on_again(run: Run, loaded: InteractiveShell) -> None:
    loaded.user_ns["mailer"] = mailer(call("send", to="Ada"))
    run("import agentkit")
    run("first = %ask mailer Write to Ada")
    run("agentkit.approve()")
    again, nothing = run("agentkit.approve(run=first)").error, run("agentkit.approve()").error
    assert str(again).startswith("That run has gone on already.")
    assert str(nothing).startswith("No call waits for approval.")
    assert sent == ["Ada"]


def test_a_run_that_rests_is_found_after_others(run: Run, loaded: InteractiveShell) -> None:
    loaded.user_ns["mailer"] = mailer(call("send", to="Ada"))
    loaded.user_ns["other"] = Agent(name="other", model=ScriptedModel("Hello."))
    run("import agentkit")
    run("%ask mailer Write to Ada")
    run("%ask other Hello")
    run("agentkit.approve()")
    assert sent == ["Ada"]


def test_what_is_no_run_is_named(run: Run, loaded: InteractiveShell) -> None:
    said = str(run("import agentkit\nagentkit.approve(run=42)").error)
    assert said == "A run is its result, such as agentkit.last_run(), not int 42."


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("reject(42)", 'A reason is a text, not 42. agentkit.reject("The notes are still needed.")'),
        ("reject('No.', always=1)", "always is True or False, not 1. Leave it out to decide on this call only."),
        ("approve(always='yes')", "always is True or False, not 'yes'. Leave it out to decide on this call only."),
        ("approve(tools=3)", "tools are names of tools: it can't have int 3."),
        ("approve([])", "tools are names of tools: it is empty."),
        ("approve('dorp')", "No call of 'dorp' waits. Calls that wait: send."),
    ],
)
def test_what_cannot_be_decided_is_refused_and_the_call_still_waits(
    run: Run, loaded: InteractiveShell, code: str, said: str
) -> None:
    loaded.user_ns["mailer"] = mailer(call("send", to="Ada"))
    run("import agentkit")
    run("%ask mailer Write to Ada")
    error = run(f"agentkit.{code}").error
    assert isinstance(error, UserError)
    assert str(error).startswith(said)
    assert (sent, last_run().status) == ([], "waiting")
    assert run("agentkit.approve('send')").error is None
    assert sent == ["Ada"]


def test_of_several_runs_that_rest_the_newest_goes_on_and_the_others_are_named(
    run: Run, loaded: InteractiveShell
) -> None:
    latest.waiting.clear()
    run("import agentkit")
    for name in ("Ada", "Bo", "Cy"):
        loaded.user_ns[name] = Agent(name=name, model=ScriptedModel([call("send", to=name)], "Done."), tools=[send])
        assert "of this conversation" not in run(f"%ask {name} Write").stdout
    printed = [run("agentkit.approve()").stdout.splitlines() for _ in range(3)]
    assert sent == ["Cy", "Bo", "Ada"]
    assert [line for lines in printed for line in lines if "still wait" in line] == [
        '2 older calls still wait: send(to="Ada"), send(to="Bo"); agentkit.approve() again goes on with the newest.',
        '1 older call still waits: send(to="Ada"); agentkit.approve() again goes on with it.',
    ]


def test_what_is_asked_while_a_call_of_the_conversation_waits_is_told_of_it(run: Run, loaded: InteractiveShell) -> None:
    latest.waiting.clear()
    loaded.user_ns["mailer"] = agent = mailer(call("send", to="Ada"))
    loaded.user_ns["other"] = Agent(name="other", model=ScriptedModel("Hello."))
    run("import agentkit")
    run("%ask mailer Write to Ada")
    agent.model = ScriptedModel("Not yet.", "All done.")
    told = "A call of this conversation waits for approval: "
    assert told not in run("%ask other Hello").stdout
    assert run("%ask mailer Is it sent?").stdout.splitlines()[0] == (
        f'{told}send(to="Ada"); import agentkit; agentkit.approve() goes on.'
    )
    assert told not in run("agentkit.approve()").stdout
    assert sent == ["Ada"]


def test_where_nothing_waits_a_kernel_that_has_ended_may_be_why(run: Run) -> None:
    latest.waiting.clear()
    latest.run = None
    assert str(run("import agentkit\nagentkit.approve()").error) == (
        "No call waits for approval. A run that rests at one says so where it ends; a run that waited in a kernel that "
        "has ended can't go on: ask again."
    )


async def test_a_streamed_result_that_nobody_has_read_is_running() -> None:
    result = Runner.run_streamed(Agent(name="a", model=ScriptedModel("It is sunny.")), "Hello")
    assert run_bundle(result)["text/plain"] == (
        "[Running: nothing has been read yet. `async for event in result.stream_events()` shows the rest as it comes.]"
    )
    async for _ in result.stream_events():
        pass
    assert run_bundle(result)["text/plain"] == "It is sunny."


@pytest.mark.parametrize(("policy", "was_sent"), [("approve", ["Ada"]), ("deny", []), ("", [])])
def test_without_a_reader_the_policy_decides(
    run: Run, loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch, policy: str, was_sent: list[str]
) -> None:
    monkeypatch.setenv("AGENTKIT_APPROVE", policy)
    loaded.user_ns["mailer"] = mailer(call("send", to="Ada"))
    assert run("%ask mailer Write to Ada").error is None
    assert sent == was_sent
    assert last_run().final_output == "All done."
    told = loaded.user_ns["mailer"].model.requests[-1].input[-1]["output"]
    assert told == ("sent to Ada" if was_sent else "Nobody was there to approve this call, so it was not made.")


def test_a_policy_that_is_none_is_named(run: Run, loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_APPROVE", "perhaps")
    loaded.user_ns["mailer"] = mailer(call("send", to="Ada"))
    error = run("%ask mailer Write to Ada").error
    assert "AGENTKIT_APPROVE is 'perhaps'. Set it to ask, approve, deny or wait, or unset it." in str(error)
    assert sent == []


@pytest.mark.parametrize(
    ("said", "was_sent", "told"),
    [
        (["y"], ["Ada"], "sent to Ada"),
        (["what?", "always"], ["Ada"], "sent to Ada"),
        (["no, she is away"], [], "she is away"),
        (["n"], [], "Tool execution was not approved."),
    ],
)
def test_a_terminal_is_asked_at_a_prompt(
    run: Run,
    loaded: InteractiveShell,
    monkeypatch: pytest.MonkeyPatch,
    said: list[str],
    was_sent: list[str],
    told: str,
) -> None:
    monkeypatch.delenv("AGENTKIT_APPROVE")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    answers = iter(said)
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    loaded.user_ns["mailer"] = mailer(call("send", to="Ada"))
    cell = run("%ask mailer Write to Ada")
    assert '? send(to="Ada")' in cell.stdout
    assert sent == was_sent
    assert loaded.user_ns["mailer"].model.requests[-1].input[-1]["output"] == told


async def test_the_kept_output_of_a_run_in_python_says_how_to_go_on_in_python() -> None:
    result = await Runner.run(mailer(call("send", to="<b>Ada</b>")), "Write")
    bundle = run_bundle(result)
    assert bundle["text/plain"] == (
        '[Waiting for approval.]\n  send(to="<b>Ada</b>")\n\nGo on with:\n\n'
        "import agentkit\n"
        "state = result.to_state()\n"
        "state.approve(state.get_interruptions()[0])  # or state.reject(…)\n"
        "result = await agentkit.Runner.run(state.current_agent, state)"
    )
    html = bundle["text/html"]
    assert "<pre><code>send(to=&quot;&lt;b&gt;Ada&lt;/b&gt;&quot;)</code></pre>" in html
    assert '<span class="agk-m agk-no">?</span> <span class="agk-n">send</span>' in html
    names: dict[str, Any] = {"result": result}
    exec(bundle["text/plain"].partition("Go on with:\n\n")[2].replace("result = await", "run ="), names)
    assert (await names["run"]).final_output == "All done."


@input_guardrail
def no_homework(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, tripwire_triggered="homework" in str(text))


def test_a_guardrail_that_stops_a_run_is_one_line(run: Run, loaded: InteractiveShell) -> None:
    agent = Agent(name="tutor", model=ScriptedModel("It is 4."), input_guardrails=[no_homework])
    loaded.user_ns["tutor"] = agent
    cell = run("%ask tutor Do my homework")
    assert isinstance(cell.error, InputGuardrailTripwireTriggered)
    assert "■ Guardrail 'no_homework' stopped the run.\n" in cell.stdout


async def test_a_spent_budget_is_one_line() -> None:
    @function_tool
    def again() -> str:
        """Go on."""
        return "x"

    agent = Agent(name="a", model=ScriptedModel(call("again"), "Done."), tools=[again])
    with pytest.raises(BudgetExceeded) as raised:
        await Runner.run(agent, "Go on. " * 20, run_config=RunConfig(budget_tokens=1))
    data = raised.value.run_data
    assert isinstance(data, RunResult)
    assert "■</span> Stopped: the run has spent all that it may.</div>" in run_bundle(data)["text/html"]


def test_a_retry_is_one_line_and_counted(run: Run, loaded: InteractiveShell) -> None:
    settings = ModelSettings(retry=ModelRetrySettings(max_retries=2, backoff=ModelRetryBackoffSettings(0.001)))
    model = ScriptedModel(ModelConnectionError("No connection."), "It is sunny.")
    loaded.user_ns["weather"] = Agent(name="weather", model=model, model_settings=settings)
    lines = run("%ask weather Hi").stdout.splitlines()
    assert lines[:2] == [
        "↻ ModelConnectionError: the model is asked again in a moment (retry 1 of 2)",
        "It is sunny.",
    ]
    assert lines[2].endswith(" tokens · 1 retry")
