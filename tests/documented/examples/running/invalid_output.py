import asyncio

from pydantic import BaseModel

from agentkit import Agent, ModelBehaviorError, Runner


class Answer(BaseModel):
    value: int


agent = Agent(name="Counter", instructions="Count.", output_type=Answer)


async def main():
    try:
        await Runner.run(agent, "How many?")
    except ModelBehaviorError as error:
        print("ModelBehaviorError", len(error.run_data.raw_responses))


asyncio.run(main())
