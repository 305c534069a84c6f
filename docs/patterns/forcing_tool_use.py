"""Three ways to have an agent use a tool, and what becomes of the tool's output.

After a forced call `tool_choice` is lifted, or the model would call the tool for ever; `reset_tool_choice=False` keeps
it.
"""

import asyncio
from typing import Any

import agentkit
from agentkit import (
    Agent,
    FunctionToolResult,
    ModelSettings,
    RunContextWrapper,
    Runner,
    ToolsToFinalOutputResult,
    function_tool,
)


@function_tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return f"{city}: 14 to 20 °C, sunny with wind"


def first_in_capitals(context: RunContextWrapper[Any], results: list[FunctionToolResult]) -> ToolsToFinalOutputResult:
    return ToolsToFinalOutputResult(is_final_output=True, final_output=str(results[0].output).upper())


BEHAVIORS: dict[str, Any] = {
    "the model gets it": "run_llm_again",
    "it is the answer": "stop_on_first_tool",
    "a function decides": first_in_capitals,
}


async def main() -> None:
    for told, behavior in BEHAVIORS.items():
        agent = Agent(
            name="Weather",
            instructions="You help with the weather.",
            tools=[get_weather],
            tool_use_behavior=behavior,
            model_settings=ModelSettings(tool_choice="required"),
        )
        result = await Runner.run(agent, "How is Tokyo?")
        print(f"{told}, {len(result.raw_responses)} model call(s): {result.final_output}")


if __name__ == "__main__":
    agentkit.connect()  # OpenAI where there is a key, else the embedded platform
    asyncio.run(main())
