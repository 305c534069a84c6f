import asyncio

from agentkit import SQLiteSession


async def main():
    session = SQLiteSession("user_123", "conversations.db")

    # Get all items in a session
    print(await session.get_items())

    # Add new items to a session
    new_items = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi there!"},
    ]
    await session.add_items(new_items)
    print(await session.get_items(limit=1))

    # Remove and return the most recent item
    last_item = await session.pop_item()
    print(last_item)

    # Clear all items from a session
    await session.clear_session()
    print(await session.get_items(), await session.pop_item())


asyncio.run(main())
