"""Spans of every kind, the provider, settings of a trace, and where its context goes."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from datetime import datetime
from typing import Any

import pytest

import agentkit.tracing
from agentkit.records.frames import spans
from agentkit.records.traces import traces
from agentkit.testing import ScriptedModel, call
from agentkit.tracing import (
    NoOpTrace,
    SpanData,
    Trace,
    TraceProvider,
    agent_span,
    custom_span,
    function_span,
    generation_span,
    get_current_span,
    get_current_trace,
    get_trace_provider,
    guardrail_span,
    handoff_span,
    mcp_tools_span,
    response_span,
    set_trace_processors,
    set_trace_provider,
    set_tracing_disabled,
    speech_group_span,
    speech_span,
    task_span,
    trace,
    transcription_span,
    turn_span,
)

MAKERS = {
    "agent": lambda: agent_span("a"),
    "custom": lambda: custom_span("c"),
    "function": lambda: function_span("f"),
    "generation": lambda: generation_span(),
    "guardrail": lambda: guardrail_span("g"),
    "handoff": lambda: handoff_span("a", "b"),
    "mcp_tools": lambda: mcp_tools_span("s"),
    "response": lambda: response_span(),
    "speech_group": lambda: speech_group_span("x"),
    "speech": lambda: speech_span("tts", "Hi"),
    "task": lambda: task_span("t"),
    "transcription": lambda: transcription_span("stt", "UklGRg=="),
    "turn": lambda: turn_span(1, "a"),
}


def test_spans_of_every_kind_are_stored_and_read_back() -> None:
    with trace("w") as t:
        for make in MAKERS.values():
            with make():
                pass
    assert list(spans(t)["kind"]) == list(MAKERS)


def test_speech_has_the_documented_shape() -> None:
    assert transcription_span("stt", "UklG", "wav", "Hello").span_data.export() == {
        "type": "transcription",
        "input": {"data": "UklG", "format": "wav"},
        "output": "Hello",
        "model": "stt",
        "model_config": None,
    }
    assert speech_span("tts", "Hello", first_content_at="2026-11-21T06:00:00Z").span_data.export() == {
        "type": "speech",
        "input": "Hello",
        "output": {"data": "", "format": "pcm"},
        "model": "tts",
        "model_config": None,
        "first_content_at": "2026-11-21T06:00:00Z",
    }
    assert speech_group_span("Hello").span_data.export() == {"type": "speech_group", "input": "Hello"}


def test_tasks_and_turns_are_custom_spans_to_others() -> None:
    task = task_span("t")
    task.span_data.usage = {"input_tokens": 1}
    assert task.span_data.export() == {
        "type": "custom",
        "name": "task",
        "data": {"sdk_span_type": "task", "name": "t", "usage": {"input_tokens": 1}},
    }
    turn = turn_span(2, "a")
    turn.span_data.metadata = {"k": 1}
    assert turn.span_data.export()["data"] == {
        "sdk_span_type": "turn",
        "turn": 2,
        "agent_name": "a",
        "metadata": {"k": 1},
    }


def test_a_trace_knows_the_key_to_upload_it_with_and_tells_it_only_when_asked() -> None:
    set_trace_processors([])
    with trace("w", metadata={"m": 1}, tracing={"api_key": "sk-1"}) as t, agent_span("a") as span:
        pass
    assert (t.tracing_api_key, span.tracing_api_key, span.trace_metadata) == ("sk-1", "sk-1", {"m": 1})
    assert t.export() == t.to_json()
    assert t.to_json(include_tracing_api_key=True) == {**(t.export() or {}), "tracing_api_key": "sk-1"}
    assert "sk-1" not in str(t.export()) + str(span.export()) + repr(t) + repr(span)


def test_the_key_of_a_trace_is_not_stored() -> None:
    with trace("w", tracing={"api_key": "a-key-of-the-house"}), agent_span("a"):
        pass
    assert "a-key-of-the-house" not in traces().to_csv() + spans().to_csv()


def test_what_is_not_recorded_exports_nothing() -> None:
    with trace("w", disabled=True) as t, agent_span("a") as span:
        pass
    assert (t.export(), t.to_json(), span.export(), span.trace_id) == (None, None, None, "no-op")


class Numbered(TraceProvider):
    """Gives spans ids that tests can foresee."""

    def __init__(self) -> None:
        self.count = 0

    def create_span(
        self, span_data: Any, span_id: str | None = None, parent: Any = None, disabled: bool = False
    ) -> Any:
        self.count += 1
        return super().create_span(span_data, f"span_{self.count}", parent, disabled)

    def create_trace(self, name: str, *args: Any, **kwargs: Any) -> Trace:
        return super().create_trace(f"numbered {name}", *args, **kwargs)


def test_another_provider_makes_all_traces_and_spans() -> None:
    set_trace_processors([])
    own, numbered = get_trace_provider(), Numbered()
    set_trace_provider(numbered)
    assert get_trace_provider() is numbered is agentkit.tracing.GLOBAL_TRACE_PROVIDER
    with trace("w") as t, agent_span("a") as a, custom_span("c") as c:
        pass
    assert (t.name, a.span_id, c.span_id, c.parent_id) == ("numbered w", "span_1", "span_2", "span_1")
    set_trace_provider(own)
    with trace("w") as t:
        pass
    assert t.name == "w"


def test_the_provider_does_what_the_functions_do(recorder: Any) -> None:
    provider = get_trace_provider()
    provider.set_processors([])
    provider.register_processor(recorder)
    with provider.create_trace("w") as t, agent_span("a") as span:
        assert (provider.get_current_trace(), provider.get_current_span()) == (t, span)
    provider.force_flush()
    provider.shutdown()
    provider.set_disabled(True)
    assert isinstance(provider.create_trace("x"), NoOpTrace)
    whole = [("trace start", "w"), ("span start", "a"), ("span end", "a"), ("trace end", "w")]
    assert recorder.events == [*whole, ("flush", ""), ("shutdown", "")]


def test_the_provider_gives_ids_and_the_time() -> None:
    provider = get_trace_provider()
    ids = provider.gen_trace_id(), provider.gen_span_id(), provider.gen_group_id()
    assert [made.partition("_")[0] for made in ids] == ["trace", "span", "group"]
    assert datetime.fromisoformat(provider.time_iso()).tzinfo is not None


class Search(SpanData):
    """A kind of the user's own."""

    type = "search"

    def export(self) -> dict[str, Any]:
        return {"type": "search", "name": "attic"}


