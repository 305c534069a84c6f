"""A check of the answer while it is being written: each so many characters a look, and the run is cancelled at once.

An output guardrail sees the answer only when it is whole. This one spares the reader the rest, and the cost of it.
"""

import asyncio

import agentkit
from agentkit import Agent, Runner

LOOK_EVERY = 80

writer = Agent(name="Writer", instructions="Write what is asked.")


def has_gone_too_far(text: str) -> bool:
    """Say whether to stop. Here it counts lines; it might as well ask an agent with a small model."""
    return text.count("\n") >= 3


async def write(task: str) -> None:
    result = Runner.run_streamed(writer, task)
    text, looked = "", 0
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            text += event.data.delta
            if len(text) - looked >= LOOK_EVERY:
                looked = len(text)
                if has_gone_too_far(text):
                    result.cancel()
    print(f"{task}\n  {'Stopped' if result.final_output is None else 'Finished'} after {len(text)} characters")


async def main() -> None:
    await write("Write a haiku about snow")
    await write("Please tell me 20 jokes")


if __name__ == "__main__":
    agentkit.connect()  # OpenAI where there is a key, else the embedded platform
    asyncio.run(main())
