from agentkit import Agent, RunConfig, Runner

second = Agent(name="Second")
first = Agent(name="First", handoffs=[second])

result = Runner.run_sync(first, "What is new?", run_config=RunConfig(nest_handoff_history=True))
print(result.final_output)
