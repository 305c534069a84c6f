from agentkit import Agent, RunConfig, Runner, ToolErrorFormatterArgs, function_tool


def say_it(args: ToolErrorFormatterArgs[None]) -> str | None:
    if args.kind == "tool_not_found":
        return f"Tool '{args.tool_name}' is not available. Choose one of the listed tools."
    return None


@function_tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return f"It is sunny in {city}."


agent = Agent(name="Assistant", tools=[get_weather])
result = Runner.run_sync(
    agent,
    "Handle this request with the available tools.",
    run_config=RunConfig(tool_not_found_behavior="return_error_to_model", tool_error_formatter=say_it),
)
print(result.final_output)
