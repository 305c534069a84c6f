import asyncio

from openai import AsyncOpenAI

from agentkit import Agent, OpenAIChatCompletionsModel, Runner

spanish_agent = Agent(
    name="Spanish agent",
    instructions="You only speak Spanish.",
    model="o3-mini",
)

english_agent = Agent(
    name="English agent",
    instructions="You only speak English",
    model=OpenAIChatCompletionsModel(
        model="gpt-4o",
        openai_client=AsyncOpenAI(),
    ),
)

triage_agent = Agent(
    name="Triage agent",
    instructions="Handoff to the appropriate agent based on the language of the request.",
    handoffs=[spanish_agent, english_agent],
    model="gpt-3.5-turbo",
)


async def main():
    for text in ("Hola, ¿cómo estás?", "Hello, how are you?"):
        result = await Runner.run(triage_agent, input=text)
        print(result.last_agent.name, "/", result.final_output)


if __name__ == "__main__":
    asyncio.run(main())
