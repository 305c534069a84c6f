import json
from typing import Any

import pytest

from agentkit import Agent, RunConfig, Runner, RunState, UserError, function_tool
from agentkit.runtime.result import RunResult
from agentkit.testing import ScriptedModel, call


class Files:
    def __init__(self) -> None:
        self.gone: list[str] = []


def deleting(files: Files, **options: Any) -> Any:
    @function_tool(needs_approval=True, **options)
    def delete(name: str) -> str:
        files.gone.append(name)
        return f"{name} is gone"

    return delete


@function_tool
def look(name: str) -> str:
    return f"{name} is there"


async def test_a_call_that_needs_approval_rests_the_run() -> None:
    files = Files()
    agent = Agent(
        name="a", model=ScriptedModel([call("look", name="x"), call("delete", name="x")]), tools=[look, deleting(files)]
    )
    result = await Runner.run(agent, "Delete x")
    assert (result.status, result.final_output, files.gone) == ("waiting", None, [])
    assert [(i.name, json.loads(i.arguments), i.agent) for i in result.interruptions] == [
        ("delete", {"name": "x"}, agent)
    ]
    assert [item.type for item in result.new_items] == ["tool_call_item", "tool_call_item", "tool_call_output_item"]


async def test_an_approved_call_runs_and_the_run_goes_on() -> None:
    files = Files()
    agent = Agent(name="a", model=ScriptedModel(call("delete", name="x"), "Gone."), tools=[deleting(files)])
    state = (await Runner.run(agent, "Delete x")).to_state()
    state.approve(state.get_interruptions()[0])
    assert state.get_interruptions() == []
    result = await Runner.run(agent, state)
    assert (result.final_output, result.status, files.gone) == ("Gone.", "completed", ["x"])
    assert [item["type"] for item in result.to_input_list()[1:]] == ["function_call", "function_call_output", "message"]
    assert (len(result.raw_responses), result.usage.requests) == (2, 2)


async def test_a_rejected_call_is_told_to_the_model() -> None:
    files = Files()
    agent = Agent(name="a", model=ScriptedModel(call("delete", name="x"), "All right."), tools=[deleting(files)])
    state = (await Runner.run(agent, "Delete x")).to_state()
    state.reject(state.get_interruptions()[0], rejection_message="Not today.")
    result = await Runner.run(agent, state)
    assert (result.final_output, files.gone) == ("All right.", [])
    assert (result.new_items[1].raw["output"], result.new_items[1].outcome) == ("Not today.", "rejected")


async def test_a_rejection_message_that_is_no_text_is_refused_and_decides_nothing() -> None:
    files = Files()
    agent = Agent(name="a", model=ScriptedModel([call("delete", name="x")], "Done."), tools=[deleting(files)])
    state = (await Runner.run(agent, "Delete x")).to_state()
    with pytest.raises(UserError, match="A rejection_message is a text, not 42."):
        state.reject(state.get_interruptions()[0], rejection_message=42)  # type: ignore[arg-type]
    state.approve(state.get_interruptions()[0])
    assert ((await Runner.run(agent, state)).final_output, files.gone) == ("Done.", ["x"])


async def test_a_rejection_without_message_says_what_it_is_or_what_the_formatter_makes() -> None:
    agent = Agent(name="a", model=ScriptedModel(call("delete", name="x"), "1", "2"), tools=[deleting(Files())])
    state = (await Runner.run(agent, "Delete x")).to_state()
    state.reject(state.get_interruptions()[0])
    assert (await Runner.run(agent, state)).new_items[1].raw["output"] == "Tool execution was not approved."
    config = RunConfig(tool_error_formatter=lambda args: f"{args.tool_name}: {args.kind}")
    again = await Runner.run(agent, state, run_config=config)
    assert again.new_items[1].raw["output"] == "delete: approval_rejected"


async def test_always_holds_for_the_rest_of_the_run() -> None:
    files = Files()
    model = ScriptedModel(call("delete", name="x"), call("delete", name="y"), "Gone.")
    agent = Agent(name="a", model=model, tools=[deleting(files)])
    state = (await Runner.run(agent, "Delete x and y")).to_state()
    state.approve(state.get_interruptions()[0], always_approve=True)
    result = await Runner.run(agent, state)
    assert (result.final_output, files.gone) == ("Gone.", ["x", "y"])


