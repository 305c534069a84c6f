"""The bare `openai` client, with the loop that its documentation shows written around it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from openai import AsyncOpenAI

from benchmarks.contenders.by_hand import call_function, gathered, tool_json
from benchmarks.contenders.contender import Conversation, Run, Streamed
from benchmarks.functions import Function

__all__ = ["make_openai"]


class _OpenAI:
    def __init__(self, base_url: str) -> None:
        self._client = AsyncOpenAI(base_url=base_url, api_key="sk-none", max_retries=0, timeout=600)

    def runner(self, script: str, functions: Sequence[Function] = ()) -> Run:
        by_name = {function.__name__: function for function in functions}
        tools = self.define_tools(functions)

        async def run(conversation: Conversation) -> str:
            text = isinstance(conversation, str)
            items: list[Any] = [{"role": "user", "content": conversation}] if text else list(conversation)
            while True:
                response = await self._client.responses.create(
                    model=script, instructions="Be brief.", input=items, tools=tools
                )
                items += response.output
                calls = [item for item in response.output if item.type == "function_call"]
                if not calls:
                    return response.output_text
                outputs = await asyncio.gather(*(call_function(by_name[call.name], call.arguments) for call in calls))
                items += [
                    {"type": "function_call_output", "call_id": call.call_id, "output": output}
                    for call, output in zip(calls, outputs, strict=True)
                ]

        return run

    def in_process_runner(self, tool_turns: int, function: Function) -> Run:
        raise NotImplementedError("The client has no models in this process.")

    async def stream(self, script: str, *, typed: bool) -> Streamed:
        deltas = characters = 0
        started, first_s = time.perf_counter(), 0.0
        stream = await self._client.responses.create(
            model=script, instructions="Be brief.", input=[{"role": "user", "content": "Go on."}], stream=True
        )
        async for event in stream:
            if event.type != "response.output_text.delta":
                continue
            if not deltas:
                first_s = time.perf_counter() - started
            deltas += 1
            characters += len(event.delta)
        return Streamed(deltas, characters, first_s)

    async def answer_each(self, script: str, questions: list[str], *, at_once: int) -> list[str]:
        return await gathered(self.runner(script), questions, at_once=at_once)

    def define_tools(self, functions: Sequence[Function]) -> list[Any]:
        """Return schemas for functions whose parameters are text or integers, all that the workloads need here."""
        return [tool_json(function) for function in functions]

    def settle(self) -> None:
        """Do nothing: the client works on nothing in the background."""

    async def close(self) -> None:
        await self._client.close()


def make_openai(base_url: str) -> _OpenAI:
    """Return the client."""
    return _OpenAI(base_url)
