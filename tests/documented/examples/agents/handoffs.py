import asyncio

from agentkit import Agent, Runner

booking_agent = Agent(name="Booking agent", instructions="You handle bookings.")
refund_agent = Agent(name="Refund agent", instructions="You handle refunds.")

triage_agent = Agent(
    name="Triage agent",
    instructions=(
        "Help the user with their questions."
        "If they ask about booking, handoff to the booking agent."
        "If they ask about refunds, handoff to the refund agent."
    ),
    handoffs=[booking_agent, refund_agent],
)


async def main():
    for request in ("I want to book a room for two nights", "I would like a refund, please", "Hello!"):
        result = await Runner.run(triage_agent, request)
        print(result.last_agent.name)


asyncio.run(main())
