from typing import Any

from agentkit import Agent, FunctionToolResult, RunContextWrapper, Runner, ToolsToFinalOutputResult, function_tool


@function_tool
def get_weather(city: str) -> str:
    """Return weather info for the specified city."""
    return f"The weather in {city} is {'rainy' if city == 'Bergen' else 'sunny'}"


def custom_tool_handler(
    context: RunContextWrapper[Any], tool_results: list[FunctionToolResult]
) -> ToolsToFinalOutputResult:
    """Take the first sunny result as the answer."""
    for result in tool_results:
        if result.output and "sunny" in result.output:
            return ToolsToFinalOutputResult(is_final_output=True, final_output=f"Final weather: {result.output}")
    return ToolsToFinalOutputResult(is_final_output=False, final_output=None)


agent = Agent(
    name="Weather Agent",
    instructions="Retrieve weather details.",
    tools=[get_weather],
    tool_use_behavior=custom_tool_handler,
)

for city in ("Oslo", "Bergen"):
    result = Runner.run_sync(agent, f"How is the weather in {city}?")
    print(len(result.raw_responses), result.final_output)
