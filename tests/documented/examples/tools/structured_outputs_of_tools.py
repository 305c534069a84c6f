import asyncio

from agentkit import Agent, Runner, ToolOutputFileContent, ToolOutputImage, ToolOutputText, function_tool

URL = "https://images.example/bridge.jpg"


@function_tool
def fetch_image() -> ToolOutputImage:
    """Fetch the image."""
    return ToolOutputImage(image_url=URL, detail="high")


@function_tool
def fetch_report() -> list[ToolOutputText | ToolOutputFileContent]:
    """Fetch the report."""
    return [ToolOutputText(text="Here it is"), ToolOutputFileContent(file_id="file_123")]


@function_tool
def fetch_both() -> dict:
    """Fetch the picture as a dictionary."""
    return {"type": "image", "image_url": URL}


agent = Agent(name="Assistant", instructions="You are helpful.", tools=[fetch_image, fetch_report, fetch_both])


async def main():
    result = await Runner.run(agent, "Read the image using the tools.")
    for item in result.new_items:
        if item.type == "tool_call_output_item":
            print(item.raw_item["output"])
    print(result.final_output)


asyncio.run(main())
