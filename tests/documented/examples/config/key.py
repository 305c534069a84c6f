from agentkit import Agent, Runner, set_default_openai_key, set_tracing_export_api_key

set_default_openai_key("the-token")
set_tracing_export_api_key("sk-tracing")
print(Runner.run_sync(Agent(name="Assistant"), "What is 6 times 7?").final_output)
