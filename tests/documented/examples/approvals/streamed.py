import asyncio

from agentkit import Agent, Runner, function_tool


@function_tool(needs_approval=True)
async def cancel_order(order_id: int) -> str:
    """Cancel an order."""
    return f"Order {order_id} is cancelled."


agent = Agent(name="Support", instructions="Help with orders.", tools=[cancel_order])


async def main():
    result = Runner.run_streamed(agent, "Cancel order 42")
    async for event in result.stream_events():
        if event.type == "run_item_stream_event":
            print(event.name)

    while result.interruptions:
        state = result.to_state()
        for interruption in result.interruptions:
            print("approving", interruption.name, interruption.arguments)
            state.approve(interruption)
        result = Runner.run_streamed(agent, state)
        async for event in result.stream_events():
            if event.type == "run_item_stream_event":
                print(event.name)
    print(result.final_output)


asyncio.run(main())