async def test_without_always_the_next_call_waits_again() -> None:
    files = Files()
    model = ScriptedModel(call("delete", name="x"), call("delete", name="y"), "Gone.")
    agent = Agent(name="a", model=model, tools=[deleting(files)])
    state = (await Runner.run(agent, "Delete x and y")).to_state()
    state.approve(state.get_interruptions()[0])
    result = await Runner.run(agent, state)
    assert (result.status, files.gone, result.interruptions[0].arguments) == ("waiting", ["x"], '{"name":"y"}')


async def test_an_undecided_call_goes_on_waiting() -> None:
    agent = Agent(name="a", model=ScriptedModel(call("delete", name="x")), tools=[deleting(Files())])
    state = (await Runner.run(agent, "Delete x")).to_state()
    assert (await Runner.run(agent, state)).status == "waiting"


@pytest.mark.parametrize(("name", "waits"), [("important", True), ("x", False)])
async def test_a_function_decides_which_calls_need_approval(name: str, waits: bool) -> None:
    async def needs(context: Any, arguments: dict[str, Any], call_id: str) -> bool:
        return bool(arguments["name"] == "important" and call_id)

    @function_tool(needs_approval=needs)
    def delete(name: str) -> str:
        return "gone"

    agent = Agent(name="a", model=ScriptedModel(call("delete", name=name), "Gone."), tools=[delete])
    assert bool((await Runner.run(agent, "Delete it")).interruptions) is waits


async def test_a_saved_run_goes_on_in_another_process_from_json() -> None:
    files = Files()
    context = {"user": "Ada"}

    def agent_of(model: ScriptedModel) -> Agent[Any]:
        return Agent(name="a", model=model, tools=[look, deleting(files)])

    first = agent_of(ScriptedModel([call("look", name="x"), call("delete", name="x")]))
    saved = (await Runner.run(first, "Delete x", context=context)).to_state().to_string()
    second = agent_of(ScriptedModel("Gone."))
    state = await RunState.from_string(second, saved)
    assert (
        repr(state) == 'RunState(\'a\', turn 1, waiting for [ToolApprovalItem(a wants to call delete({"name":"x"}))])'
    )
    state.approve(state.get_interruptions()[0])
    result = await Runner.run(second, state)
    assert (result.final_output, files.gone, result.context_wrapper.context) == ("Gone.", ["x"], {"user": "Ada"})
    assert [item["type"] for item in result.to_input_list()[1:]] == [
        "function_call", "function_call", "function_call_output", "function_call_output", "message",
    ]  # fmt: skip
    assert result.usage.requests == 2
    assert len(result.raw_responses[0].raw_output) == 2


async def test_a_decision_is_saved_with_the_state() -> None:
    files = Files()
    agent = Agent(name="a", model=ScriptedModel(call("delete", name="x"), "Gone."), tools=[deleting(files)])
    state = (await Runner.run(agent, "Delete x")).to_state()
    state.approve(state.get_interruptions()[0])
    again = await RunState.from_json(agent, json.loads(json.dumps(state.to_json())))
    assert (await Runner.run(agent, again)).final_output == "Gone."


async def test_a_streamed_run_rests_too_and_goes_on_streamed() -> None:
    files = Files()
    agent = Agent(name="a", model=ScriptedModel(call("delete", name="x"), "Gone."), tools=[deleting(files)])
    first = Runner.run_streamed(agent, "Delete x")
    assert [e.name async for e in first.stream_events() if e.type == "run_item_stream_event"] == ["tool_called"]
    state = first.to_state()
    state.approve(state.get_interruptions()[0])
    second = Runner.run_streamed(agent, state)
    names = [e.name async for e in second.stream_events() if e.type == "run_item_stream_event"]
    assert (names, second.final_output) == (["tool_output", "message_output_created"], "Gone.")


