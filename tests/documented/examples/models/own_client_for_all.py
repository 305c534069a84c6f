import asyncio
import os

from openai import AsyncOpenAI

from agentkit import (
    Agent,
    Runner,
    function_tool,
    set_default_openai_api,
    set_default_openai_client,
    set_tracing_disabled,
)

client = AsyncOpenAI(base_url=os.environ["MY_BASE_URL"], api_key=os.environ["MY_API_KEY"])
set_default_openai_client(client=client, use_for_tracing=False)
set_default_openai_api("chat_completions")
set_tracing_disabled(disabled=True)


@function_tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return f"The weather in {city} is sunny."


async def main():
    agent = Agent(
        name="Assistant",
        instructions="You are a helpful assistant.",
        model="rehearsal-1",
        tools=[get_weather],
    )
    result = await Runner.run(agent, "What's the weather in Tokyo?")
    print(result.final_output)


asyncio.run(main())
