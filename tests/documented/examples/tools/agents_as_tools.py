import asyncio

from agentkit import Agent, Runner

spanish_agent = Agent(
    name="Spanish agent",
    instructions="You translate the user's message to Spanish",
)

french_agent = Agent(
    name="French agent",
    instructions="You translate the user's message to French",
)

orchestrator_agent = Agent(
    name="orchestrator_agent",
    instructions=(
        "You are a translation agent. You use the tools given to you to translate."
        "If asked for multiple translations, you call the relevant tools."
    ),
    tools=[
        spanish_agent.as_tool(
            tool_name="translate_to_spanish",
            tool_description="Translate the user's message to Spanish",
        ),
        french_agent.as_tool(
            tool_name="translate_to_french",
            tool_description="Translate the user's message to French",
        ),
    ],
)


async def main():
    for text in (
        "Say 'Hello, how are you?' in Spanish.",
        "Say 'Good morning' in Spanish and in French.",
    ):
        result = await Runner.run(orchestrator_agent, input=text)
        print([item.raw_item.name for item in result.new_items if item.type == "tool_call_item"])
        print(result.final_output)


asyncio.run(main())
