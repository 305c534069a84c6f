from agentkit import Agent, Runner

URL = "https://images.example/bridge.jpg"
agent = Agent(name="Assistant", instructions="You are a helpful assistant.")

result = Runner.run_sync(
    agent,
    [
        {"role": "user", "content": [{"type": "input_image", "detail": "auto", "image_url": URL}]},
        {"role": "user", "content": "What do you see in this image?"},
    ],
)
print(result.final_output)
