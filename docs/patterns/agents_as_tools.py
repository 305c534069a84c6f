"""One agent keeps the conversation and calls others as tools, each for a part of the work.

Unlike after a handoff, the others see only what they are given, and several can work at once.
"""

import asyncio

import agentkit
from agentkit import Agent, Runner

spanish = Agent(name="Spanish", instructions="You translate the user's message to Spanish")
french = Agent(name="French", instructions="You translate the user's message to French")

translator = Agent(
    name="Translator",
    instructions="You translate with the tools that you have. If asked for several languages, call several tools.",
    tools=[
        spanish.as_tool("translate_to_spanish", "Translate the user's message to Spanish"),
        french.as_tool("translate_to_french", "Translate the user's message to French"),
    ],
)


async def main() -> None:
    result = await Runner.run(translator, "Say 'Good morning' in Spanish and in French.")
    for item in result.new_items:
        if item.type == "tool_call_item":
            print(f"Called {item.raw_item.name}")
        elif item.type == "tool_call_output_item":
            print(f"Got {item.output}")
    print(result.final_output)


if __name__ == "__main__":
    agentkit.connect()  # OpenAI where there is a key, else the embedded platform
    asyncio.run(main())
