import asyncio

from agentkit import Agent, RunConfig, Runner, function_tool


@function_tool
async def run_my_agent(question: str) -> str:
    """Ask the calculator agent, with a configuration of its own."""
    agent = Agent(name="My agent", instructions="Work out what is asked.")

    result = await Runner.run(
        agent,
        input=question,
        max_turns=5,
        run_config=RunConfig(workflow_name="Inner"),
    )

    return str(result.final_output)


agent = Agent(name="Outer", instructions="First call the `run_my_agent` tool, then answer.", tools=[run_my_agent])


async def main():
    result = await Runner.run(agent, "What is 6 times 7?")
    print([item.output for item in result.new_items if item.type == "tool_call_output_item"])


asyncio.run(main())
