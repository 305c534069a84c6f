import asyncio
import os

from agentkit import Agent, ModelSettings, Runner, function_tool
from agentkit.extensions.models.litellm_model import LitellmModel


@function_tool
def get_weather(city: str):
    """Return the weather in a city."""
    return f"The weather in {city} is sunny."


async def main():
    agent = Agent(
        name="Assistant",
        instructions="You only respond in haikus.",
        model=LitellmModel(
            model="openai/rehearsal-1", base_url=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"]
        ),
        tools=[get_weather],
        model_settings=ModelSettings(include_usage=True),
    )

    result = await Runner.run(agent, "What's the weather in Tokyo?")
    print([item.output for item in result.new_items if item.type == "tool_call_output_item"])
    print(result.context_wrapper.usage.total_tokens > 0)


asyncio.run(main())
