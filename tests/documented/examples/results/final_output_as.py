from pydantic import BaseModel

from agentkit import Agent, Runner


class Person(BaseModel):
    name: str
    age: int


agent = Agent(name="Extractor", instructions="Extract the person.", output_type=Person)
result = Runner.run_sync(agent, "Ada is 36 years old.")

person = result.final_output_as(Person)
print(person.name, person.age)
print(result.final_output_as(str) is person)
try:
    result.final_output_as(str, raise_if_incorrect_type=True)
except TypeError:
    print("TypeError")
