from agentkit import Agent, Runner

agent = Agent(name="Assistant", instructions="You are a helpful assistant.")

result = Runner.run_sync(
    agent,
    [
        {"role": "user", "content": "My favourite colour is green."},
        {"role": "assistant", "content": "Noted."},
        {"role": "user", "content": [{"type": "input_text", "text": "What is my favourite colour?"}]},
    ],
)
print(result.final_output)