async def test_a_tool_of_an_agent_used_as_a_tool_waits_too() -> None:
    files = Files()

    def agents(*replies: Any) -> Agent[Any]:
        inner = Agent(name="inner", model=ScriptedModel(*replies[0]), tools=[deleting(files)])
        return Agent(name="outer", model=ScriptedModel(*replies[1]), tools=[inner.as_tool("clean", "Cleans up")])

    outer = agents([call("delete", name="x"), "Cleaned."], [call("clean", input="x"), "All is clean."])
    result = await Runner.run(outer, "Clean up")
    assert [(i.name, i.agent.name) for i in result.interruptions] == [("delete", "inner")]
    saved = result.to_state().to_string()
    for state, agent in [
        (result.to_state(), outer),
        (None, agents(["Cleaned."], ["All is clean."])),
    ]:
        state = state or await RunState.from_string(agent, saved)
        state.approve(state.get_interruptions()[0])
        done = await Runner.run(agent, state)
        assert (done.final_output, done.new_items[1].raw["output"]) == ("All is clean.", "Cleaned.")
        assert done.usage.requests == 4
    assert files.gone == ["x", "x"]


async def test_a_handoff_waits_for_the_calls_beside_it() -> None:
    files = Files()
    other = Agent(name="other", model=ScriptedModel("Hello from the other."))
    model = ScriptedModel([call("delete", name="x"), call("transfer_to_other")])
    agent = Agent(name="a", model=model, tools=[deleting(files)], handoffs=[other])
    result = await Runner.run(agent, "Go")
    assert (result.status, result.last_agent) == ("waiting", agent)
    state = result.to_state()
    state.approve(state.get_interruptions()[0])
    done = await Runner.run(agent, state)
    assert (done.final_output, done.last_agent, files.gone) == ("Hello from the other.", other, ["x"])


async def test_a_run_stopped_by_max_turns_goes_on_from_its_state() -> None:
    from agentkit import MaxTurnsExceeded

    agent = Agent(name="a", model=ScriptedModel(call("look", name="x"), "It is there."), tools=[look])
    with pytest.raises(MaxTurnsExceeded) as caught:
        await Runner.run(agent, "Is x there?", max_turns=1)
    assert isinstance(caught.value.run_data, RunResult)
    result = await Runner.run(agent, caught.value.run_data.to_state(), max_turns=1)
    assert (result.final_output, len(result.raw_responses)) == ("It is there.", 2)


async def test_what_does_not_wait_cannot_be_decided_on() -> None:
    agent = Agent(
        name="a", model=ScriptedModel(call("delete", name="x"), call("delete", name="y")), tools=[deleting(Files())]
    )
    first, second = [(await Runner.run(agent, "Delete it")) for _ in range(2)]
    with pytest.raises(UserError, match="No call 'call_2_0' waits in this state. Waiting: delete"):
        first.to_state().approve(second.interruptions[0])
    with pytest.raises(UserError, match="is no call that waits for approval"):
        first.to_state().approve("delete")  # type: ignore[arg-type]


async def test_an_agent_without_part_in_the_run_is_refused() -> None:
    agent = Agent(name="a", model=ScriptedModel(call("delete", name="x")), tools=[deleting(Files())])
    state = (await Runner.run(agent, "Delete x")).to_state()
    with pytest.raises(UserError, match="Agent 'b' has no part in the run that this state is of. Its agents: a."):
        await Runner.run(Agent(name="b"), state)


async def test_a_context_that_is_no_json_is_left_out_and_asked_for() -> None:
    agent = Agent(name="a", model=ScriptedModel(call("delete", name="x"), "Gone."), tools=[deleting(Files())])
    state = (await Runner.run(agent, "Delete x", context=Files())).to_state()
    saved = state.to_string()
    with pytest.raises(UserError, match="context, a .*Files, was left out. Pass it as context_override."):
        await RunState.from_string(agent, saved)
    mine = Files()
    again = await RunState.from_string(agent, saved, context_override=mine)
    assert again.context.context is mine
    with pytest.raises(UserError, match="is no JSON data. Pass a context_serializer"):
        state.to_string(strict_context=True)
    text = state.to_string(context_serializer=lambda files: files.gone)
    read = await RunState.from_string(agent, text, context_deserializer=lambda gone: ("read", gone))
    assert read.context.context == ("read", [])


