"""`call.request` is what the platform received."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import agentkit
from agentkit import (
    Agent,
    ModelInputData,
    ModelSettings,
    RunConfig,
    Runner,
    SQLiteSession,
    WebSearchTool,
    function_tool,
    handoff,
)
from agentkit.extensions.handoff_filters import remove_all_tools
from agentkit.records.opened import RecordedTrace, open_trace
from agentkit.testing import ScriptedModel
from agentkit.testing import call as scripted_call
from tests.unit.records.conftest import Platform, calling

PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJ"

Run = Callable[..., Any]


@function_tool
def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sunny in {city} ☀"


@dataclass
class Answer:
    city: str
    degrees: float


def requests(trace: RecordedTrace) -> list[Any]:
    return [call.request for call in trace.calls]


def assert_all_as_received(trace: RecordedTrace, platform: Platform) -> None:
    found = requests(trace)
    assert [request["body"] for request in found] == platform.bodies
    assert [request["incomplete"] for request in found] == [None] * len(platform.bodies)


async def test_turns_with_tools(platform: Platform, api: str, run: Run) -> None:
    platform.reply("Let me see.", calling("get_weather", city="Tokyo")).reply(
        calling("get_weather", "call_2", city="Oslo"), calling("get_weather", "call_3", city="Rome")
    ).reply("Sunny.")
    settings = ModelSettings(
        temperature=0.5, max_tokens=100, parallel_tool_calls=True, reasoning={"effort": "low"}, metadata={"a": "b"},
        extra_args={"seed": 7}, extra_body={"top_k": 3}, extra_headers={"X-Team": "secret-1"}, extra_query={"v": "2"},
    )  # fmt: skip
    agent = Agent(name="a", instructions="Be brief.", tools=[get_weather], model="m-1", model_settings=settings)

    trace = open_trace(await run(agent, "And the weather?"))

    assert len(platform.bodies) == 3
    assert_all_as_received(trace, platform)
    request = trace.calls[0].request
    path = "/responses" if api == "responses" else "/chat/completions"
    assert {key: request[key] for key in ("api", "method", "url", "headers", "query")} == {
        "api": api,
        "method": "POST",
        "url": f"http://server.test/v1{path}",
        "headers": ["X-Team"],
        "query": ["v"],
    }
    assert "secret-1" not in str(request)


async def test_the_calls_of_a_run_share_what_is_stored(platform: Platform, api: str) -> None:
    platform.reply(calling("get_weather", city="Tokyo")).reply("Sunny.")
    trace = open_trace(await Runner.run(Agent(name="a", tools=[get_weather]), "Hi"))
    assert len({call.request_key for call in trace.calls}) == 1


async def test_handoffs(platform: Platform, api: str, run: Run) -> None:
    platform.reply(calling("get_weather", city="Tokyo")).reply(calling("transfer_to_second")).reply(
        calling("get_weather", "call_9", city="Oslo")
    ).reply("Done.")
    second = Agent(name="second", instructions="You are second.", tools=[get_weather], model="m-2")
    first = Agent(name="first", instructions="You are first.", tools=[get_weather], handoffs=[second])
    assert_all_as_received(open_trace(await run(first, "Hi")), platform)


async def test_handoffs_whose_filter_changes_the_conversation(platform: Platform, api: str, run: Run) -> None:
    platform.reply(calling("get_weather", city="Tokyo")).reply(calling("transfer_to_second")).reply(
        calling("get_weather", "call_9", city="Oslo")
    ).reply("Done.")
    second = Agent(name="second", tools=[get_weather])
    first = Agent(name="first", tools=[get_weather], handoffs=[handoff(second, input_filter=remove_all_tools)])
    trace = open_trace(await run(first, "Hi"))
    assert "get_weather" not in str(platform.bodies[2].get("input") or platform.bodies[2]["messages"])
    assert_all_as_received(trace, platform)


async def test_structured_output(platform: Platform, api: str, run: Run) -> None:
    platform.reply('{"city": "Tokyo", "degrees": 21.5}')
    trace = open_trace(await run(Agent(name="a", output_type=Answer), "Hi"))
    assert_all_as_received(trace, platform)
    assert "degrees" in str(trace.calls[0].request["body"])


async def test_sessions(platform: Platform, api: str, run: Run) -> None:
    platform.reply("Hello.").reply(calling("get_weather", city="Tokyo")).reply("Sunny.")
    session = SQLiteSession("s", ":memory:")
    agent = Agent(name="a", instructions="Be brief.", tools=[get_weather])
    traces = [open_trace(await run(agent, asked, session=session)) for asked in ("Hi", "The weather?")]
    found = [request["body"] for trace in traces for request in requests(trace)]
    assert found == platform.bodies
    assert len(found) == 3


@pytest.mark.parametrize("instructions", [None, "Be brief."])
async def test_conversations_that_begin_with_a_system_message_of_the_users(
    platform: Platform, api: str, instructions: str | None
) -> None:
    platform.reply(calling("get_weather", city="Tokyo")).reply("Sunny.")
    given = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    agent = Agent(name="a", instructions=instructions, tools=[get_weather])
    assert_all_as_received(open_trace(await Runner.run(agent, given)), platform)


async def test_instructions_that_change_from_turn_to_turn(platform: Platform, api: str, run: Run) -> None:
    platform.reply(calling("get_weather", city="Tokyo")).reply(calling("get_weather", "c2", city="Oslo")).reply("Done.")
    said = iter(["One.", "Two.", "Two."])
    agent = Agent(name="a", instructions=lambda context, agent: next(said), tools=[get_weather])
    assert_all_as_received(open_trace(await run(agent, "Hi")), platform)


async def test_input_filters(platform: Platform, api: str, run: Run) -> None:
    platform.reply(calling("get_weather", city="Tokyo")).reply("Sunny.")

    def shorter(data: Any) -> ModelInputData:
        return ModelInputData(input=data.model_data.input[-2:], instructions="Filtered.")

    agent = Agent(name="a", instructions="Be brief.", tools=[get_weather])
    given = [{"role": "user", "content": f"Message {number}"} for number in range(4)]
    trace = open_trace(await run(agent, given, run_config=RunConfig(call_model_input_filter=shorter)))
    assert "Message 0" not in str(platform.bodies)
    assert_all_as_received(trace, platform)


async def test_agents_as_tools_and_runs_side_by_side(platform: Platform, api: str, run: Run) -> None:
    platform.reply(calling("ask", input="Where?")).reply(calling("get_weather", "c2", city="Oslo")).reply("Oslo.")
    platform.reply(calling("ask", "c3", input="And?")).reply("Rome.").reply("Done.")
    inner = Agent(name="inner", instructions="Inner.", tools=[get_weather])
    outer = Agent(name="outer", instructions="Outer.", tools=[inner.as_tool("ask", "Ask.")])
    with agentkit.trace("both") as whole:
        await run(outer, "Hi")
        platform.reply("Hello.")
        await run(outer, "Another run of the same agent")
    assert_all_as_received(open_trace(whole), platform)


async def test_runs_at_the_same_time_in_one_trace(platform: Platform, api: str) -> None:
    """Their calls lie among each other's: each is put together from its own run's."""
    turns = asyncio.Barrier(3)

    @function_tool
    async def meet(who: str) -> str:
        await turns.wait()
        return f"met {who}"

    for number in range(6):
        platform.reply(calling("meet", f"call_{number}", who=str(number)))
    for _ in range(3):
        platform.reply("Done.")
    agent = Agent(name="a", instructions="Be brief.", tools=[meet])
    with agentkit.trace("all") as whole:
        await asyncio.gather(*(Runner.run(agent, f"I am {number}") for number in range(3)))
    found = [request["body"] for request in requests(open_trace(whole))]
    sorted_found, sorted_bodies = (
        sorted(json.dumps(body, sort_keys=True) for body in bodies) for bodies in (found, platform.bodies)
    )
    assert sorted_found == sorted_bodies
    assert len(found) == 9


async def test_a_call_that_failed_has_its_request(platform: Platform, api: str) -> None:
    platform.fail(400, "No.")
    with agentkit.trace("failing") as whole, pytest.raises(agentkit.ModelServerError):
        await Runner.run(Agent(name="a", instructions="Be brief."), "Hi")
    trace = open_trace(whole)
    assert trace.calls[0].failed
    assert_all_as_received(trace, platform)


async def test_a_password_in_the_servers_address_is_not_kept(platform: Platform) -> None:
    client = platform.client().copy(base_url="http://ada:hunter2hunter2@server.test/v1?key=also-secret")
    platform.reply("Hello.")
    agent = Agent(name="a", model=agentkit.OpenAIResponsesModel("m-1", client))
    request = open_trace(await Runner.run(agent, "Hi")).calls[0].request
    assert request["url"] == "http://server.test/v1/responses"


async def test_pictures(platform: Platform, api: str, run: Run) -> None:
    @function_tool
    def draw() -> Any:
        return agentkit.tooling.ToolOutputImage(image_url=PICTURE)

    parts = [{"type": "input_text", "text": "Look"}, {"type": "input_image", "image_url": PICTURE, "detail": "low"}]
    platform.reply(calling("draw")).reply("Nice.")
    agent = Agent(name="a", tools=[draw])
    assert_all_as_received(open_trace(await run(agent, [{"role": "user", "content": parts}])), platform)


async def test_calls_made_again_after_a_failure_and_lessons_learned(
    platform: Platform, run: Run, tmp_path: Path
) -> None:
    platform.connect("chat_completions")
    platform.fail(500).fail(400, "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens'.")
    platform.reply("Hello.")
    agent = Agent(name="a", model=tmp_path.name, model_settings=ModelSettings(max_tokens=50))
    trace = open_trace(await run(agent, "Hi"))
    assert [("max_tokens" in body, "max_completion_tokens" in body) for body in platform.bodies] == [
        (True, False),
        (True, False),
        (False, True),
    ]
    assert trace.calls[0].request["body"] == platform.bodies[-1]


async def test_hosted_tools(platform: Platform, run: Run) -> None:
    platform.connect("responses").reply("Found.")
    agent = Agent(
        name="a", tools=[WebSearchTool(), get_weather], model_settings=ModelSettings(tool_choice="web_search")
    )
    assert_all_as_received(open_trace(await run(agent, "Hi")), platform)


async def test_extras_that_take_the_place_of_the_messages(platform: Platform, api: str) -> None:
    key = "input" if api == "responses" else "messages"
    platform.reply("Yes.")
    settings = ModelSettings(extra_body={key: [{"role": "user", "content": "Instead"}], "tools": []})
    trace = open_trace(await Runner.run(Agent(name="a", model_settings=settings, tools=[get_weather]), "Hi"))
    assert_all_as_received(trace, platform)


async def test_conversations_that_the_platform_keeps(platform: Platform, run: Run) -> None:
    platform.connect("responses").reply(calling("get_weather", city="Tokyo")).reply("Sunny.")
    agent = Agent(name="a", instructions="Be brief.", tools=[get_weather])
    trace = open_trace(await run(agent, "Hi", auto_previous_response_id=True))
    assert [request["body"] for request in requests(trace)] == platform.bodies
    assert [len(body["input"]) for body in platform.bodies] == [1, 1]
    assert [request["incomplete"] for request in requests(trace)] == [
        None,
        "The platform itself adds the conversation up to the response resp_1, which it keeps.",
    ]


async def test_runs_that_went_on_after_an_approval(platform: Platform, api: str, run: Run) -> None:
    @function_tool(needs_approval=True)
    def delete(path: str) -> str:
        return "deleted"

    platform.reply(calling("get_weather", city="Tokyo")).reply(calling("delete", "c2", path="x")).reply("Done.")
    agent = Agent(name="a", instructions="Be brief.", tools=[delete, get_weather])
    rested = await run(agent, "Hi")
    state = rested.to_state()
    for item in rested.interruptions:
        state.approve(item)
    first, second = open_trace(rested), open_trace(await run(agent, state))
    assert [request["body"] for request in [*requests(first), *requests(second)]] == platform.bodies


async def test_a_model_of_the_users_own_tells_what_it_was_called_with() -> None:
    model = ScriptedModel().reply(scripted_call("get_weather", city="Tokyo")).reply('{"city": "T", "degrees": 1}')
    agent = Agent(
        name="a", instructions="Be brief.", model=model, tools=[get_weather], output_type=Answer,
        model_settings=ModelSettings(temperature=0.0, extra_headers={"X-Key": "secret-2"}),
    )  # fmt: skip
    trace = open_trace(await Runner.run(agent, "Hi"))
    first, second = requests(trace)
    assert first["body"] is None
    assert first["made_by"] == "ScriptedModel"
    assert first["incomplete"].startswith("ScriptedModel makes its request itself")
    arguments = second["arguments"]
    assert arguments["model"] == "scripted"
    assert arguments["system_instructions"] == "Be brief."
    assert arguments["model_settings"] == {"temperature": 0.0, "extra_headers": ["X-Key"]}
    assert [tool["name"] for tool in arguments["tools"]] == ["get_weather"]
    assert arguments["tools"][0]["parameters"] == get_weather.params_json_schema
    assert arguments["output_schema"]["schema"]["required"] == ["city", "degrees"]
    assert arguments["input"] == model.requests[1].input
    assert "secret-2" not in str(second)


async def test_settings_changed_in_place_are_told_as_they_are() -> None:
    model = ScriptedModel("One.", "Two.")
    agent = Agent(name="a", model=model, model_settings=ModelSettings(temperature=0.1))
    first = open_trace(await Runner.run(agent, "Hi"))
    agent.model_settings.temperature = 0.9
    second = open_trace(await Runner.run(agent, "Hi"))
    found = [trace.calls[0].request["arguments"]["model_settings"] for trace in (first, second)]
    assert found == [{"temperature": 0.1}, {"temperature": 0.9}]


async def test_what_is_not_to_be_kept_is_not_kept(platform: Platform, api: str) -> None:
    platform.reply("Hello.")
    agent = Agent(name="a", instructions="Secret instructions.")
    config = RunConfig(trace_include_sensitive_data=False)
    request = open_trace(await Runner.run(agent, "Hi", run_config=config)).calls[0].request
    assert request["body"] is None
    assert request["incomplete"] == "What was said wasn't recorded (trace_include_sensitive_data=False)."
    assert "Secret" not in str(request)


async def test_what_the_size_limit_cut_is_said_to_be_missing(
    platform: Platform, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTKIT_TRACE_MAX_BYTES", "2000")
    platform.reply("Hello.")
    request = open_trace(await Runner.run(Agent(name="a"), "long " * 5_000)).calls[0].request
    assert request["body"] != platform.bodies[0]
    assert request["incomplete"] == "Long texts were cut by the store's size limit."


async def test_messages_begin_with_the_instructions(platform: Platform, api: str) -> None:
    platform.reply(calling("get_weather", city="Tokyo")).reply("Sunny.")
    trace = open_trace(await Runner.run(Agent(name="a", instructions="Be brief.", tools=[get_weather]), "Hi"))
    assert [item.get("role") or item["type"] for item in trace.calls[1].messages] == [
        "system",
        "user",
        "function_call",
        "function_call_output",
    ]
    assert trace.calls[1].messages[0] == {"role": "system", "content": "Be brief."}
