import asyncio
import base64

from agentkit import Agent, ImageGenerationTool, Runner

agent = Agent(
    name="Image generator",
    instructions="You are a helpful agent.",
    tools=[ImageGenerationTool(tool_config={"type": "image_generation", "quality": "low"})],
)


async def main():
    result = await Runner.run(agent, "Create an image of a frog eating a pizza, comic book style.")
    print(result.final_output)
    for item in result.new_items:
        if item.type == "tool_call_item" and item.raw_item.type == "image_generation_call":
            print(base64.b64decode(item.raw_item.result))


asyncio.run(main())
