import asyncio
from dataclasses import dataclass

from agentkit import Agent, RunContextWrapper, Runner


@dataclass
class UserContext:
    name: str


def dynamic_instructions(context: RunContextWrapper[UserContext], agent: Agent[UserContext]) -> str:
    return f"The user's name is {context.context.name}. Help them with their questions."


async def fetched_instructions(context: RunContextWrapper[UserContext], agent: Agent[UserContext]) -> str:
    await asyncio.sleep(0)
    return f"You are {agent.name}. The user's name is {context.context.name}."


async def main():
    for instructions in (dynamic_instructions, fetched_instructions):
        agent = Agent[UserContext](name="Triage agent", instructions=instructions)
        result = await Runner.run(agent, "What is my name?", context=UserContext("Ada"))
        print(result.final_output)


asyncio.run(main())
