from agentkit import Agent, Handoff, Runner, handoff

billing_agent = Agent(name="Billing agent")
refund_agent = Agent(name="Refund agent")

triage_agent = Agent(name="Triage agent", handoffs=[billing_agent, handoff(refund_agent)])

print(handoff(refund_agent).tool_name, "/", handoff(refund_agent).tool_description)
print(Handoff.default_tool_name(billing_agent))
print(Runner.run_sync(triage_agent, "I want a refund").last_agent.name)
print(Runner.run_sync(triage_agent, "There is a mistake in my bill").last_agent.name)
