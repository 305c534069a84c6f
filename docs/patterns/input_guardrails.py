"""A check of the input beside the agent: a small, cheap agent decides whether the large one should go on.

The check runs while the model answers, and no tool runs before it has passed. With `run_in_parallel=False` the model
waits, too.
"""

import asyncio

from pydantic import BaseModel

import agentkit
from agentkit import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    RunContextWrapper,
    Runner,
    TResponseInputItem,
    input_guardrail,
)


class HomeworkCheck(BaseModel):
    is_math_homework: bool
    reasoning: str


checker = Agent(
    name="Checker",
    instructions="Check if the user is asking you to do their math homework.",
    output_type=HomeworkCheck,
)


@input_guardrail
async def no_homework(
    context: RunContextWrapper[None], agent: Agent[None], input: str | list[TResponseInputItem]
) -> GuardrailFunctionOutput:
    check = (await Runner.run(checker, input, context=context.context)).final_output_as(HomeworkCheck)
    return GuardrailFunctionOutput(output_info=check, tripwire_triggered=check.is_math_homework)


support = Agent(name="Support", instructions="You help customers.", input_guardrails=[no_homework])


async def main() -> None:
    for message in ("Where is my parcel?", "Can you solve 2x + 5 = 11 for my homework?"):
        try:
            result = await Runner.run(support, message)
            print(f"{message}\n  Support: {result.final_output}")
        except InputGuardrailTripwireTriggered as stopped:
            print(f"{message}\n  Stopped: {stopped.guardrail_result.output.output_info.reasoning}")


if __name__ == "__main__":
    agentkit.connect()  # OpenAI where there is a key, else the embedded platform
    asyncio.run(main())
