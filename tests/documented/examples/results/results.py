import asyncio

from agentkit import (
    Agent,
    HandoffCallItem,
    HandoffOutputItem,
    ItemHelpers,
    MessageOutputItem,
    ModelResponse,
    Runner,
    RunResultBase,
    ToolCallItem,
    ToolCallOutputItem,
    function_tool,
)


@function_tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return f"It is sunny in {city}."


weather_agent = Agent(name="Weather agent", instructions="Tell the weather.", tools=[get_weather])
triage_agent = Agent(
    name="Triage agent", instructions="Send weather questions to the weather agent.", handoffs=[weather_agent]
)


async def main():
    result = await Runner.run(triage_agent, "How is the weather in Rome?")
    print(isinstance(result, RunResultBase), result.input)
    for item in result.new_items:
        if isinstance(item, HandoffCallItem):
            print("handoff call:", item.raw_item.name)
        elif isinstance(item, HandoffOutputItem):
            print("handoff output:", item.source_agent.name, "->", item.target_agent.name)
        elif isinstance(item, ToolCallItem):
            print("tool call:", item.raw_item.name, item.raw_item.arguments)
        elif isinstance(item, ToolCallOutputItem):
            print("tool output:", item.output, item.raw_item["type"])
        elif isinstance(item, MessageOutputItem):
            print("message:", ItemHelpers.text_message_output(item))
    print("last agent:", result.last_agent.name)
    print("responses:", len(result.raw_responses), all(isinstance(one, ModelResponse) for one in result.raw_responses))
    print("guardrails:", result.input_guardrail_results, result.output_guardrail_results)
    print("next input:", [item.get("type", item.get("role")) for item in result.to_input_list()])

    # The agent that answered last answers the next message.
    again = await Runner.run(result.last_agent, result.to_input_list() + [{"role": "user", "content": "And in Oslo?"}])
    print(again.last_agent.name, "/", again.final_output)


asyncio.run(main())
