"""What was said stays out of the store where it is to."""

from __future__ import annotations

import sqlite3
from types import SimpleNamespace
from typing import Any

import pytest

from agentkit import Agent, RunConfig, Runner, custom_span, function_span, function_tool, trace, traced
from agentkit.testing import ScriptedModel, call
from agentkit.tracing import (
    TracingProcessor,
    add_trace_processor,
    agent_span,
    flush_traces,
    generation_span,
    response_span,
    speech_group_span,
    speech_span,
    store_path,
    transcription_span,
)
from agentkit.tracing.feedback import feedback, rate

VARIABLE = "OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA"
QUIET = RunConfig(trace_include_sensitive_data=False)
SECRET = "the cat's name is Mimi"


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def agent(*answers: str, **options: Any) -> Agent[Any]:
    model = ScriptedModel()
    for answer in answers or (SECRET,):
        model.reply(answer)
    return Agent(name="Guide", model=model, **options)


def stored() -> str:
    """Return all that the tables hold, as one text."""
    flush_traces()
    connection = sqlite3.connect(store_path())
    try:
        return repr(
            [
                connection.execute(f"SELECT * FROM {table}").fetchall()
                for table in ("traces", "spans", "requests", "feedback")
            ]
        )
    finally:
        connection.close()


def columns(table: str, *names: str) -> list[tuple[Any, ...]]:
    flush_traces()
    connection = sqlite3.connect(store_path())
    try:
        return connection.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY started_ns, seq").fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("by_environment", [True, False])
