import asyncio

from agentkit import Agent, run_demo_loop


async def main() -> None:
    agent = Agent(name="Assistant", instructions="You are a helpful assistant.")
    await run_demo_loop(agent)


if __name__ == "__main__":
    asyncio.run(main())
