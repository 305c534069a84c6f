"""A model of one's own: any implementation of `Model`."""

import asyncio

from openai.types.responses import ResponseOutputMessage, ResponseOutputText

from agentkit import Agent, Model, ModelResponse, Runner, Usage


class Echo(Model):
    async def get_response(
        self, system_instructions, input, model_settings, tools, output_schema, handoffs, tracing, **later
    ):
        text = f"{system_instructions} {input[-1]['content']}"
        part = ResponseOutputText(type="output_text", text=text, annotations=[])
        message = ResponseOutputMessage(id="1", type="message", role="assistant", status="completed", content=[part])
        return ModelResponse(output=[message], usage=Usage(requests=1), response_id=None)

    def stream_response(self, *args, **kwargs):
        raise NotImplementedError


async def main():
    result = await Runner.run(Agent(name="Echo", instructions="You said:", model=Echo()), "Hello")
    print(result.final_output)


asyncio.run(main())
