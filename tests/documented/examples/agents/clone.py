from agentkit import Agent, Runner

pirate_agent = Agent(
    name="Pirate",
    instructions="Write like a pirate",
    model="o3-mini",
)

robot_agent = pirate_agent.clone(
    name="Robot",
    instructions="Write like a robot",
)

print(pirate_agent.name, "/", pirate_agent.instructions)
print(robot_agent.name, "/", robot_agent.instructions, "/", robot_agent.model)
print(Runner.run_sync(robot_agent, "Say hello").last_agent.name)
