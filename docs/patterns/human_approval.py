"""A person decides before a tool runs.

The paused run is plain JSON: it can wait in a file for days, and go on in another process.
"""

import asyncio
import tempfile
from pathlib import Path

import agentkit
from agentkit import Agent, Runner, RunState, function_tool


async def is_large(context, arguments, call_id) -> bool:
    return arguments["amount"] > 100


@function_tool(needs_approval=is_large)
def refund(order: int, amount: int) -> str:
    """Refund an amount of money for an order."""
    return f"{amount} euros are refunded for order {order}."


desk = Agent(name="Desk", instructions="You refund orders.", tools=[refund])


def ask_a_person(tool: str, arguments: str) -> bool:
    """Stand in for a person: `return input(f"{tool} {arguments}? [y/N] ") == "y"` would be a real one."""
    approved = "500" not in arguments
    print(f"  {tool} {arguments} waits for a person, who says {'yes' if approved else 'no'}")
    return approved


def keep(store: Path, state: str) -> None:
    store.write_text(state, encoding="utf-8")


def kept(store: Path) -> str:
    return store.read_text(encoding="utf-8")


async def handle(request: str, store: Path) -> None:
    print(request)
    result = await Runner.run(desk, request)
    while result.interruptions:
        keep(store, result.to_state().to_string())
        state = await RunState.from_string(desk, kept(store))  # days later perhaps, in another process
        for waiting in result.interruptions:
            if ask_a_person(waiting.name, waiting.arguments):
                state.approve(waiting)
            else:
                state.reject(waiting, rejection_message="A refund this large was not approved.")
        result = await Runner.run(desk, state)
    print(f"  Desk: {result.final_output}")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for amount in (20, 200, 500):
            await handle(f"Refund order 7, amount {amount}", Path(folder) / "state.json")


if __name__ == "__main__":
    agentkit.connect()  # OpenAI where there is a key, else the embedded platform
    asyncio.run(main())
