import asyncio

from agentkit import Agent, Runner, function_tool


@function_tool(needs_approval=True)
async def refund_order(order_id: int) -> str:
    """Refund an order."""
    return f"Order {order_id} is refunded."


refund_agent = Agent(name="Refund agent", instructions="Refund orders.", tools=[refund_order])
agent = Agent(
    name="Support",
    instructions="Use the refund expert for refunds.",
    tools=[refund_agent.as_tool(tool_name="refund_expert", tool_description="Handles refunds of orders.")],
)


async def main():
    result = await Runner.run(agent, "I need a refund for order 42")
    while result.interruptions:
        print([(item.agent.name, item.name) for item in result.interruptions])
        state = result.to_state()
        for interruption in result.interruptions:
            state.approve(interruption)
        result = await Runner.run(agent, state)
    print([item.output for item in result.new_items if item.type == "tool_call_output_item"])


asyncio.run(main())
