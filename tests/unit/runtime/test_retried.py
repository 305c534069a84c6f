"""Runs whose model fails in passing."""

import asyncio
from typing import Any

import pytest

from agentkit import Agent, ModelRetrySettings, ModelSettings, RunConfig, Runner, function_tool, spans
from agentkit.exceptions import ModelConnectionError, ModelStatusError
from agentkit.testing import ScriptedModel, call

AT_ONCE = ModelSettings(retry=ModelRetrySettings(max_retries=2, backoff={"initial_delay": 0}))


@function_tool
def look() -> str:
    return "seen"


def busy() -> ModelStatusError:
    return ModelStatusError("The server is busy.", status_code=503)


def agent(*replies: Any) -> Agent[Any]:
    return Agent(name="a", model=ScriptedModel(*replies), model_settings=AT_ONCE, tools=[look])


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_run_goes_on_after_a_passing_failure_and_its_trace_shows_it(streamed: bool) -> None:
    looker = agent(busy(), call("look"), ConnectionResetError("reset"), busy(), "Done")
    if streamed:
        result: Any = Runner.run_streamed(looker, "Look")
        async for _ in result.stream_events():
            pass
    else:
        result = await Runner.run(looker, "Look")
    assert result.final_output == "Done"
    assert (result.usage.requests, result.to_input_list()[0]) == (2, {"role": "user", "content": "Look"})
    rows = spans(result).query("kind == 'generation'")
    assert [text.count('"delay_s":0.0') for text in rows["data"].fillna("")] == [1, 2]
    assert "The server is busy." in rows["data"].iloc[0]
    assert list(rows["status"]) == ["ok", "ok"]


async def test_the_trace_keeps_errors_to_itself_where_data_is_to_stay_out() -> None:
    result = await Runner.run(agent(busy(), "Done"), "Look", run_config=RunConfig(trace_include_sensitive_data=False))
    (data,) = spans(result).query("kind == 'generation'")["data"]
    assert "busy" not in data
    assert "ModelStatusError" in data


async def test_when_retries_are_used_up_the_error_holds_what_was_done() -> None:
    with pytest.raises(ModelStatusError, match=r"busy\. It was tried 3 times\.$") as caught:
        await Runner.run(agent(call("look"), busy(), busy(), busy()), "Look")
    assert caught.value.run_data is not None
    assert [item.type for item in caught.value.run_data.new_items] == ["tool_call_item", "tool_call_output_item"]


async def test_tools_do_not_run_again_when_the_call_after_them_is_retried() -> None:
    runs = 0

    @function_tool
    def count() -> int:
        nonlocal runs
        runs += 1
        return runs

    model = ScriptedModel(call("count"), busy(), "Done")
    await Runner.run(Agent(name="a", model=model, model_settings=AT_ONCE, tools=[count]), "Count")
    assert (runs, len(model.requests)) == (1, 3)


async def test_a_run_that_is_cancelled_while_it_waits_ends_at_once() -> None:
    model = ScriptedModel(ModelConnectionError("gone"), "Done")
    patient = ModelSettings(retry=ModelRetrySettings(backoff={"initial_delay": 3600, "max_delay": 3600}))
    task = asyncio.create_task(Runner.run(Agent(name="a", model=model, model_settings=patient), "Hi"))
    while not model.requests:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(model.requests) == 1
