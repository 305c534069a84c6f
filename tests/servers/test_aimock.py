"""Both adapters against aimock, which speaks both of OpenAI's APIs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from agentkit import (
    Agent,
    ModelConnectionError,
    ModelStatusError,
    Runner,
    RunResultBase,
    connect,
    function_tool,
)

Ask = Callable[..., Any]


class Weather(BaseModel):
    city: str
    sunny: bool


@function_tool
def get_weather(city: str) -> str:
    """Get the weather."""
    return f"Sunny in {city}."


@pytest.fixture(params=["plain", "streamed"])
def ask(request: pytest.FixtureRequest, aimock: str, api: Any) -> Ask:
    async def run(question: str, **fields: Any) -> RunResultBase:
        connect(aimock, api=api, model="gpt-5.4")
        agent = Agent[Any](name="a", **fields)
        if request.param == "plain":
            return await Runner.run(agent, question)
        result = Runner.run_streamed(agent, question)
        async for _ in result.stream_events():
            pass
        return result

    return run


async def test_an_answer(ask: Ask) -> None:
    result = await ask("hello")
    assert result.final_output == "Hello to you, and a long enough answer that it comes in several pieces."


async def test_two_tool_calls_at_once_after_some_text(ask: Ask) -> None:
    result = await ask("What is the weather like?", tools=[get_weather])
    assert [item.type for item in result.new_items] == [
        "message_output_item",
        "tool_call_item",
        "tool_call_item",
        "tool_call_output_item",
        "tool_call_output_item",
        "message_output_item",
    ]
    outputs = [item.output for item in result.new_items if item.type == "tool_call_output_item"]
    assert outputs == ["Sunny in Oslo.", "Sunny in Rome."]
    assert result.final_output == "Sunny in both cities, and warm in one of them."
    assert result.usage.requests == 2


async def test_what_the_model_thought_is_an_item(ask: Ask) -> None:
    result = await ask("think")
    assert [item.type for item in result.new_items] == ["reasoning_item", "message_output_item"]
    assert "It is forty-two." in str(result.new_items[0].raw_item)


async def test_an_output_type(ask: Ask) -> None:
    assert (await ask("give the city", output_type=Weather)).final_output == Weather(city="Oslo", sunny=True)


@pytest.mark.parametrize(
    ("question", "status", "said"), [("rate limit", 429, "Slow down"), ("fail", 503, "Out of order")]
)
async def test_an_error_is_raised_with_its_status_and_what_was_said(
    ask: Ask, question: str, status: int, said: str
) -> None:
    with pytest.raises(ModelStatusError, match=said) as caught:
        await ask(question)
    assert caught.value.status_code == status


async def test_a_stream_that_breaks_off_keeps_what_had_come(aimock: str, api: Any) -> None:
    connect(aimock, api=api, model="gpt-5.4")
    result = Runner.run_streamed(Agent(name="a"), "break off")
    with pytest.raises(ModelConnectionError, match=aimock):
        async for _ in result.stream_events():
            pass


async def test_streamed_and_plain_runs_have_the_same_output(aimock: str, api: Any) -> None:
    connect(aimock, api=api, model="gpt-5.4")
    agent = Agent[Any](name="a", tools=[get_weather])
    plain = await Runner.run(agent, "What is the weather like?")
    streamed = Runner.run_streamed(agent, "What is the weather like?")
    async for _ in streamed.stream_events():
        pass

    def without_ids(items: list[Any]) -> list[Any]:
        return [{key: value for key, value in item.items() if key != "id"} for item in items]

    assert without_ids(streamed.to_input_list()) == without_ids(plain.to_input_list())


async def test_chat_completions_become_valid_events_of_the_responses_api(aimock: str) -> None:
    connect(aimock, api="chat_completions", model="gpt-5.4")
    for question, tools in (("hello", []), ("weather", [get_weather]), ("think", [])):
        result = Runner.run_streamed(Agent[Any](name="a", tools=tools), question)
        async for event in result.stream_events():
            if event.type == "raw_response_event":
                TypeAdapter(ResponseStreamEvent).validate_python(event.json)


async def test_an_answer_cut_by_its_limit_says_so_in_chat_completions(aimock: str) -> None:
    connect(aimock, api="chat_completions", model="gpt-5.4")
    result = await Runner.run(Agent(name="a"), "too long")
    assert [response.incomplete for response in result.raw_responses] == ["max_output_tokens"]
    assert result.usage.total_tokens > 0
