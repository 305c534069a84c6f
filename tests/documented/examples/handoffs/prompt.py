from agentkit import Agent
from agentkit.extensions.handoff_prompt import RECOMMENDED_PROMPT_PREFIX, prompt_with_handoff_instructions

billing_agent = Agent(
    name="Billing agent",
    instructions=f"""{RECOMMENDED_PROMPT_PREFIX}
    You answer questions about bills.""",
)
print("handoff" in billing_agent.instructions.lower())
print(prompt_with_handoff_instructions("You answer.").startswith(RECOMMENDED_PROMPT_PREFIX))
