from agentkit import Agent, Runner

agent = Agent(
    name="Prompted assistant",
    prompt={
        "id": "pmpt_123",
        "version": "1",
        "variables": {"poem_style": "haiku"},
    },
)

print(Runner.run_sync(agent, "Write a poem").final_output)
