from agentkit import Agent, Runner, ToolContext, function_tool


@function_tool
def get_weather(ctx: ToolContext[dict], city: str) -> str:
    """Return the weather in a city."""
    print(ctx.tool_name, ctx.tool_arguments, bool(ctx.tool_call_id), ctx.context["unit"], ctx.agent.name)
    return f"17 {ctx.context['unit']} in {city}"


agent = Agent(name="Weather", instructions="Tell the weather.", tools=[get_weather])
print(Runner.run_sync(agent, "How is the weather in Rome?", context={"unit": "°C"}).final_output)
