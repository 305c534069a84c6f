import asyncio

from agentkit import Agent, Runner
from agentkit.extensions.memory import SQLAlchemySession


async def main():
    agent = Agent(name="Assistant")
    session = SQLAlchemySession.from_url("user-123", url="sqlite+aiosqlite:///:memory:", create_tables=True)
    await Runner.run(agent, "My name is Ada.", session=session)
    print((await Runner.run(agent, "What is my name?", session=session)).final_output)


asyncio.run(main())
