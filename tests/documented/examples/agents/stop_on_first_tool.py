from agentkit import Agent, Runner, function_tool


@function_tool
def get_weather(city: str) -> str:
    """Return weather info for the specified city."""
    return f"The weather in {city} is sunny"


agent = Agent(
    name="Weather Agent",
    instructions="Retrieve weather details.",
    tools=[get_weather],
    tool_use_behavior="stop_on_first_tool",
)

result = Runner.run_sync(agent, "How is the weather in Oslo?")
print(result.final_output)
print(len(result.raw_responses), [item.type for item in result.new_items])
