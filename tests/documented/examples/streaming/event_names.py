import asyncio

from agentkit import Agent, Runner, function_tool


@function_tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return f"It is sunny in {city}."


weather_agent = Agent(name="Weather agent", instructions="Tell the weather.", tools=[get_weather])
triage_agent = Agent(
    name="Triage agent", instructions="Send weather questions to the weather agent.", handoffs=[weather_agent]
)


async def main():
    result = Runner.run_streamed(triage_agent, "How is the weather in Rome?")
    print(result.is_complete, result.current_agent.name)
    async for event in result.stream_events():
        if event.type == "agent_updated_stream_event":
            print("agent:", event.new_agent.name)
        elif event.type == "run_item_stream_event":
            print(event.name, event.item.type)
    print(result.is_complete, result.current_agent.name, result.current_turn, result.final_output)


asyncio.run(main())
