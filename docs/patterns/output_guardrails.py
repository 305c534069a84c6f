"""A check of the final output before anybody sees it. A plain function is often enough: no model is asked."""

import asyncio
import re

from pydantic import BaseModel

import agentkit
from agentkit import (
    Agent,
    GuardrailFunctionOutput,
    OutputGuardrailTripwireTriggered,
    RunContextWrapper,
    Runner,
    output_guardrail,
)


class Message(BaseModel):
    response: str


@output_guardrail
async def no_phone_numbers(
    context: RunContextWrapper[None], agent: Agent[None], output: Message
) -> GuardrailFunctionOutput:
    found = re.findall(r"\b\d{3}-\d{3}-\d{4}\b", output.response)
    return GuardrailFunctionOutput(output_info={"numbers": len(found)}, tripwire_triggered=bool(found))


secretary = Agent(
    name="Secretary",
    instructions="Repeat the message.",
    output_type=Message,
    output_guardrails=[no_phone_numbers],
)


async def main() -> None:
    for message in ("The meeting is on Friday.", "Call me at 650-123-4567."):
        try:
            result = await Runner.run(secretary, message)
            print(f"{message}\n  Passed: {result.final_output.response}")
        except OutputGuardrailTripwireTriggered as stopped:
            print(f"{message}\n  Stopped: {stopped.guardrail_result.output.output_info}")


if __name__ == "__main__":
    agentkit.connect()  # OpenAI where there is a key, else the embedded platform
    asyncio.run(main())
