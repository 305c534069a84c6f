from agentkit import Agent, Runner, StopAtTools, function_tool


@function_tool
def get_weather(city: str) -> str:
    """Return weather info for the specified city."""
    return f"The weather in {city} is sunny"


@function_tool
def sum_numbers(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


agent = Agent(
    name="Stop At Weather Agent",
    instructions="Get weather or sum numbers.",
    tools=[get_weather, sum_numbers],
    tool_use_behavior=StopAtTools(stop_at_tool_names=["get_weather"]),
)

for question in ("How is the weather in Oslo?", "Add 2 and 3"):
    result = Runner.run_sync(agent, question)
    print(len(result.raw_responses), result.final_output)
