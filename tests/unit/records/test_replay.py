"""`call.replay` sends the same request again, with changes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import agentkit
from agentkit import Agent, ModelSettings, Runner, UserError, WebSearchTool, function_tool, set_price
from agentkit.models import set_default_openai_api
from agentkit.records.call import RecordedCall
from agentkit.records.opened import open_trace
from agentkit.testing import ScriptedModel
from tests.unit.records.conftest import Platform, calling
from tests.unit.records.made_traces import MadeTrace


@function_tool
def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sunny in {city}"


@function_tool
def get_time(city: str) -> str:
    """Return the time in a city."""
    return "noon"


@dataclass
class Answer:
    city: str
    degrees: float


async def recorded(platform: Platform, **agent: Any) -> RecordedCall:
    """Return the second call of a run that called a tool in the first."""
    said = '{"city": "Tokyo", "degrees": 21}' if "output_type" in agent else "It is sunny."
    platform.reply(calling("get_weather", city="Tokyo")).reply(said)
    settings = agent.pop("model_settings", ModelSettings())
    made = Agent(
        name="a", instructions="Be brief.", model="m-1", tools=[get_weather, get_time], model_settings=settings, **agent
    )
    return open_trace(await Runner.run(made, "The weather?")).calls[1]


async def test_without_changes_the_body_is_the_same(platform: Platform, api: str) -> None:
    settings = ModelSettings(
        temperature=0.5, top_p=0.9, max_tokens=100, parallel_tool_calls=True, reasoning={"effort": "low"},
        metadata={"a": "b"}, store=False, verbosity="low", top_logprobs=2, tool_choice="auto", truncation="auto",
        response_include=["reasoning.encrypted_content"], frequency_penalty=0.1, presence_penalty=0.2,
        prompt_cache_retention="24h", extra_args={"seed": 7}, extra_body={"top_k": 3},
    )  # fmt: skip
    call = await recorded(platform, model_settings=settings, output_type=Answer)
    platform.reply("It rains.")
    replay = await call.replay_async()
    assert platform.bodies[2] == platform.bodies[1]
    assert replay.text == "It rains."
    assert replay.left_out == []


async def test_a_named_tool_choice_and_hosted_tools_are_sent_again(platform: Platform) -> None:
    platform.connect("responses").reply("Found.").reply("Found again.")
    settings = ModelSettings(tool_choice="get_weather")
    agent = Agent(name="a", tools=[WebSearchTool(), get_weather], model="m-1", model_settings=settings)
    call = open_trace(await Runner.run(agent, "Hi")).calls[0]
    await call.replay_async()
    assert platform.bodies[1] == platform.bodies[0]


async def test_changes_go_into_the_request(platform: Platform, api: str) -> None:
    call = await recorded(platform, model_settings=ModelSettings(temperature=0.5, top_p=0.3))
    platform.reply("Changed.")
    await call.replay_async(
        "m-2", instructions="Be long.", settings={"temperature": 1.0, "top_p": None}, tools=["get_time"], input="Time?"
    )
    body = platform.bodies[2]
    assert (body["model"], body["temperature"], "top_p" in body) == ("m-2", 1.0, False)
    assert [tool.get("function", tool)["name"] for tool in body["tools"]] == ["get_time"]
    if api == "responses":
        assert (body["instructions"], body["input"]) == ("Be long.", [{"role": "user", "content": "Time?"}])
    else:
        assert [message["content"] for message in body["messages"]] == ["Be long.", "Time?"]


async def test_instructions_and_tools_can_be_left_out(platform: Platform, api: str) -> None:
    call = await recorded(platform)
    platform.reply("Bare.")
    await call.replay_async(instructions="", tools=[])
    assert "tools" not in platform.bodies[2]
    assert "Be brief." not in str(platform.bodies[2])


async def test_the_other_api_gets_the_same_in_its_own_shape(platform: Platform) -> None:
    platform.connect("chat_completions")
    call = await recorded(platform, model_settings=ModelSettings(max_tokens=50), output_type=Answer)
    other = agentkit.OpenAIResponsesModel("m-1", platform.client())
    platform.reply("Other.")
    await call.replay_async(other)
    body = platform.bodies[2]
    assert (body["max_output_tokens"], body["instructions"]) == (50, "Be brief.")
    assert body["text"]["format"]["schema"]["required"] == ["city", "degrees"]
    assert [item.get("type") or item["role"] for item in body["input"]] == [
        "user",
        "function_call",
        "function_call_output",
    ]


async def test_a_streamed_replay_knows_the_time_to_the_first_token(platform: Platform, api: str) -> None:
    call = await recorded(platform)
    platform.reply("It rains.")
    replay = await call.replay_async(stream=True)
    assert platform.bodies[2]["stream"] is True
    assert replay.text == "It rains."
    assert replay.first_token_s is not None
    assert 0 <= replay.first_token_s <= replay.duration_s


async def test_the_result_has_tokens_cost_and_what_changed(platform: Platform, api: str) -> None:
    set_price("m-1", input=1, output=2)
    call = await recorded(platform)
    platform.reply("It is sunny.\nAnd warm.")
    replay = await call.replay_async()
    assert (replay.usage.input_tokens, replay.usage.output_tokens, replay.model) == (10, 5, "m-1")
    assert replay.cost_usd == pytest.approx(20e-6)
    assert replay.before is call
    assert replay.diff().splitlines() == [" It is sunny.", "+And warm."]
    assert str(replay).startswith("It is sunny.\nAnd warm.\n\nm-1 · 10 tokens in, 5 out · $0.000020 · ")
    assert repr(replay) == "Replay('m-1', another answer)"


async def test_a_replay_is_recorded_in_a_trace_of_its_own(platform: Platform, api: str) -> None:
    call = await recorded(platform)
    platform.reply("It is sunny.")
    replay = await call.replay_async()
    assert replay.diff() == ""
    assert replay.trace_id is not None
    trace = open_trace(replay.trace_id)
    assert (trace.workflow, trace.status, trace.output) == ("Replay", "ok", "It is sunny.")
    assert trace.metadata == {"replay_of": call.trace_id, "span_id": call.span_id}
    assert replay.request is not None
    assert replay.request["body"] == platform.bodies[2]
    assert (trace.input_tokens, trace.output_tokens) == (10, 5)


def test_it_works_without_a_running_loop(platform: Platform) -> None:
    platform.connect("responses").reply("Hello.").reply("Again.")
    call = open_trace(Runner.run_sync(Agent(name="a", model="m-1"), "Hi")).calls[0]
    assert call.replay().text == "Again."


async def test_it_works_in_a_running_loop_as_in_a_cell(platform: Platform) -> None:
    platform.connect("responses").reply("Hello.").reply("Again.")
    call = open_trace(await Runner.run(Agent(name="a", model="m-1"), "Hi")).calls[0]
    assert call.replay().text == "Again."


async def test_a_model_of_the_users_own_can_be_asked(platform: Platform, api: str) -> None:
    call = await recorded(platform)
    model = ScriptedModel("From a script.")
    replay = await call.replay_async(model)
    assert replay.text == "From a script."
    assert model.requests[0].system_instructions == "Be brief."
    assert model.requests[0].tools == ["get_weather", "get_time"]
    assert len(model.requests[0].input) == 3


async def test_a_call_by_a_model_of_the_users_own_needs_a_model(platform: Platform) -> None:
    agent = Agent(name="a", model=ScriptedModel("Hello."), instructions="Be brief.", tools=[get_weather])
    call = open_trace(await Runner.run(agent, "Hi")).calls[0]
    with pytest.raises(UserError, match="made by a ScriptedModel"):
        await call.replay_async()
    platform.connect("responses").reply("Real.")
    assert (await call.replay_async("m-1")).text == "Real."
    assert platform.bodies[0]["instructions"] == "Be brief."
    assert [tool["name"] for tool in platform.bodies[0]["tools"]] == ["get_weather"]


async def test_what_is_not_recorded_is_not_guessed(
    platform: Platform, api: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AGENTKIT_TRACE_MAX_BYTES", "2000")
    platform.reply("Hello.")
    settings = ModelSettings(extra_headers={"X-Team": "blue-42"})
    agent = Agent(name="a", model="m-1", model_settings=settings)
    call = open_trace(await Runner.run(agent, "long " * 5_000)).calls[0]
    with pytest.raises(UserError, match="cut by the store's size limit"):
        await call.replay_async()
    platform.reply("Short.")
    replay = await call.replay_async(input="Short?")
    assert replay.text == "Short."
    assert replay.left_out == ["X-Team, whose value isn't recorded"]


async def test_calls_recorded_by_an_earlier_agentkit_are_made_again_as_far_as_they_go(
    platform: Platform,
) -> None:
    platform.connect("responses").reply("Hello.")
    made = MadeTrace()
    said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    made.add("response", 0, 1, model="m-1", input=json.dumps(said))
    call = made.open().calls[0]
    assert call.request["incomplete"] == "Its settings and tools weren't recorded, as by an earlier agentkit."
    assert call.messages == said
    replay = await call.replay_async()
    assert platform.bodies == [{"model": "m-1", "instructions": "Be brief.", "input": said[1:]}]
    assert replay.left_out == ["tools and settings, which aren't recorded"]


async def test_hosted_tools_of_a_model_of_the_users_own_are_said_to_be_left_out(platform: Platform) -> None:
    platform.connect("responses").reply("Found.")
    agent = Agent(name="a", model=ScriptedModel("Hello."), tools=[WebSearchTool()])
    call = open_trace(await Runner.run(agent, "Hi")).calls[0]
    replay = await call.replay_async("m-1")
    assert replay.left_out == ["web_search, of which only the name is recorded"]


async def test_a_conversation_of_the_platforms_is_not_added_to(platform: Platform) -> None:
    platform.connect("responses").reply("Hello.")
    agent = Agent(name="a", model="m-1")
    call = open_trace(await Runner.run(agent, "Hi", conversation_id="conv_1")).calls[0]
    with pytest.raises(UserError, match="conv_1"):
        await call.replay_async()
    platform.reply("By itself.")
    await call.replay_async(input=call.messages)
    assert "conversation" not in platform.bodies[1]


async def test_arguments_that_make_no_sense_are_named(platform: Platform) -> None:
    platform.connect("responses")
    call = await recorded(platform)
    for options, message in (
        ({"settings": {"temprature": 1}}, "no model setting 'temprature'"),
        ({"tools": ["get_wether"]}, "no tool 'get_wether'. It has: get_weather, get_time"),
        ({"tools": [len]}, "is a function, not a tool"),
        ({"model": 3}, "model is a name or a Model, not int 3"),
    ):
        with pytest.raises(UserError, match=message):
            await call.replay_async(**options)  # type: ignore[arg-type]
    assert len(platform.bodies) == 2


async def test_errors_of_the_platform_are_raised_and_recorded(platform: Platform, api: str) -> None:
    call = await recorded(platform)
    platform.fail(400, "No such model.")
    with pytest.raises(agentkit.ModelServerError, match="No such model"):
        await call.replay_async("m-9")
    newest = open_trace(agentkit.traces(limit=1)["trace_id"].iloc[0])
    assert (newest.workflow, newest.status) == ("Replay", "error")


def test_the_default_api_may_be_either(platform: Platform) -> None:
    set_default_openai_api("responses")
    platform.connect("chat_completions").reply("Hello.").reply("Again.")
    call = open_trace(Runner.run_sync(Agent(name="a", model="m-1"), "Hi")).calls[0]
    call.replay()
    assert platform.bodies[1] == platform.bodies[0]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": 5}, "model is a name or a Model, not int 5"),
        ({"instructions": 5}, "instructions is a text, not int 5"),
        ({"settings": "hot"}, "settings is a dictionary or ModelSettings, not str 'hot'"),
        ({"tools": "look"}, r"not str 'look'\. Put it into a list: tools=\['look'\]"),
        ({"tools": get_time}, "tools is a list of tools.*Put it into a list"),
        ({"tools": 5}, "tools is a list of tools.*not int 5"),
        ({"tools": [5]}, "5 is neither a tool nor the name of one"),
        ({"input": 5}, "input is a text or a list of items, not int 5"),
        ({"input": []}, "input is an empty list"),
        ({"input": ["Hi"]}, "Item 0 of input is no item, with a role or a type: 'Hi'"),
        ({"client": "x"}, "client is an AsyncOpenAI, not str 'x'"),
        ({"stream": "yes"}, "stream is True or False, not str 'yes'"),
    ],
)
async def test_arguments_that_make_no_sense_are_told_before_anything_is_sent(
    platform: Platform, changes: dict[str, Any], told: str
) -> None:
    platform.connect("responses")
    call = await recorded(platform)
    with pytest.raises(UserError, match=told):
        await call.replay_async(**changes)
    assert len(platform.bodies) == 2
    assert len(agentkit.traces()) == 1


async def test_a_client_that_blocks_is_told(platform: Platform) -> None:
    import openai

    platform.connect("responses")
    call = await recorded(platform)
    with openai.OpenAI(api_key="sk-x", base_url="http://server.test/v1") as client, pytest.raises(UserError) as caught:
        await call.replay_async(client=client)  # type: ignore[arg-type]
    assert "client is an OpenAI, which blocks" in str(caught.value)
