import asyncio
from typing import Any

from agentkit import Agent, RunContextWrapper, RunHooks, Runner, SQLiteSession, function_tool


class MyHooks(RunHooks):
    async def on_agent_end(self, context: RunContextWrapper, agent: Agent, output: Any) -> None:
        u = context.usage
        print(f"{agent.name} → {u.requests} requests, {u.total_tokens} total tokens")


@function_tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return f"It is sunny in {city}."


agent = Agent(name="Weather", instructions="Tell the weather.", tools=[get_weather])


async def main():
    session = SQLiteSession("my_conversation")
    result = await Runner.run(agent, "What's the weather in Tokyo?", hooks=MyHooks(), session=session)
    usage = result.context_wrapper.usage
    print("Requests:", usage.requests)
    print("Input tokens:", usage.input_tokens)
    print("Output tokens:", usage.output_tokens)
    print("Total tokens:", usage.total_tokens)
    print("Details:", usage.input_tokens_details.cached_tokens, usage.output_tokens_details.reasoning_tokens)
    for i, request in enumerate(usage.request_usage_entries):
        print(f"Request {i + 1}: {request.input_tokens} in, {request.output_tokens} out")

    # The next run's usage is its own.
    again = await Runner.run(agent, "Thanks!", session=session)
    print("Requests:", again.context_wrapper.usage.requests)


asyncio.run(main())
