import asyncio

from agentkit import Agent, Runner, RunResult, ToolCallOutputItem, function_tool


@function_tool
def get_figures(city: str) -> str:
    """Return the figures of a city as JSON."""
    return '{"inhabitants": 709000}' if city == "Oslo" else "nothing known"


data_agent = Agent(name="Data agent", instructions="Get the figures of the city.", tools=[get_figures])


async def extract_json_payload(run_result: RunResult) -> str:
    # Go back through what the agent did until a tool gave something like JSON.
    for item in reversed(run_result.new_items):
        if isinstance(item, ToolCallOutputItem) and item.output.strip().startswith("{"):
            return item.output.strip()
    # Fallback to an empty JSON object if nothing was found
    return "{}"


json_tool = data_agent.as_tool(
    tool_name="get_data_json",
    tool_description="Run the data agent on a city and return only its JSON payload",
    custom_output_extractor=extract_json_payload,
)

agent = Agent(name="Clerk", instructions="Use the data tool.", tools=[json_tool])


async def main():
    for city in ("Oslo", "Rome"):
        result = await Runner.run(agent, f"Get the JSON payload of {city}")
        print([item.output for item in result.new_items if isinstance(item, ToolCallOutputItem)])


asyncio.run(main())
