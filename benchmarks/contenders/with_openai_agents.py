"""The OpenAI Agents SDK."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import pandas as pd
from agents import (
    Agent,
    Model,
    ModelResponse,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    Usage,
    function_tool,
    set_trace_processors,
    set_tracing_disabled,
)
from agents.tracing import Span, Trace, TracingProcessor, agent_span, function_span, generation_span, trace
from openai import AsyncOpenAI
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage

from benchmarks.contenders.by_hand import gathered
from benchmarks.contenders.contender import TOOLS, TURNS, Conversation, Run, Streamed
from benchmarks.functions import Function
from benchmarks.server.script import items_for

__all__ = ["make_openai_agents", "make_openai_agents_traced"]

_DELTA: Final = "response.output_text.delta"
_TYPES: dict[str, Any] = {"message": ResponseOutputMessage, "function_call": ResponseFunctionToolCall}


class _Scripted(Model):
    """Answers at once with what the fake server would. The same model as its counterpart for agentkit."""

    def __init__(self, tool_turns: int) -> None:
        self._tool_turns = tool_turns
        self._turn = 0

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        turn = self._turn
        self._turn = 0 if turn == self._tool_turns else turn + 1
        items = [_TYPES[item["type"]].construct(**item) for item in items_for(f"tools-{self._tool_turns}", turn)]
        usage = Usage(requests=1, input_tokens=120, output_tokens=20, total_tokens=140)
        return ModelResponse(output=items, usage=usage, response_id="resp_0")

    def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        raise NotImplementedError("No workload streams from it.")


class _InMemory(TracingProcessor):
    """Keeps each span as the dictionary that an exporter would send."""

    def __init__(self) -> None:
        self.spans: list[Any] = []  # the SDK's dictionaries

    def on_trace_start(self, trace: Trace) -> None: ...

    def on_trace_end(self, trace: Trace) -> None: ...

    def on_span_start(self, span: Span[Any]) -> None: ...

    def on_span_end(self, span: Span[Any]) -> None:
        self.spans.append(span.export())

    def shutdown(self) -> None: ...

    def force_flush(self) -> None: ...


class _OpenAIAgents:
    most_spans = 100_000

    def __init__(self, base_url: str, *, traced: bool) -> None:
        self._client = AsyncOpenAI(base_url=base_url, api_key="sk-none", max_retries=0, timeout=600)
        self._config = RunConfig(tracing_disabled=not traced)
        self._kept = _InMemory()
        if traced:
            set_trace_processors([self._kept])

    def runner(self, script: str, functions: Sequence[Function] = ()) -> Run:
        return self._runner(OpenAIResponsesModel(script, self._client), functions)

    def in_process_runner(self, tool_turns: int, function: Function) -> Run:
        return self._runner(_Scripted(tool_turns), [function])

    def _runner(self, model: Model, functions: Sequence[Function]) -> Run:
        tools = self.define_tools(functions)
        agent: Agent[None] = Agent(name="assistant", instructions="Be brief.", model=model, tools=tools)

        async def run(conversation: Conversation) -> str:
            result = await Runner.run(agent, conversation, max_turns=1000, run_config=self._config)
            return str(result.final_output)

        return run

    async def stream(self, script: str, *, typed: bool) -> Streamed:
        model = OpenAIResponsesModel(script, self._client)
        agent: Agent[None] = Agent(name="assistant", instructions="Be brief.", model=model)
        deltas = characters = 0
        started, first_s = time.perf_counter(), 0.0
        result = Runner.run_streamed(agent, "Go on.", run_config=self._config)
        async for event in result.stream_events():
            if event.type != "raw_response_event" or event.data.type != _DELTA:
                continue
            if not deltas:
                first_s = time.perf_counter() - started
            deltas += 1
            characters += len(event.data.delta)
        return Streamed(deltas, characters, first_s)

    async def answer_each(self, script: str, questions: list[str], *, at_once: int) -> list[str]:
        return await gathered(self.runner(script), questions, at_once=at_once)

    def define_tools(self, functions: Sequence[Function]) -> list[Any]:
        return [function_tool(function) for function in functions]

    def record(self, traces: int) -> None:
        for number in range(traces):
            with trace("run"), agent_span(f"agent {number % 50}"):
                for _ in range(TURNS):
                    with generation_span() as call:
                        said = call.span_data
                        said.model = "gpt-4.1"
                        said.input = [{"role": "user", "content": f"hello there {number}"}]
                        said.output = [{"type": "message", "role": "assistant", "content": "fine"}]
                        said.usage = {"requests": 1, "input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
                    with function_span(f"tool {number % TOOLS}", '{"city":"Oslo"}', "21 °C and sunny"):
                        pass

    def all_spans(self) -> int:
        return len(pd.DataFrame(self._kept.spans))

    def filtered(self, limit: int) -> int:
        found = [span for span in self._kept.spans if span["span_data"].get("name") == "tool 3"]
        return len(pd.DataFrame(found[:limit]))

    def settle(self) -> None:
        """Do nothing: without its uploads, the SDK works on nothing in the background."""

    async def close(self) -> None:
        await self._client.close()


def make_openai_agents(base_url: str) -> _OpenAIAgents:
    """Return the SDK with tracing switched off."""
    set_tracing_disabled(True)
    return _OpenAIAgents(base_url, traced=False)


def make_openai_agents_traced(base_url: str) -> _OpenAIAgents:
    """Return the SDK with its spans kept in memory, and nothing uploaded."""
    return _OpenAIAgents(base_url, traced=True)
