from agentkit import Agent, RunContextWrapper, Runner, handoff


def on_handoff(ctx: RunContextWrapper[None]):
    print("Handoff called")


agent = Agent(name="My agent", instructions="Help with gardens.")

handoff_obj = handoff(
    agent=agent,
    on_handoff=on_handoff,
    tool_name_override="custom_handoff_tool",
    tool_description_override="Takes over questions about gardens",
)

triage_agent = Agent(name="Triage", instructions="Hand off garden questions.", handoffs=[handoff_obj])
result = Runner.run_sync(triage_agent, "When do I water the garden?")
print([item.raw_item.name for item in result.new_items if item.type == "handoff_call_item"])
print(result.last_agent.name)
