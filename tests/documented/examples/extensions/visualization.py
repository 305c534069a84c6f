from agentkit import Agent, function_tool, handoff
from agentkit.extensions.visualization import draw_graph


@function_tool
def get_weather(city: str) -> str:
    return f"The weather in {city} is sunny."


spanish_agent = Agent(
    name="Spanish agent",
    instructions="You only speak Spanish.",
)

english_agent = Agent(
    name="English agent",
    instructions="You only speak English",
)

triage_agent = Agent(
    name="Triage agent",
    instructions="Handoff to the appropriate agent based on the language of the request.",
    handoffs=[spanish_agent, handoff(english_agent)],
    tools=[get_weather],
)
english_agent.handoffs.append(triage_agent)

draw_graph(triage_agent, filename="agent_graph")
