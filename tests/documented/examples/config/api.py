from agentkit import Agent, Runner, set_default_openai_api

set_default_openai_api("chat_completions")
print(Runner.run_sync(Agent(name="Assistant"), "What is 6 times 7?").final_output)
