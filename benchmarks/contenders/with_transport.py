"""The `openai` client as mere transport, bytes in and bytes out: the least that a runtime on this client can take."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import httpx2
from openai import AsyncOpenAI

from benchmarks.contenders.by_hand import call_function, gathered, tool_json
from benchmarks.contenders.contender import Conversation, Run, Streamed
from benchmarks.functions import Function

__all__ = ["make_transport"]

_DELTA = b"event: response.output_text.delta\ndata: "


class _Transport:
    def __init__(self, base_url: str) -> None:
        self._client = AsyncOpenAI(base_url=base_url, api_key="sk-none", max_retries=0, timeout=600)

    async def _post(self, fields: dict[str, Any], items: bytes, *, stream: bool) -> httpx2.Response:
        body = b'%s,"input":[%s]}' % (json.dumps(fields).encode()[:-1], items)
        post: Any = self._client.post  # its type leaves out the raw response
        options = {"headers": {"Content-Type": "application/json"}}
        response: httpx2.Response = await post(
            "/responses", content=body, cast_to=httpx2.Response, options=options, stream=stream
        )
        return response

    def runner(self, script: str, functions: Sequence[Function] = ()) -> Run:
        by_name = {function.__name__: function for function in functions}
        fields = {"model": script, "instructions": "Be brief.", "tools": self.define_tools(functions)}

        async def run(conversation: Conversation) -> str:
            text = isinstance(conversation, str)
            first = [{"role": "user", "content": conversation}] if text else conversation
            items = json.dumps(first).encode()[1:-1]
            while True:
                response = await self._post(fields, items, stream=False)
                output: list[Any] = json.loads(response.content)["output"]
                calls = [item for item in output if item["type"] == "function_call"]
                if not calls:
                    return str(output[-1]["content"][0]["text"])
                said = await asyncio.gather(
                    *(call_function(by_name[call["name"]], call["arguments"]) for call in calls)
                )
                output += [
                    {"type": "function_call_output", "call_id": call["call_id"], "output": text}
                    for call, text in zip(calls, said, strict=True)
                ]
                items += b"," + json.dumps(output).encode()[1:-1]

        return run

    def in_process_runner(self, tool_turns: int, function: Function) -> Run:
        raise NotImplementedError("A transport has no models in this process.")

    async def stream(self, script: str, *, typed: bool) -> Streamed:
        deltas = characters = 0
        started, first_s = time.perf_counter(), 0.0
        question = b'{"role":"user","content":"Go on."}'
        response = await self._post({"model": script, "stream": True}, question, stream=True)
        left = b""
        async for chunk in response.aiter_bytes():
            *events, left = (left + chunk).split(b"\n\n")
            for event in events:
                if not event.startswith(_DELTA):
                    continue
                if not deltas:
                    first_s = time.perf_counter() - started
                deltas += 1
                characters += len(json.loads(event[len(_DELTA) :])["delta"])
        await response.aclose()
        return Streamed(deltas, characters, first_s)

    async def answer_each(self, script: str, questions: list[str], *, at_once: int) -> list[str]:
        return await gathered(self.runner(script), questions, at_once=at_once)

    def define_tools(self, functions: Sequence[Function]) -> list[Any]:
        return [tool_json(function) for function in functions]

    def settle(self) -> None:
        """Do nothing: nothing goes on in the background."""

    async def close(self) -> None:
        await self._client.close()


def make_transport(base_url: str) -> _Transport:
    """Return the client as transport."""
    return _Transport(base_url)
