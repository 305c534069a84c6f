from typing import Any

from pydantic import BaseModel

from agentkit import Agent, FunctionTool, RunContextWrapper, Runner


def do_some_work(data: str) -> str:
    return f"done: {data}"


class FunctionArgs(BaseModel):
    username: str
    age: int


async def run_function(ctx: RunContextWrapper[Any], args: str) -> str:
    parsed = FunctionArgs.model_validate_json(args)
    return do_some_work(data=f"{parsed.username} is {parsed.age} years old")


tool = FunctionTool(
    name="process_user",
    description="Processes extracted user data",
    params_json_schema=FunctionArgs.model_json_schema(),
    on_invoke_tool=run_function,
)

agent = Agent(name="Clerk", instructions="Process users.", tools=[tool])
result = Runner.run_sync(agent, "Process the user Ada, 36 years old")
print([item.output for item in result.new_items if item.type == "tool_call_output_item"])
