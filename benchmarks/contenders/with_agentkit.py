"""agentkit."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from openai import AsyncOpenAI, DefaultAioHttpClient

from agentkit import (
    Agent,
    Model,
    ModelResponse,
    RunConfig,
    Runner,
    Usage,
    function_tool,
    run_over_async,
    set_tracing_disabled,
)
from agentkit.models import OpenAIResponsesModel
from agentkit.records.frames import spans, tools
from agentkit.tracing import agent_span, flush_traces, function_span, response_span, trace
from benchmarks.contenders.contender import TOOLS, TURNS, Conversation, Run, Streamed
from benchmarks.functions import Function
from benchmarks.server.script import items_for

__all__ = ["make_agentkit", "make_agentkit_aiohttp", "make_agentkit_untraced"]

_DELTA: Final = "response.output_text.delta"


class _Scripted(Model):
    """Answers at once with what the fake server would. The same model as its counterpart for openai-agents."""

    def __init__(self, tool_turns: int) -> None:
        self._tool_turns = tool_turns
        self._turn = 0

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        turn = self._turn
        self._turn = 0 if turn == self._tool_turns else turn + 1
        return ModelResponse(items_for(f"tools-{self._tool_turns}", turn), Usage(1, 120, 20, 140), "resp_0")

    def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        raise NotImplementedError("No workload streams from it.")


class _Agentkit:
    most_spans = 1_000_000

    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client

    def runner(self, script: str, functions: Sequence[Function] = ()) -> Run:
        return self._runner(OpenAIResponsesModel(script, self._client), functions)

    def in_process_runner(self, tool_turns: int, function: Function) -> Run:
        return self._runner(_Scripted(tool_turns), [function])

    def _runner(self, model: Model, functions: Sequence[Function]) -> Run:
        agent = Agent(name="assistant", instructions="Be brief.", model=model, tools=self.define_tools(functions))
        config = RunConfig()

        async def run(conversation: Conversation) -> str:
            result = await Runner.run(agent, conversation, max_turns=1000, run_config=config)
            return str(result.final_output)

        return run

    async def stream(self, script: str, *, typed: bool) -> Streamed:
        model = OpenAIResponsesModel(script, self._client)
        agent = Agent(name="assistant", instructions="Be brief.", model=model)
        deltas = characters = 0
        started, first_s = time.perf_counter(), 0.0
        result = Runner.run_streamed(agent, "Go on.")
        async for event in result.stream_events():
            if event.type != "raw_response_event":
                continue
            if typed:
                data = event.data
                if data.type != _DELTA:
                    continue
                text = data.delta
            else:
                if event.wire_type != _DELTA:
                    continue
                text = event.json["delta"]
            if not deltas:
                first_s = time.perf_counter() - started
            deltas += 1
            characters += len(text)
        return Streamed(deltas, characters, first_s)

    async def answer_each(self, script: str, questions: list[str], *, at_once: int) -> list[str]:
        model = OpenAIResponsesModel(script, self._client)
        agent = Agent(name="assistant", instructions="Be brief.", model=model)
        answered = await run_over_async(
            agent, questions, "{{value}}", concurrency=at_once, name="benchmark", afresh=True
        )
        return list(answered["answer"])

    def define_tools(self, functions: Sequence[Function]) -> list[Any]:
        return [function_tool(function) for function in functions]

    def record(self, traces: int) -> None:
        for number in range(traces):
            with trace("run") as run, agent_span(f"agent {number % 50}"):
                run.input = f"question {number}"
                for _ in range(TURNS):
                    with response_span() as call:
                        said = call.span_data
                        said.model = "gpt-4.1"
                        said.input = [{"role": "user", "content": f"hello there {number}"}]
                        said.output = [{"type": "message", "role": "assistant", "content": "fine"}]
                        said.usage = {"requests": 1, "input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
                    with function_span(f"tool {number % TOOLS}", '{"city":"Oslo"}', "21 °C and sunny"):
                        pass

    def all_spans(self) -> int:
        return len(spans())

    def filtered(self, limit: int) -> int:
        return len(tools(name="tool 3", limit=limit))

    def settle(self) -> None:
        flush_traces()

    async def close(self) -> None:
        await self._client.close()


def make_agentkit(base_url: str) -> _Agentkit:
    """Return agentkit as it is by default."""
    return _Agentkit(AsyncOpenAI(base_url=base_url, api_key="sk-none", max_retries=0, timeout=600))


def make_agentkit_untraced(base_url: str) -> _Agentkit:
    """Return agentkit with tracing switched off."""
    set_tracing_disabled(True)
    return make_agentkit(base_url)


def make_agentkit_aiohttp(base_url: str) -> _Agentkit:
    """Return agentkit on a client that uses aiohttp."""
    transport = DefaultAioHttpClient()
    return _Agentkit(
        AsyncOpenAI(base_url=base_url, api_key="sk-none", max_retries=0, timeout=600, http_client=transport)
    )
