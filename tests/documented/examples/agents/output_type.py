import asyncio

from pydantic import BaseModel

from agentkit import Agent, Runner


class CalendarEvent(BaseModel):
    name: str
    date: str
    participants: list[str]


agent = Agent(
    name="Calendar extractor",
    instructions="Extract calendar events from text",
    output_type=CalendarEvent,
)


async def main():
    result = await Runner.run(agent, "Alice and Bob are going to a science fair on Friday.")
    print(type(result.final_output).__name__, result.final_output.participants, result.final_output.date)


asyncio.run(main())