async def test_of_an_error_that_leaves_a_block_only_the_kind_is_kept(
    by_environment: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by_environment:
        monkeypatch.setenv(VARIABLE, "0")
    with pytest.raises(ValueError, match="Mimi"), trace("workflow"), custom_span("step"):
        result = await Runner.run(agent(), SECRET, run_config=None if by_environment else QUIET)
        raise ValueError(f"can't use {result.final_output}")
    assert "Mimi" not in stored()
    errors = [error for (error,) in columns("spans", "error") + columns("traces", "error") if error]
    assert errors == ['{"message":"ValueError","data":null}'] * 2


async def test_where_a_run_may_be_recorded_the_error_is_told() -> None:
    with pytest.raises(ValueError, match="Mimi"), trace("workflow"):
        await Runner.run(agent(), "Hi")
        raise ValueError(f"can't use {SECRET}")
    assert columns("traces", "error") == [('{"message":"ValueError: can\'t use the cat\'s name is Mimi","data":null}',)]


@pytest.mark.parametrize("by_environment", [True, False])
async def test_a_rating_keeps_neither_question_nor_answer(
    by_environment: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by_environment:
        monkeypatch.setenv(VARIABLE, "0")
    config = RunConfig() if by_environment else QUIET
    rate(await Runner.run(agent(), SECRET, run_config=config), "up", "nice")
    streamed = Runner.run_streamed(agent(), SECRET, run_config=config)
    async for _ in streamed.stream_events():
        pass
    rate(streamed, "down")
    assert "Mimi" not in stored()
    kept = feedback()[["rating", "remark", "question", "answer", "agent", "model"]].astype(object)
    assert kept.where(kept.notna(), None).to_numpy().tolist() == [
        ["down", None, None, None, "Guide", "scripted"],
        ["up", "nice", None, None, "Guide", "scripted"],
    ]


async def test_a_traced_function_around_a_run_that_leaves_data_out_ends_without_its_own() -> None:
    @traced
    async def outer(question: str) -> str:
        flush_traces()  # the store has the span as running
        return str((await Runner.run(agent(), question, run_config=QUIET)).final_output)

    assert await outer(SECRET) == SECRET
    with trace("around"):
        await outer(SECRET)
    assert "Mimi" not in stored()
    assert [name for (name,) in columns("spans", "name")].count(outer.__qualname__.rpartition("<locals>.")[2]) == 2


async def test_a_traced_function_that_fails_there_ends_without_its_own() -> None:
    @traced
    async def outer(question: str) -> None:
        answer = (await Runner.run(agent(), question, run_config=QUIET)).final_output
        raise ValueError(answer)

    with pytest.raises(ValueError, match="Mimi"):
        await outer(SECRET)
    assert "Mimi" not in stored()


async def test_what_a_traced_function_is_told_to_record_stays() -> None:
    @traced(record_input=True)
    async def outer(question: str) -> str:
        return str((await Runner.run(agent("Yes."), question, run_config=QUIET)).final_output)

    await outer("Is it?")
    assert columns("traces", "input", "output") == [('{"question":"Is it?"}', None)]


async def test_a_traced_functions_trace_has_its_arguments_and_result() -> None:
    @traced
    async def outer(question: str) -> str:
        return f"{(await Runner.run(agent('Yes.'), question)).final_output}!"

    await outer("Is it?")
    assert columns("traces", "input", "output") == [('{"question":"Is it?"}', '"Yes.!"')]


def spans_of_ones_own() -> None:
    """Make a span of each kind that can hold what was said."""
    said = [{"role": "user", "content": SECRET}]
    answer = SimpleNamespace(id="resp_1", model="m", usage={"input_tokens": 2, "output_tokens": 3}, output=said)
    with trace("workflow"), agent_span("a"):
        with function_span("look", SECRET) as looked:
            flush_traces()
            looked.span_data.output = SECRET
        with generation_span(said, model="m") as generated:
            flush_traces()
            generated.span_data.output = said
        with response_span(answer) as answered:
            answered.span_data.input = said
            flush_traces()
        with transcription_span(output=SECRET), speech_group_span(SECRET), speech_span(input=SECRET):
            flush_traces()


@pytest.mark.parametrize("value", ["0", " 0 ", "False", "no", "OFF\n"])
def test_the_environment_keeps_it_out_of_spans_that_are_ones_own(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class Watcher(TracingProcessor):
        def on_trace_start(self, trace: Any) -> None: ...
        def on_trace_end(self, trace: Any) -> None: ...
        def on_span_start(self, span: Any) -> None: ...
        def on_span_end(self, span: Any) -> None:
            seen.append(str(span.export()))

        def shutdown(self) -> None: ...
        def force_flush(self) -> None: ...

    states: list[str] = []
    monkeypatch.setenv(VARIABLE, value)
    add_trace_processor(Watcher())
    monkeypatch.setattr("agentkit.tracing.batching.Batcher.flush", _flush_and_look(states))
    spans_of_ones_own()
    assert "Mimi" not in stored()
    assert states
    assert not [state for state in states if "Mimi" in state]  # nor while they were under way
    assert "Mimi" not in "".join(seen)
    called = [row for row in columns("spans", "kind", "model", "input_tokens", "data") if row[0] == "response"]
    assert called == [("response", "m", 2, '{"response_id":"resp_1"}')]
    assert not RunConfig().trace_include_sensitive_data


def _flush_and_look(states: list[str]) -> Any:
    from agentkit.tracing.batching import Batcher

    flush = Batcher.flush

    def flushed(self: Any, *args: Any) -> Any:
        done = flush(self, *args)
        connection = sqlite3.connect(store_path())
        states.append(repr(connection.execute("SELECT * FROM spans").fetchall()))
        connection.close()
        return done

    return flushed


def test_without_the_variable_spans_of_ones_own_have_it() -> None:
    spans_of_ones_own()
    held = {kind for kind, *texts in columns("spans", "kind", "input", "output") if "Mimi" in repr(texts)}
    assert held == {"function", "generation", "response", "transcription", "speech_group", "speech"}


async def test_a_run_that_is_told_to_keep_it_does_so_against_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "0")

    @function_tool
    def look(place: str) -> str:
        """Look."""
        return f"{place}: empty"

    model = ScriptedModel().reply(call("look", place="attic")).reply("Nothing.")
    looking = Agent(name="A", model=model, tools=[look])
    await Runner.run(looking, "Is it there?", run_config=RunConfig(trace_include_sensitive_data=True))
    assert columns("traces", "input", "output") == [('"Is it there?"', '"Nothing."')]
    tools = [row[1:] for row in columns("spans", "kind", "input", "output") if row[0] == "function"]
    assert tools == [('"{\\"place\\":\\"attic\\"}"', '"attic: empty"')]


def test_data_of_custom_spans_is_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    with trace("workflow", metadata={"who": "me"}), custom_span("rating", {"scale": 10}):
        pass
    assert columns("spans", "data") == [('{"scale":10}',)]
    assert columns("traces", "metadata") == [('{"who":"me"}',)]
