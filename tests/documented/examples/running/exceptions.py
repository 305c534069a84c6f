import asyncio

from agentkit import Agent, AgentsException, MaxTurnsExceeded, Runner, UserError, function_tool, handoff


@function_tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return f"It is sunny in {city}."


agent = Agent(name="Weather", instructions="Tell the weather.", tools=[get_weather])


async def main():
    try:
        await Runner.run(agent, "How is the weather in Oslo?", max_turns=1)
    except MaxTurnsExceeded as error:
        print(isinstance(error, AgentsException), "after", [item.type for item in error.run_data.new_items])
        print(error.run_data.last_agent.name, "was asked:", error.run_data.input)
    try:
        handoff(agent, input_type=str)  # with nobody to take the input
    except UserError as error:
        print(isinstance(error, AgentsException))


asyncio.run(main())
