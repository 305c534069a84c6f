import asyncio

from agentkit import Agent, Runner, SessionABC, TResponseInputItem


class MyCustomSession(SessionABC):
    """A session in a list."""

    def __init__(self, session_id: str):
        self.session_id = session_id
        self.items: list[TResponseInputItem] = []

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Retrieve conversation history for this session."""
        return list(self.items if limit is None else self.items[-limit:])

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Store new items for this session."""
        self.items += items

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the most recent item from this session."""
        return self.items.pop() if self.items else None

    async def clear_session(self) -> None:
        """Clear all items for this session."""
        self.items.clear()


async def main():
    agent = Agent(name="Assistant")
    session = MyCustomSession("my_session")
    await Runner.run(agent, "My name is Ada.", session=session)
    result = await Runner.run(agent, "What is my name?", session=session)
    print(result.final_output)
    print([item["role"] for item in session.items])


asyncio.run(main())
