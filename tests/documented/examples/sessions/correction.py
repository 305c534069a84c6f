import asyncio

from agentkit import Agent, Runner, SQLiteSession


async def main():
    agent = Agent(name="Assistant")
    session = SQLiteSession("correction_example")

    # Initial conversation
    result = await Runner.run(agent, "What's 2 + 2?", session=session)
    print(f"Agent: {result.final_output}")

    # User wants to correct their question
    assistant_item = await session.pop_item()  # Remove agent's response
    user_item = await session.pop_item()  # Remove user's question
    print(assistant_item["role"], user_item)

    # Ask a corrected question
    result = await Runner.run(agent, "What's 2 + 3?", session=session)
    print(f"Agent: {result.final_output}")
    print(len(await session.get_items()))


asyncio.run(main())
