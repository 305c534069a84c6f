"""One agent writes, another judges, until the judge is content or the rounds are used up.

The judge answers with an object, so that the loop is plain Python; the writer gets the judge's words as the next
message.
"""

import asyncio

from pydantic import BaseModel

import agentkit
from agentkit import Agent, Runner, trace

ROUNDS = 3


class Verdict(BaseModel):
    is_polite: bool
    reasoning: str


writer = Agent(name="Writer", instructions="You write short texts. When you get feedback, write a better one.")
judge = Agent(name="Judge", instructions="Check if the text is polite.", output_type=Verdict)


async def write(task: str) -> str:
    conversation = [{"role": "user", "content": task}]
    text = ""
    with trace("Write and judge"):
        for number in range(1, ROUNDS + 1):
            written = await Runner.run(writer, conversation)
            text = written.final_output
            verdict = (await Runner.run(judge, text)).final_output_as(Verdict)
            print(f"Round {number}: {'polite' if verdict.is_polite else 'not polite'}")
            if verdict.is_polite:
                break
            feedback = f"Write two sentences again. Feedback: {verdict.reasoning}"
            conversation = [*written.to_input_list(), {"role": "user", "content": feedback}]
    return text


async def main() -> None:
    print(await write("Write two sentences about a stupid idea."))


if __name__ == "__main__":
    agentkit.connect()  # OpenAI where there is a key, else the embedded platform
    asyncio.run(main())
