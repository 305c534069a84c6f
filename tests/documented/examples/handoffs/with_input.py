from pydantic import BaseModel

from agentkit import Agent, RunContextWrapper, Runner, handoff


class EscalationData(BaseModel):
    reason: str


async def on_handoff(ctx: RunContextWrapper[None], input_data: EscalationData):
    print(f"Escalation agent called with reason: {input_data.reason}")


agent = Agent(name="Escalation agent")

handoff_obj = handoff(
    agent=agent,
    on_handoff=on_handoff,
    input_type=EscalationData,
)

desk = Agent(name="Desk", instructions="Escalate complaints to the escalation agent.", handoffs=[handoff_obj])
result = Runner.run_sync(desk, "Please escalate this: the parcel arrived broken")
print(result.last_agent.name)
