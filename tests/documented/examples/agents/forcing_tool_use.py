from agentkit import Agent, ModelSettings, Runner, function_tool


@function_tool
def get_weather(city: str) -> str:
    """Return weather info for the specified city."""
    return f"The weather in {city} is sunny"


@function_tool
def get_time(city: str) -> str:
    """Return the time of day in a city."""
    return f"It is noon in {city}"


for tool_choice in ("get_time", "required", "none", "auto"):
    agent = Agent(
        name="Weather Agent",
        instructions="Retrieve weather details.",
        tools=[get_weather, get_time],
        model_settings=ModelSettings(tool_choice=tool_choice),
    )
    result = Runner.run_sync(agent, "How is the weather in Oslo?")
    print(tool_choice, [item.raw_item.name for item in result.new_items if item.type == "tool_call_item"])
