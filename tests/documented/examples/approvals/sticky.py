import asyncio

from agentkit import Agent, Runner, RunState, function_tool


@function_tool(needs_approval=True)
async def delete_file(name: str) -> str:
    """Delete a file."""
    return f"{name} is deleted."


agent = Agent(name="Tidy", instructions="Delete files.", tools=[delete_file])


async def main():
    result = await Runner.run(agent, "Tidy up")
    pauses = 0
    while result.interruptions:
        pauses += 1
        state = await RunState.from_string(agent, result.to_state().to_string())
        for interruption in result.interruptions:
            state.approve(interruption, always_approve=True)
        result = await Runner.run(agent, state)
    print(pauses, [item.output for item in result.new_items if item.type == "tool_call_output_item"])
    print(result.final_output)


asyncio.run(main())
