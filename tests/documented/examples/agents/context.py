import asyncio
from dataclasses import dataclass

from agentkit import Agent, RunContextWrapper, Runner, function_tool


@dataclass
class Purchase:
    name: str
    price: float


@dataclass
class UserContext:
    uid: str
    is_pro_user: bool

    async def fetch_purchases(self) -> list[Purchase]:
        return [Purchase("lamp", 20.5), Purchase("desk", 140)]


@function_tool
async def list_purchases(context: RunContextWrapper[UserContext]) -> str:
    """List what the user has bought."""
    bought = await context.context.fetch_purchases()
    return ", ".join(f"{purchase.name} for {purchase.price}" for purchase in bought)


agent = Agent[UserContext](
    name="Shop",
    instructions="Help the user with their purchases.",
    tools=[list_purchases],
)


async def main():
    result = await Runner.run(agent, "List my purchases", context=UserContext("u1", is_pro_user=True))
    print(result.final_output)


asyncio.run(main())
