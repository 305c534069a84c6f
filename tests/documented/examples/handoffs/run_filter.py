from agentkit import Agent, RunConfig, Runner
from agentkit.extensions import handoff_filters

faq_agent = Agent(name="FAQ agent")
agent = Agent(name="Assistant", handoffs=[faq_agent])

result = Runner.run_sync(
    agent, "A question", run_config=RunConfig(handoff_input_filter=handoff_filters.remove_all_tools)
)
print(result.final_output)
