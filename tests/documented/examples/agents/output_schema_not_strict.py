"""A type that strict schemas can't express: refused unless the schema is told not to be strict."""

from agentkit import Agent, AgentOutputSchema, Runner, UserError

try:
    AgentOutputSchema(dict[str, int])
except UserError as error:
    print("UserError:", str(error)[:40])

schema = AgentOutputSchema(dict[str, int], strict_json_schema=False)
print(schema.is_strict_json_schema(), schema.is_plain_text())
agent = Agent(name="Counter", instructions="Count things.", output_type=schema)
result = Runner.run_sync(agent, "Nothing is there.")
print(type(result.final_output).__name__)
