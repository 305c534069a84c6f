import asyncio

from agentkit import Agent, RunConfig, Runner, SessionSettings, SQLiteSession


def keep_recent_history(history, new_input):
    # Keep only the last two history items, then append the new turn.
    return history[-2:] + new_input


async def main():
    agent = Agent(name="Assistant")
    session = SQLiteSession("conversation_123")
    await session.add_items([{"role": "user", "content": f"Message {number}"} for number in range(10)])
    await Runner.run(
        agent,
        "Continue from here.",
        session=session,
        run_config=RunConfig(session_input_callback=keep_recent_history),
    )
    await Runner.run(
        agent,
        "And on.",
        session=session,
        run_config=RunConfig(session_settings=SessionSettings(limit=3)),
    )
    print(len(await session.get_items()))


asyncio.run(main())
