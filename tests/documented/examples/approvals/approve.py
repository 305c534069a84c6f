import asyncio
import json
from pathlib import Path

from agentkit import Agent, Runner, RunState, function_tool


async def needs_oakland_approval(_ctx, params, _call_id) -> bool:
    return "Oakland" in params.get("city", "")


@function_tool(needs_approval=needs_oakland_approval)
async def get_temperature(city: str) -> str:
    """Return the temperature in a city."""
    return f"The temperature in {city} is 20° Celsius"


agent = Agent(
    name="Weather assistant",
    instructions="Answer weather questions with the provided tools.",
    tools=[get_temperature],
)

STATE_PATH = Path(".cache/hitl_state.json")


def prompt_approval(tool_name: str, arguments: str | None) -> bool:
    answer = input(f"Approve {tool_name} with {arguments}? [y/N]: ").strip().lower()
    return answer in {"y", "yes"}


async def main() -> None:
    for city in ("Oslo", "Oakland"):
        result = await Runner.run(agent, f"What is the temperature in {city}?")

        while result.interruptions:
            # Persist the paused state.
            state = result.to_state()
            STATE_PATH.parent.mkdir(parents=True, exist_ok=True)
            STATE_PATH.write_text(state.to_string())

            # Load the state later (could be a different process).
            stored = json.loads(STATE_PATH.read_text())
            state = await RunState.from_json(agent, stored)

            for interruption in result.interruptions:
                approved = await asyncio.get_running_loop().run_in_executor(
                    None, prompt_approval, interruption.name or "unknown_tool", interruption.arguments
                )
                if approved:
                    state.approve(interruption, always_approve=False)
                else:
                    state.reject(interruption)

            result = await Runner.run(agent, state)

        print(result.final_output)


if __name__ == "__main__":
    asyncio.run(main())
