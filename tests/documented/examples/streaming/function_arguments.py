import asyncio

from openai.types.responses import ResponseFunctionCallArgumentsDeltaEvent

from agentkit import Agent, Runner, function_tool


@function_tool
def write_file(filename: str, content: str) -> str:
    """Write content to a file."""
    return f"File {filename} written"


agent = Agent(name="Writer", instructions="Write files with the tool.", tools=[write_file])


async def main():
    result = Runner.run_streamed(agent, 'Write "hello there" to the file notes.txt')
    arguments = ""
    async for event in result.stream_events():
        if event.type == "raw_response_event" and isinstance(event.data, ResponseFunctionCallArgumentsDeltaEvent):
            arguments += event.data.delta
    print(arguments)


asyncio.run(main())
