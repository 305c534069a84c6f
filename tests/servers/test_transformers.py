"""Both adapters against `transformers serve` with a model of random weights: real tokens, no sense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from agentkit import Agent, ModelBehaviorError, ModelSettings, ModelStatusError, Runner, connect, function_tool

SHORT = ModelSettings(max_tokens=16, temperature=0.0)


class Weather(BaseModel):
    city: str


@function_tool
def get_weather(city: str) -> str:
    """Get the weather."""
    return f"Sunny in {city}."


@pytest.fixture(autouse=True)
def connected(transformers_serve: str, tiny_model: Path, api: Any) -> None:
    connect(transformers_serve, api=api, model=str(tiny_model))


async def test_a_plain_and_a_streamed_answer() -> None:
    agent = Agent(name="a", instructions="Be brief.", model_settings=SHORT)
    plain = await Runner.run(agent, "What is the weather in Oslo?")
    assert plain.usage.output_tokens > 0
    result = Runner.run_streamed(agent, "What is the weather in Oslo?")
    text = ""
    async for event in result.stream_events():
        if event.type == "raw_response_event":
            TypeAdapter(ResponseStreamEvent).validate_python(event.json)
            if event.json["type"] == "response.output_text.delta":
                text += event.json["delta"]
    assert text == result.final_output != ""
    assert result.usage.output_tokens == plain.usage.output_tokens
    # the server's own streams leave out bytes at the end that are no whole character
    assert plain.final_output.rstrip("�").startswith(result.final_output.rstrip("�"))


async def test_the_conversation_goes_on() -> None:
    agent = Agent(name="a", model_settings=SHORT)
    first = await Runner.run(agent, "Hello")
    second = await Runner.run(agent, [*first.to_input_list(), {"role": "user", "content": "And now?"}])
    assert second.usage.input_tokens > first.usage.input_tokens


async def test_tools_and_settings_are_accepted() -> None:
    settings = ModelSettings(max_tokens=16, temperature=0.5, top_p=0.9, parallel_tool_calls=False, metadata={"a": "b"})
    result = await Runner.run(Agent(name="a", tools=[get_weather], model_settings=settings), "Hello")
    assert [item.type for item in result.new_items] == ["message_output_item"]


async def test_an_answer_that_is_not_of_the_output_type_is_an_error_that_shows_it() -> None:
    with pytest.raises(ModelBehaviorError, match="The model's answer is no Weather"):
        await Runner.run(Agent(name="a", output_type=Weather, model_settings=SHORT), "Oslo")


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_model_that_it_does_not_have_is_an_error(streamed: bool) -> None:
    agent = Agent(name="a", model="/no/such/model", model_settings=SHORT)
    with pytest.raises(ModelStatusError, match=r"answered 400: Server is pinned to .*; requested '/no/such/model'"):
        if streamed:
            async for _ in Runner.run_streamed(agent, "Hello").stream_events():
                pass
        else:
            await Runner.run(agent, "Hello")
