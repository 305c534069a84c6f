import asyncio

from agentkit import Agent, FileSearchTool, Runner, WebSearchTool

agent = Agent(
    name="Assistant",
    tools=[
        WebSearchTool(user_location={"type": "approximate", "city": "San Francisco"}, search_context_size="low"),
        FileSearchTool(
            max_num_results=3,
            vector_store_ids=["VECTOR_STORE_ID"],
            include_search_results=True,
        ),
    ],
)


async def main():
    result = await Runner.run(agent, "Which coffee shop should I go to, given my preferences and the weather in SF?")
    print(result.final_output)
    print([item.type for item in result.new_items])


asyncio.run(main())
