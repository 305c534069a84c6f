import asyncio

from pydantic import BaseModel, Field

from agentkit import Agent, Runner


class TranslationInput(BaseModel):
    text: str = Field(description="Text to translate.")
    source: str = Field(description="Source language.")
    target: str = Field(description="Target language.")


translator = Agent(name="translator", instructions="Translate the text.")
translator_tool = translator.as_tool(
    tool_name="translate_text",
    tool_description="Translate text between languages.",
    parameters=TranslationInput,
    include_input_schema=True,
)

print(sorted(translator_tool.params_json_schema["properties"]))
agent = Agent(name="Desk", instructions="Translate with the tool.", tools=[translator_tool])


async def main():
    result = await Runner.run(agent, "Translate 'Good morning' from English to Spanish")
    print([item.raw_item.arguments for item in result.new_items if item.type == "tool_call_item"])


asyncio.run(main())
