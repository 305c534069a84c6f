from agentkit import Agent, Runner, enable_verbose_stdout_logging, function_tool

enable_verbose_stdout_logging()


@function_tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return f"It is sunny in {city}."


agent = Agent(name="Weather", instructions="Tell the weather.", tools=[get_weather])
print(Runner.run_sync(agent, "How is the weather in Oslo?").final_output)
