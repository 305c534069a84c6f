from agentkit import Agent, CallModelData, ModelInputData, RunConfig, Runner


def drop_old_messages(data: CallModelData[None]) -> ModelInputData:
    # Keep the last five items, and add to the instructions.
    trimmed = data.model_data.input[-5:]
    return ModelInputData(input=trimmed, instructions=f"{data.model_data.instructions} Be brief.")


agent = Agent(name="Assistant", instructions="Answer questions.")
history = [{"role": "user", "content": f"Message {number}"} for number in range(8)]
result = Runner.run_sync(
    agent,
    [*history, {"role": "user", "content": "Explain quines"}],
    run_config=RunConfig(call_model_input_filter=drop_old_messages),
)
print(result.final_output)
print(len(result.to_input_list()))
