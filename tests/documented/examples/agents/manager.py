import asyncio

from agentkit import Agent, Runner

booking_agent = Agent(name="Booking", instructions="Answer: your room is booked.")
refund_agent = Agent(name="Refund", instructions="Answer: your money is on its way.")

customer_facing_agent = Agent(
    name="Customer-facing agent",
    instructions=(
        "Handle all direct user communication. Call the relevant tools when specialized expertise is needed."
    ),
    tools=[
        booking_agent.as_tool(
            tool_name="booking_expert",
            tool_description="Handles booking questions and requests.",
        ),
        refund_agent.as_tool(
            tool_name="refund_expert",
            tool_description="Handles refund questions and requests.",
        ),
    ],
)


async def main():
    result = await Runner.run(customer_facing_agent, "I want a refund for my order")
    print([item.raw_item.name for item in result.new_items if item.type == "tool_call_item"])
    print(result.last_agent.name)


asyncio.run(main())
