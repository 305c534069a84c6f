"""A first agent hands each conversation to the one who knows; that one keeps it.

The next message goes to `result.last_agent`, so nobody is asked twice who should answer.
"""

import asyncio

import agentkit
from agentkit import Agent, Runner, function_tool
from agentkit.extensions.handoff_prompt import prompt_with_handoff_instructions


@function_tool
def get_invoice(number: int) -> str:
    """Return an invoice by its number."""
    return f"Invoice {number}: 80 euros, open."


billing = Agent(
    name="Billing",
    handoff_description="Invoices and payments",
    instructions=prompt_with_handoff_instructions("You answer questions about invoices."),
    tools=[get_invoice],
)
repairs = Agent(
    name="Repairs",
    handoff_description="Broken devices",
    instructions=prompt_with_handoff_instructions("You help with broken devices."),
)
front_desk = Agent(
    name="Front desk",
    instructions=prompt_with_handoff_instructions("Hand the conversation to the agent who knows."),
    handoffs=[billing, repairs],
)


async def main() -> None:
    agent, conversation = front_desk, []
    for message in ("I have a question about an invoice", "Show me invoice 7"):
        result = await Runner.run(agent, [*conversation, {"role": "user", "content": message}])
        print(f"You: {message}\n{result.last_agent.name}: {result.final_output}")
        agent, conversation = result.last_agent, result.to_input_list()


if __name__ == "__main__":
    agentkit.connect()  # OpenAI where there is a key, else the embedded platform
    asyncio.run(main())
