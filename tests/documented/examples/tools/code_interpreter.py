import asyncio

from agentkit import Agent, CodeInterpreterTool, Runner

agent = Agent(
    name="Code interpreter",
    instructions="You love doing math.",
    tools=[CodeInterpreterTool(tool_config={"type": "code_interpreter", "container": {"type": "auto"}})],
)


async def main():
    result = Runner.run_streamed(agent, "What is the square root of 273 * 312821 plus 1782?")
    async for event in result.stream_events():
        if event.type == "run_item_stream_event" and event.item.type == "tool_call_item":
            if event.item.raw_item.type == "code_interpreter_call":
                print(f"Code interpreter code:\n{event.item.raw_item.code}")
    print(f"Final output: {result.final_output}")


asyncio.run(main())
