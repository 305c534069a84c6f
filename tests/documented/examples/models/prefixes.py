from agentkit import Agent, MultiProvider, RunConfig, Runner, UserError

agent = Agent(name="Assistant", instructions="You are a helpful assistant.", model="openai/gpt-4o")
print(Runner.run_sync(agent, "What is 6 times 7?", run_config=RunConfig(model_provider=MultiProvider())).final_output)
try:
    Runner.run_sync(
        agent.clone(model="unheard-of/model"), "Hello", run_config=RunConfig(model_provider=MultiProvider())
    )
except UserError as error:
    print("UserError", "unheard-of" in str(error))