def test_the_provider_makes_spans_of_ones_own_kind() -> None:
    with trace("w") as t, get_trace_provider().create_span(Search()):
        pass
    assert list(spans(t)["kind"]) == ["search"]


# Where the context goes


@pytest.fixture
def position() -> Any:
    def where() -> tuple[str | None, str | None]:
        t, s = get_current_trace(), get_current_span()
        return (None if t is None else t.name), (None if s is None else s.span_data.name)

    return where


async def test_tasks_and_pool_threads_go_on_where_they_were_started(position: Any) -> None:
    async def task() -> Any:
        return position()

    with trace("w"), custom_span("s"):
        begun = asyncio.create_task(task())
        gathered = await asyncio.gather(task(), asyncio.to_thread(position))
    assert [await begun, *gathered] == [("w", "s")] * 3
    assert await asyncio.to_thread(position) == (None, None)


def test_threads_go_on_only_with_a_copied_context(position: Any) -> None:
    seen: list[Any] = []
    with trace("w"), custom_span("s"):
        context = contextvars.copy_context()
        for target in (lambda: seen.append(context.run(position)), lambda: seen.append(position())):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert seen == [("w", "s"), (None, None)]


@pytest.mark.parametrize("is_async", [True, False])
async def test_tools_run_inside_their_span(position: Any, is_async: bool) -> None:
    from agentkit import Agent, Runner, function_tool

    seen: list[Any] = []

    def look() -> str:
        seen.append(position())
        with custom_span("inside"):
            return "ok"

    async def look_async() -> str:
        return look()

    tool = function_tool(look_async if is_async else look, name_override="look")
    model = ScriptedModel(call("look"), "Done")
    with trace("outer") as t:
        await Runner.run(Agent(name="a", model=model, tools=[tool]), "Look")
    assert seen == [("outer", "look")]
    table = spans(t).set_index("name")
    assert table.loc["inside", "parent_id"] == table.loc["look", "span_id"]


async def test_runs_at_once_keep_their_traces_apart(position: Any) -> None:
    from agentkit import Agent, RunConfig, Runner, function_tool

    seen: dict[str, Any] = {}

    @function_tool
    async def look(who: str) -> str:
        await asyncio.sleep(0)
        seen[who] = position()
        return "ok"

    async def one(name: str) -> None:
        agent = Agent(name=name, model=ScriptedModel(call("look", who=name), "Done"), tools=[look])
        await Runner.run(agent, "Look", run_config=RunConfig(workflow_name=f"flow {name}"))

    await asyncio.gather(*(one(str(n)) for n in range(20)))
    assert seen == {str(n): (f"flow {n}", "look") for n in range(20)}


@pytest.mark.parametrize("how", ["environment", "call", "run"])
async def test_tracing_can_be_switched_off(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from agentkit import Agent, RunConfig, Runner

    if how == "environment":
        monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
    elif how == "call":
        set_tracing_disabled(True)
    await Runner.run(
        Agent(name="a", model=ScriptedModel("Hi")), "Hi", run_config=RunConfig(tracing_disabled=how == "run")
    )
    assert len(traces()) == 0
