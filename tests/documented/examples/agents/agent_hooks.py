import asyncio
from typing import Any

from agentkit import Agent, AgentHooks, RunContextWrapper, Runner, Tool, function_tool


class CustomAgentHooks(AgentHooks):
    def __init__(self, display_name: str):
        self.event_counter = 0
        self.display_name = display_name

    async def on_start(self, context: RunContextWrapper, agent: Agent) -> None:
        self.event_counter += 1
        print(f"({self.display_name}) {self.event_counter}: {agent.name} started")

    async def on_end(self, context: RunContextWrapper, agent: Agent, output: Any) -> None:
        self.event_counter += 1
        print(f"({self.display_name}) {self.event_counter}: {agent.name} ended with {output!r}")

    async def on_handoff(self, context: RunContextWrapper, agent: Agent, source: Agent) -> None:
        self.event_counter += 1
        print(f"({self.display_name}) {self.event_counter}: {source.name} handed off to {agent.name}")

    async def on_tool_start(self, context: RunContextWrapper, agent: Agent, tool: Tool) -> None:
        self.event_counter += 1
        print(f"({self.display_name}) {self.event_counter}: {agent.name} started {tool.name}")

    async def on_tool_end(self, context: RunContextWrapper, agent: Agent, tool: Tool, result: str) -> None:
        self.event_counter += 1
        print(f"({self.display_name}) {self.event_counter}: {agent.name} ended {tool.name} with {result}")


@function_tool
def multiply_by_two(x: int) -> int:
    """Multiply a number by two."""
    return x * 2


multiply_agent = Agent(
    name="Multiply Agent",
    instructions="Multiply the number by 2 and then return the final result.",
    tools=[multiply_by_two],
    hooks=CustomAgentHooks(display_name="Multiply"),
)

start_agent = Agent(
    name="Start Agent",
    instructions="If they ask to multiply, hand off to the multiply agent.",
    handoffs=[multiply_agent],
    hooks=CustomAgentHooks(display_name="Start"),
)


async def main():
    result = await Runner.run(start_agent, input="Multiply 21 by two")
    print(result.last_agent.name)


asyncio.run(main())
