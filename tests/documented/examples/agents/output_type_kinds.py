"""Any type that pydantic's TypeAdapter takes: dataclasses, lists, TypedDict, unions, plain types."""

import asyncio
from dataclasses import dataclass

from typing_extensions import TypedDict

from agentkit import Agent, Runner


@dataclass
class Person:
    name: str
    age: int


class City(TypedDict):
    city: str


async def main():
    for output_type, text in (
        (Person, "Ada is 36 years old."),
        (list[str], "We need apples, bread and milk."),
        (City, "I live in Oslo."),
        (int, "There were 42 people."),
        (float, "It weighs 2.5 kilos."),
    ):
        agent = Agent(name="Extractor", instructions="Extract the data from the text.", output_type=output_type)
        result = await Runner.run(agent, text)
        print(repr(result.final_output))


asyncio.run(main())
