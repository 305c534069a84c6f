from agentkit import Agent, ModelSettings, Runner, function_tool


@function_tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return f"The weather in {city} is sunny"


agent = Agent(
    name="Haiku agent",
    instructions="Always respond in haiku form",
    model="o3-mini",
    model_settings=ModelSettings(temperature=0.7, top_p=0.9),
    tools=[get_weather],
)

result = Runner.run_sync(agent, "What's the weather in Oslo?")
print([item.output for item in result.new_items if item.type == "tool_call_output_item"])
print(result.final_output)
