import logging

from agentkit import Agent, Runner

logger = logging.getLogger("openai.agents")  # or openai.agents.tracing for the Tracing logger
logger.setLevel(logging.DEBUG)
logger.addHandler(logging.StreamHandler())

print(Runner.run_sync(Agent(name="Assistant"), "What is 6 times 7?").final_output)
