from agentkit import Agent, Runner, SQLiteSession

agent = Agent(name="Assistant", instructions="Reply very concisely.")
session = SQLiteSession("conversation_123")
Runner.run_sync(agent, "My name is Ada.", session=session)
print(Runner.run_sync(agent, "What is my name?", session=session).final_output)
