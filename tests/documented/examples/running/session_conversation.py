import asyncio

from agentkit import Agent, Runner, SQLiteSession, trace


async def main():
    agent = Agent(name="Assistant", instructions="Reply very concisely.")

    # Create session instance
    session = SQLiteSession("conversation_123")

    thread_id = "thread_123"
    with trace(workflow_name="Conversation", group_id=thread_id):
        # First turn
        result = await Runner.run(agent, "My name is Ada and I live in Oslo.", session=session)
        print(result.final_output)

        # Second turn: the agent remembers the first by itself
        result = await Runner.run(agent, "What is my name?", session=session)
        print(result.final_output)


asyncio.run(main())
