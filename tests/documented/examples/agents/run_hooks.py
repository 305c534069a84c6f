import asyncio
from typing import Any

from agentkit import Agent, RunContextWrapper, RunHooks, Runner, Tool, function_tool


class ExampleHooks(RunHooks):
    def __init__(self):
        self.event_counter = 0

    def _say(self, text: str) -> None:
        self.event_counter += 1
        print(f"### {self.event_counter}: {text}")

    async def on_agent_start(self, context: RunContextWrapper, agent: Agent) -> None:
        self._say(f"Agent {agent.name} started after {context.usage.requests} requests")

    async def on_llm_start(self, context: RunContextWrapper, agent: Agent, system_prompt, input_items) -> None:
        self._say(f"LLM started with {system_prompt!r}")

    async def on_llm_end(self, context: RunContextWrapper, agent: Agent, response) -> None:
        self._say(f"LLM ended with {len(response.output)} item")

    async def on_agent_end(self, context: RunContextWrapper, agent: Agent, output: Any) -> None:
        self._say(f"Agent {agent.name} ended with {output!r} after {context.usage.requests} requests")

    async def on_tool_start(self, context: RunContextWrapper, agent: Agent, tool: Tool) -> None:
        self._say(f"Tool {tool.name} started")

    async def on_tool_end(self, context: RunContextWrapper, agent: Agent, tool: Tool, result: str) -> None:
        self._say(f"Tool {tool.name} ended with {result!r}")

    async def on_handoff(self, context: RunContextWrapper, from_agent: Agent, to_agent: Agent) -> None:
        self._say(f"Handoff from {from_agent.name} to {to_agent.name}")


@function_tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return f"It is sunny in {city}."


weather_agent = Agent(name="Weather agent", instructions="Tell the weather.", tools=[get_weather])
start_agent = Agent(
    name="Start agent", instructions="Send weather questions to the weather agent.", handoffs=[weather_agent]
)


async def main():
    await Runner.run(start_agent, hooks=ExampleHooks(), input="How is the weather in Rome?")


asyncio.run(main())
