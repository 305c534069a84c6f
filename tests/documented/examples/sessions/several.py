import asyncio

from agentkit import Agent, Runner, SQLiteSession


async def main():
    agent = Agent(name="Assistant")

    # Different sessions keep separate conversations
    session_1 = SQLiteSession("user_123", "conversations.db")
    session_2 = SQLiteSession("user_456", "conversations.db")
    await Runner.run(agent, "My name is Ada.", session=session_1)
    await Runner.run(agent, "My name is Grace.", session=session_2)
    for session in (session_1, session_2):
        print((await Runner.run(agent, "What is my name?", session=session)).final_output)

    # Different agents can share a session
    billing_agent = Agent(name="Billing")
    print((await Runner.run(billing_agent, "What is my name?", session=session_1)).final_output)


asyncio.run(main())
