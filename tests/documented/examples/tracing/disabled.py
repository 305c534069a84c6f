from agentkit import Agent, RunConfig, Runner, set_tracing_disabled, trace

agent = Agent(name="Assistant")
Runner.run_sync(agent, "One", run_config=RunConfig(tracing_disabled=True))
with trace("Switched off", disabled=True):
    Runner.run_sync(agent, "Two")
set_tracing_disabled(True)
Runner.run_sync(agent, "Three")
set_tracing_disabled(False)
Runner.run_sync(agent, "Four", run_config=RunConfig(workflow_name="Kept"))
