import asyncio

from openai import AsyncOpenAI

from agentkit import Agent, Runner

client = AsyncOpenAI()


async def main():
    agent = Agent(name="Assistant", instructions="Reply very concisely.")

    # Create a server-managed conversation
    conversation = await client.conversations.create()
    conv_id = conversation.id

    for user_input in ("What city is the Golden Gate Bridge in?", "What state is it in?"):
        result = await Runner.run(agent, user_input, conversation_id=conv_id)
        print(result.final_output)


asyncio.run(main())
