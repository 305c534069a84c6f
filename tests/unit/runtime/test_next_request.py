"""The request that a run would begin with: the same as the run then sends, and nothing is sent or changed for it."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from agentkit import Agent, ModelSettings, OpenAIResponsesModel, RunConfig, Runner, SQLiteSession, function_tool
from agentkit.exceptions import UserError
from agentkit.runtime import AgentHooks
from agentkit.runtime.next_request import next_request
from agentkit.testing import ScriptedModel


@function_tool
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def instructions(context: Any, agent: Agent[Any]) -> str:
    return f"You help in {context.context}."


def agent(model: ScriptedModel) -> Agent[Any]:
    other = Agent(name="other", handoff_description="Others.")
    settings = ModelSettings(temperature=0.5)
    return Agent(
        name="a", instructions=instructions, model=model, tools=[add], handoffs=[other], model_settings=settings
    )


async def test_it_is_what_the_run_then_sends() -> None:
    model, session = ScriptedModel("One.", "Two."), SQLiteSession("s")
    asked = agent(model)
    config = RunConfig(model_settings=ModelSettings(max_tokens=9))
    await Runner.run(asked, "First?", context="Oslo", session=session)
    would = await next_request(asked, "Second?", context="Oslo", session=session, run_config=config)
    assert len(model.requests) == 1
    await Runner.run(asked, "Second?", context="Oslo", session=session, run_config=config)
    sent = model.requests[-1]
    assert would.arguments["system_instructions"] == sent.system_instructions == "You help in Oslo."
    assert would.arguments["input"] == sent.input
    assert would.arguments["model_settings"] == sent.model_settings
    assert [tool.name for tool in would.arguments["tools"]] == ["add"]
    assert "add" in sent.tools
    assert [handoff.tool_name for handoff in would.arguments["handoffs"]] == ["transfer_to_other"]
    assert (would.agent, would.model, would.earlier) == (asked, model, 2)
    session.close()


async def test_the_session_is_only_read() -> None:
    session = SQLiteSession("s")
    await session.add_items([{"role": "user", "content": "Hi."}])
    await next_request(agent(ScriptedModel()), "More?", context="Oslo", session=session)
    assert await session.get_items() == [{"role": "user", "content": "Hi."}]
    session.close()


async def test_hooks_and_guardrails_are_left_alone() -> None:
    class Never(AgentHooks[Any]):
        async def on_start(self, context: Any, agent: Any) -> None:
            raise AssertionError("a hook was called")

    asked = agent(ScriptedModel())
    asked.hooks = Never()
    would = await next_request(asked, "Hi?", context="Oslo")
    assert would.body is None
    assert would.address == ""


async def test_a_name_and_password_in_the_address_are_not_told() -> None:
    client = openai.AsyncOpenAI(api_key="k", base_url="http://me:secret@localhost:1/v1?token=t")
    would = await next_request(Agent(name="a", model=OpenAIResponsesModel("m", client)), "Hi?")
    assert would.address == "POST http://localhost:1/v1/responses"
    assert would.body is not None
    assert would.body["model"] == "m"
    await client.close()


async def test_a_run_that_could_not_begin_is_an_error() -> None:
    twice = Agent(name="a", model=ScriptedModel())
    twice.tools = [add, add]
    with pytest.raises(UserError, match="two tools or handoffs named 'add'"):
        await next_request(twice, "Hi?")
