import asyncio

from agentkit import Agent, Runner, trace


async def main():
    agent = Agent(name="Assistant", instructions="Reply very concisely.")

    thread_id = "thread_123"
    with trace(workflow_name="Conversation", group_id=thread_id):
        # First turn
        result = await Runner.run(agent, "My name is Ada and I live in Oslo.")
        print(result.final_output)

        # Second turn
        new_input = result.to_input_list() + [{"role": "user", "content": "What is my name?"}]
        result = await Runner.run(agent, new_input)
        print(result.final_output)


asyncio.run(main())
