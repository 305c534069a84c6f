from typing import Any

import pytest

from agentkit import Agent, BudgetExceeded, ModelResponse, RunConfig, Runner, Usage, UserError, function_tool
from agentkit.testing import ScriptedModel, call


@function_tool
def look() -> str:
    return "seen"


def agent(*replies: Any, model: str = "gpt-4.1-mini", name: str = "a", **options: Any) -> Agent[Any]:
    scripted = ScriptedModel(*replies)
    scripted.model = model
    return Agent(name=name, model=scripted, tools=[look], **options)


async def test_cost_is_known_for_each_agent_and_model() -> None:
    second = agent("Done", name="b", model="gpt-4.1")
    first = agent(call("look"), call("transfer_to_b"), handoffs=[second])
    result = await Runner.run(first, "Look")
    frame = result.costs()
    assert list(zip(frame.agent, frame.model, frame.requests, strict=True)) == [
        ("a", "gpt-4.1-mini", 2), ("b", "gpt-4.1", 1),
    ]  # fmt: skip
    assert result.cost_usd == pytest.approx(frame.cost_usd.sum())
    assert result.cost_usd is not None
    assert result.cost_usd > 0
    assert result.costs("model").columns[0] == "model"
    assert frame.dtypes["total_tokens"] == "int64"


async def test_the_cost_of_an_unknown_model_is_unknown() -> None:
    result = await Runner.run(agent("Done", model="house-model"), "Look")
    assert (result.cost_usd, result.costs().cost_usd.isna().tolist()) == (None, [True])


async def test_a_token_budget_stops_before_the_next_call_and_the_run_goes_on_from_there() -> None:
    looker = agent(call("look"), "Done")
    with pytest.raises(BudgetExceeded, match=r"used \d+ of 1 tokens") as caught:
        await Runner.run(looker, "Look around", run_config=RunConfig(budget_tokens=1))
    stopped = caught.value
    assert stopped.run_data is not None
    assert (stopped.run_data.status, stopped.limit, len(stopped.run_data.new_items)) == ("budget", 1, 2)
    assert (await Runner.run(looker, stopped.run_data.to_state())).final_output == "Done"


async def test_a_budget_in_dollars_stops_too() -> None:
    with pytest.raises(BudgetExceeded, match=r"\(budget_usd\)"):
        await Runner.run(agent(call("look"), "Done"), "Look around here", run_config=RunConfig(budget_usd=1e-9))


async def test_a_budget_in_dollars_needs_a_price() -> None:
    looker = agent("Done", model="house-model")
    with pytest.raises(UserError, match="price of model 'house-model' isn't known.*set_price.*budget_tokens"):
        await Runner.run(looker, "Look", run_config=RunConfig(budget_usd=1))
    assert isinstance(looker.model, ScriptedModel)
    assert looker.model.requests == []


async def test_a_budget_in_dollars_needs_a_server_that_counts() -> None:
    class Silent(ScriptedModel):
        async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
            response = await super().get_response(*args, **kwargs)
            return ModelResponse(response.raw_output, Usage(1))

    silent = Silent(call("look"), "Done")
    silent.model = "gpt-4.1"
    with pytest.raises(UserError, match="server of 'gpt-4.1' doesn't say how many tokens"):
        await Runner.run(Agent(name="a", model=silent, tools=[look]), "Look", run_config=RunConfig(budget_usd=1))


@pytest.mark.parametrize("budget", [-1, "5", True])
def test_a_budget_that_is_none_is_refused(budget: Any) -> None:
    with pytest.raises(UserError, match="budget_usd has to be a number of 0 or more"):
        RunConfig(budget_usd=budget)


@pytest.mark.parametrize("own", [None, {}])
async def test_a_budget_holds_for_agents_used_as_tools_side_by_side(own: Any) -> None:
    def helper(name: str) -> Any:
        return agent(*[call("look")] * 9, "Done", name=name).as_tool(f"ask_{name}", "Helps", run_config=own)

    tools = [helper(name) for name in "wxyz"]
    model = ScriptedModel([call(f"ask_{name}", input="x" * 400) for name in "wxyz"], "Done")
    outer = Agent(name="outer", model=model, tools=tools)
    with pytest.raises(BudgetExceeded) as caught:
        await Runner.run(outer, "Go", run_config=RunConfig(budget_tokens=300))
    assert caught.value.run_data is not None
    assert caught.value.run_data.usage.total_tokens < 1000
