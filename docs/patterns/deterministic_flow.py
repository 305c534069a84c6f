"""A flow whose steps are fixed in code: read a mail, check what came out, answer it.

Each step is an agent with one job. What goes from one to the next is a Python object, so the code can look at it and
stop.
"""

import asyncio

from pydantic import BaseModel

import agentkit
from agentkit import Agent, Runner, trace


class Order(BaseModel):
    item: str
    quantity: int
    city: str


reader = Agent(name="Reader", instructions="Extract the order from the mail.", output_type=Order)
writer = Agent(name="Writer", instructions="Repeat the order to the customer.")


async def answer(mail: str) -> str:
    with trace("Orders"):
        read = await Runner.run(reader, mail)
        order = read.final_output_as(Order)
        print(f"Read: {order}")
        if order.quantity > 100:
            return "A colleague will call you about an order of this size."
        written = await Runner.run(writer, f"The order: {order.quantity} {order.item} to {order.city}.")
        return written.final_output


async def main() -> None:
    for mail in ("I want to order 12 lamps to Oslo.", "I want to order 500 lamps to Bergen."):
        print(f"Answer: {await answer(mail)}\n")


if __name__ == "__main__":
    agentkit.connect()  # OpenAI where there is a key, else the embedded platform
    asyncio.run(main())
