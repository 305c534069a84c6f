from agentkit import Agent, HandoffInputData, Runner, function_tool, handoff
from agentkit.extensions import handoff_filters


@function_tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return f"It is sunny in {city}."


def drop_first_message(data: HandoffInputData) -> HandoffInputData:
    data = handoff_filters.remove_all_tools(data)
    history = data.input_history if isinstance(data.input_history, str) else tuple(data.input_history[1:])
    return HandoffInputData(
        input_history=history,
        pre_handoff_items=tuple(data.pre_handoff_items),
        new_items=tuple(data.new_items),
    )


agent = Agent(name="FAQ agent")

handoff_obj = handoff(
    agent=agent,
    input_filter=handoff_filters.remove_all_tools,
)

first = Agent(name="Assistant", tools=[get_weather], handoffs=[handoff_obj])
second = Agent(name="Assistant", tools=[get_weather], handoffs=[handoff(agent, input_filter=drop_first_message)])
for start in (first, second):
    print(Runner.run_sync(start, [{"role": "user", "content": "One"}, {"role": "user", "content": "Two"}]).final_output)
