import asyncio

from agentkit import Agent, Runner, function_tool

called = []


@function_tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    called.append(city)
    return f"It is sunny in {city}."


agent = Agent(name="Weather", instructions="Tell the weather.", tools=[get_weather])


async def main():
    # Let the turn end, then stop: the tool runs, the model is not asked again.
    result = Runner.run_streamed(agent, "How is the weather in Rome?")
    async for event in result.stream_events():
        if event.type == "run_item_stream_event" and event.name == "tool_called":
            result.cancel(mode="after_turn")
    print(called, result.is_complete, [item.type for item in result.new_items], len(result.raw_responses))

    # Go on from there.
    result = await Runner.run(agent, result.to_input_list())
    print(result.final_output)

    # Stop at once: nothing more is said.
    result = Runner.run_streamed(agent, "Please tell me 5 jokes.")
    pieces = 0
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            pieces += 1
            result.cancel()
    print(pieces, result.is_complete, result.final_output)


asyncio.run(main())