async def test_a_doubly_encoded_argument_is_decided_about_as_the_tool_will_read_it() -> None:
    @function_tool(needs_approval=lambda context, arguments, call_id: arguments.get("amount", 0) > 100)
    def pay(amount: int) -> str:
        return f"paid {amount}"

    twice = {**call("pay"), "arguments": json.dumps('{"amount": 1000}')}
    odd = {**call("pay"), "arguments": "[1000]"}
    for item in (twice, odd):
        result = await Runner.run(Agent(name="a", model=ScriptedModel([item]), tools=[pay]), "Pay")
        assert result.status == "waiting"


async def test_a_decision_holds_for_one_call_of_one_run_even_where_ids_repeat() -> None:
    paid: list[tuple[str, int]] = []

    def payer(name: str) -> Agent[Any]:
        @function_tool(needs_approval=True)
        def pay(amount: int) -> str:
            paid.append((name, amount))
            return "paid"

        same = {**call("pay", amount=5), "call_id": "call_0"}
        return Agent(name=name, model=ScriptedModel([same], "Paid."), tools=[pay])

    asks = [{**call(f"ask_{name}", input="Pay"), "call_id": f"outer_{name}"} for name in ("one", "two")]
    tools = [payer(name).as_tool(f"ask_{name}", "Pays") for name in ("one", "two")]
    outer = Agent(name="outer", model=ScriptedModel(asks, "Done."), tools=tools)
    state = (await Runner.run(outer, "Pay both")).to_state()
    assert [item.agent.name for item in state.get_interruptions()] == ["one", "two"]
    again = await RunState.from_string(outer, state.to_string())
    for each in (state, again):
        each.approve(each.get_interruptions()[0], always_approve=True)
        assert [item.agent.name for item in each.get_interruptions()] == ["two"]
    result = await Runner.run(outer, state)
    assert (paid, [item.agent.name for item in result.interruptions]) == ([("one", 5)], ["two"])


async def test_a_decision_is_spent_even_if_the_call_fails() -> None:
    ran = []

    @function_tool(needs_approval=True, failure_error_function=None)
    def launch() -> str:
        ran.append(1)
        raise ValueError("no fuel")

    same = {**call("launch"), "call_id": "call_0"}
    agent = Agent(name="a", model=ScriptedModel([same], [same]), tools=[launch])
    state = (await Runner.run(agent, "Launch")).to_state()
    state.approve(state.get_interruptions()[0])
    with pytest.raises(UserError, match="no fuel") as caught:
        await Runner.run(agent, state)
    assert caught.value.run_data is not None
    result = await Runner.run(agent, caught.value.run_data.to_state())
    assert (len(ran), result.status) == (1, "waiting")


async def test_another_runs_call_of_the_same_id_is_refused() -> None:
    def one(name: str) -> ScriptedModel:
        return ScriptedModel([{**call("delete", name=name), "call_id": "call_0"}])

    results = [await Runner.run(Agent(name="a", model=one(name), tools=[deleting(Files())]), "Delete") for name in "xy"]
    with pytest.raises(UserError, match="No call 'call_0' waits in this state"):
        results[0].to_state().approve(results[1].interruptions[0])


async def test_hooks_and_guardrails_of_a_call_that_waits_inside_are_asked_once() -> None:
    from agentkit import RunHooks

    seen = []

    class Hooks(RunHooks[Any]):
        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            seen.append(tool.name)

    inner = Agent(name="inner", model=ScriptedModel(call("delete", name="x"), "Gone"), tools=[deleting(Files())])
    outer = Agent(name="outer", model=ScriptedModel(call("clean", input="x"), "Done"), tools=[inner.as_tool("clean")])
    state = (await Runner.run(outer, "Clean", hooks=Hooks())).to_state()
    state.approve(state.get_interruptions()[0])
    await Runner.run(outer, state, hooks=Hooks())
    assert seen == ["clean"]
