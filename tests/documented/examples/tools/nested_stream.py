import asyncio

from agentkit import Agent, AgentToolStreamEvent, Runner, function_tool


@function_tool
def get_invoice(number: int) -> str:
    """Return an invoice."""
    return f"Invoice {number}: 20 euros, open."


billing_agent = Agent(name="Billing agent", instructions="Answer billing questions.", tools=[get_invoice])

seen = []


async def handle_stream(event: AgentToolStreamEvent) -> None:
    if event["event"].type == "run_item_stream_event":
        seen.append((event["agent"].name, event["event"].name))


billing_agent_tool = billing_agent.as_tool(
    tool_name="billing_agent",
    tool_description="Answer questions about an invoice.",
    on_stream=handle_stream,
)

agent = Agent(name="Support", instructions="Use the billing agent for invoices.", tools=[billing_agent_tool])


async def main():
    await Runner.run(agent, "What about invoice 7?")
    print(seen)


asyncio.run(main())
