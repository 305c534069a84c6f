import asyncio

from agentkit import Agent, Runner, SQLiteSession


async def main():
    # Create an agent
    agent = Agent(
        name="Assistant",
        instructions="Reply very concisely.",
    )

    # Create a session instance that persists across runs
    session = SQLiteSession("conversation_123", "conversation_history.db")

    print("User: My cat is called Tom.")
    result = await Runner.run(agent, "My cat is called Tom.", session=session)
    print(f"Assistant: {result.final_output}")

    # Second turn, from the file: the agent remembers the conversation
    session = SQLiteSession("conversation_123", "conversation_history.db")
    print("User: What is my cat called?")
    result = await Runner.run(agent, "What is my cat called?", session=session)
    print(f"Assistant: {result.final_output}")
    print(len(await session.get_items()))


asyncio.run(main())
