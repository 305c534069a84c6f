from agentkit import Agent, RunContextWrapper, Runner, handoff

refund_agent = Agent(name="Refund agent", instructions="You handle refunds.")


async def for_customers(ctx: RunContextWrapper[dict], agent: Agent) -> bool:
    return ctx.context["customer"]


triage_agent = Agent(
    name="Triage agent",
    instructions="Hand refunds off.",
    handoffs=[handoff(refund_agent, is_enabled=for_customers)],
)
for customer in (True, False):
    print(Runner.run_sync(triage_agent, "I want a refund", context={"customer": customer}).last_agent.name)
