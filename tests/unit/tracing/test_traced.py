"""`@traced`: a span for each call of a user's own function."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

import pytest

from agentkit import Agent, GuardrailFunctionOutput, RunConfig, Runner, function_tool, input_guardrail
from agentkit.exceptions import UserError
from agentkit.records.frames import spans
from agentkit.records.traces import traces
from agentkit.testing import ScriptedModel, call
from agentkit.tracing import (
    add_trace_processor,
    flush_traces,
    function_span,
    get_current_span,
    get_current_trace,
    set_trace_processors,
    set_tracing_disabled,
    trace,
)
from agentkit.tracing.decorator import traced
from agentkit.tracing.snapshot import snapshot

from .conftest import Recorder


def rows() -> list[tuple[Any, ...]]:
    """What is stored of each span, in tree order: depth, name, status, input, output."""
    frame = spans()[["depth", "name", "status", "input", "output"]].astype(object)
    return list(frame.where(frame.notna(), None).itertuples(index=False, name=None))


def test_a_call_is_a_span_with_arguments_and_result() -> None:
    @traced
    def add(a: int, *more: int, scale: float = 1.0) -> float:
        return scale * (a + sum(more))

    with trace("sums"):
        assert add(1, 2, 3, scale=2.0) == 12.0
    assert rows() == [(0, "add", "ok", '{"a":1,"more":[2,3],"scale":2.0}', "12.0")]


def test_a_call_without_a_trace_is_a_trace_of_its_own() -> None:
    @traced(name="outer")
    def outer(x: int) -> int:
        assert get_current_trace() is not None
        return inner(x) + 1

    @traced
    def inner(x: int) -> int:
        return 2 * x

    assert outer(3) == 7
    assert get_current_trace() is None
    (one,) = traces()[["workflow", "status", "input", "output"]].itertuples(index=False)
    assert tuple(one) == ("outer", "ok", '{"x":3}', "7")
    assert rows() == [(0, "outer", "ok", '{"x":3}', "7"), (1, "inner", "ok", '{"x":3}', "6")]


def test_what_is_raised_is_noted_and_goes_on() -> None:
    @traced
    def fail() -> None:
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        fail()
    assert list(spans()["error"]) == ["ValueError: no such thing (type: ValueError)"]
    assert list(traces()["status"]) == ["error"]


async def test_coroutines_are_traced_each_in_its_own_task() -> None:
    @traced
    async def double(x: int) -> int:
        await asyncio.sleep(0)
        return 2 * x

    with trace("parallel"):
        assert await asyncio.gather(*(double(x) for x in range(3))) == [0, 2, 4]
    assert [row[0] for row in rows()] == [0, 0, 0]
    assert {row[4] for row in rows()} == {"0", "2", "4"}


async def test_a_cancelled_coroutine_is_cancelled() -> None:
    started = asyncio.Event()

    @traced
    async def wait() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(spans()["status"]) == ["cancelled"]
    assert list(traces()["status"]) == ["cancelled"]


def test_a_generators_span_lasts_to_its_end_and_is_current_only_while_it_works() -> None:
    @traced
    def count(n: int) -> Iterator[int]:
        for i in range(n):
            with function_span("step"):
                pass
            yield i

    outside = []
    with trace("loop"):
        for _ in count(2):
            outside.append(get_current_span())
    assert outside == [None, None]
    assert [(row[0], row[1], row[4]) for row in rows()] == [(0, "count", "[0,1]"), (1, "step", None), (1, "step", None)]


def test_a_generator_keeps_send_throw_close_and_its_result() -> None:
    @traced
    def talk() -> Iterator[Any]:
        heard = yield "ready"
        try:
            yield heard
        except KeyError:
            yield "caught"
        return "over"

    plain, talking = talk.__wrapped__(), talk()  # type: ignore[attr-defined]
    for each in (plain, talking):
        said = [next(each), each.send("hello"), each.throw(KeyError("x"))]
        with pytest.raises(StopIteration) as stop:
            next(each)
        assert (said, stop.value.value) == (["ready", "hello", "caught"], "over")
    closed = talk()
    next(closed)
    closed.close()
    flush_traces()
    frame = spans()
    assert sorted(zip(frame["status"], frame["output"], strict=True)) == [
        ("ok", '["ready","hello","caught"]'),
        ("ok", '["ready"]'),
    ]


async def test_an_async_generator_keeps_asend_athrow_and_aclose() -> None:
    @traced
    async def talk() -> AsyncIterator[Any]:
        heard = yield "ready"
        try:
            yield heard
        except KeyError:
            yield "caught"

    for each in (talk.__wrapped__(), talk()):  # type: ignore[attr-defined]
        said = [await anext(each), await each.asend("hello"), await each.athrow(KeyError("x"))]
        assert said == ["ready", "hello", "caught"]
        with pytest.raises(StopAsyncIteration):
            await anext(each)
    closed = talk()
    await anext(closed)
    await closed.aclose()
    frame = spans()
    assert sorted(frame["output"]) == ['["ready","hello","caught"]', '["ready"]']
    assert list(frame["status"]) == ["ok", "ok"]


async def test_what_fails_within_generators_is_noted() -> None:
    @traced
    def one() -> Iterator[int]:
        yield 1
        raise RuntimeError("sync")

    @traced
    async def two() -> AsyncIterator[int]:
        yield 1
        raise RuntimeError("async")

    with pytest.raises(RuntimeError):
        list(one())
    with pytest.raises(RuntimeError):
        _ = [item async for item in two()]
    assert sorted(spans()["error"]) == [
        "RuntimeError: async (type: RuntimeError)",
        "RuntimeError: sync (type: RuntimeError)",
    ]


def test_methods_are_traced_without_self() -> None:
    class Index:
        @traced
        def search(self, query: str) -> str:
            return query.upper()

        @classmethod
        @traced
        def make(cls, size: int) -> int:
            return size

        @traced  # type: ignore[arg-type]
        @staticmethod
        def check(word: str) -> bool:
            return bool(word)

        @traced  # type: ignore[arg-type]
        @classmethod
        def other(cls) -> str:
            return cls.__name__

    assert (Index().search("a"), Index.make(3), Index.check("x"), Index.other()) == ("A", 3, True, "Index")
    with trace("again"):
        Index().search(query="b")
    frame = spans()
    assert dict(zip(frame["name"], frame["input"], strict=True)) == {
        "Index.search": '{"query":"a"}',
        "Index.make": '{"size":3}',
        "Index.check": '{"word":"x"}',
        "Index.other": "{}",
    }


def test_arguments_are_kept_as_they_were_at_the_call() -> None:
    @traced
    def grow(items: list[int]) -> list[int]:
        items.append(1)
        return items

    given: list[int] = []
    result = grow(given)
    result.clear()
    assert [(row[3], row[4]) for row in rows()] == [('{"items":[]}', "[1]")]


def test_input_and_output_are_left_out_where_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    @traced(record_input=False)
    def one(x: int) -> int:
        return x

    @traced(record_output=False)
    def two(x: int) -> int:
        return x

    @traced
    def three(x: int) -> int:
        raise ValueError(f"bad {x}")

    @traced(record_input=True)
    def four(x: int) -> int:
        return x

    with trace("kept"):
        one(1)
        two(2)
    monkeypatch.setenv("OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA", "0")
    with trace("left out"):
        with pytest.raises(ValueError, match="bad 3"):
            three(3)
        four(4)
    frame = spans()
    texts = frame[["name", "input", "output", "error"]].fillna("")
    found = {name: tuple(rest) for name, *rest in texts.itertuples(index=False)}
    assert found == {
        "one": ("", "1", ""),
        "two": ('{"x":2}', "", ""),
        "three": ("", "", "ValueError (type: ValueError)"),
        "four": ('{"x":4}', "", ""),
    }


@pytest.mark.parametrize("included", [True, False])
async def test_where_a_run_leaves_data_out_so_do_traced_functions_in_it(included: bool) -> None:
    @traced
    def look(city: str) -> str:
        return f"sunny in {city}"

    @function_tool
    def weather(city: str) -> str:
        """Say how the weather is."""
        return look(city)

    @input_guardrail
    async def polite(context: Any, agent: Any, asked: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info=look(str(asked)), tripwire_triggered=False)

    model = ScriptedModel().reply(call("weather", city="Oslo")).reply("done")
    agent = Agent(name="A", model=model, tools=[weather], input_guardrails=[polite])
    await Runner.run(agent, "How is it?", run_config=RunConfig(trace_include_sensitive_data=included))
    found = spans()
    looked = found[found["name"] == "look"]
    assert len(looked) == 2
    assert set(looked["input"].fillna("")) == ({'{"city":"How is it?"}', '{"city":"Oslo"}'} if included else {""})
    assert set(looked["output"].fillna("")) == ({"sunny in How is it?", "sunny in Oslo"} if included else {""})


def test_keys_are_not_stored() -> None:
    @traced
    def call(api_key: str) -> str:
        return f"Bearer {api_key}"

    call("sk-abcdefghijklmnopqrstuvwxyz0123456789")
    (row,) = rows()
    assert row[3:] == ('{"api_key":"sk-[redacted]"}', "Bearer sk-[redacted]")


def test_nothing_is_recorded_where_tracing_is_off(monkeypatch: pytest.MonkeyPatch, recorder: Recorder) -> None:
    @traced
    def work() -> int:
        return 1

    @traced
    def items() -> Iterator[int]:
        yield work()

    add_trace_processor(recorder)
    set_tracing_disabled(True)
    assert [work(), *items()] == [1, 1]
    set_tracing_disabled(False)
    with trace("disabled", disabled=True):
        assert [work(), *items()] == [1, 1]
    set_tracing_disabled(None)  # type: ignore[arg-type]
    monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
    assert [work(), *items()] == [1, 1]
    monkeypatch.delenv("OPENAI_AGENTS_DISABLE_TRACING")
    assert recorder.events == []
    set_trace_processors([])
    assert work() == 1


def test_in_a_thread_with_the_context_it_is_part_of_the_trace() -> None:
    @traced
    def work() -> int:
        return 1

    with trace("threads") as around:
        thread = threading.Thread(target=copy_context().run, args=(work,))
        thread.start()
        thread.join()
    assert list(spans(around)["name"]) == ["work"]


def test_a_call_after_its_trace_ended_is_a_trace_of_its_own() -> None:
    @traced
    def late() -> None: ...

    ended = trace("early")
    ended.start(mark_as_current=True)
    ended.finish()
    late()
    ended.finish(reset_current=True)
    assert sorted(traces()["workflow"]) == ["early", "late"]


def test_the_function_keeps_its_signature_and_nature() -> None:
    @traced
    async def fetch(address: str, *, times: int = 1) -> bytes:
        """Get it."""
        return b""

    @traced
    def items() -> Iterator[int]:
        yield 1

    @traced
    async def more() -> AsyncIterator[int]:
        yield 1

    assert str(inspect.signature(fetch)) == "(address: 'str', *, times: 'int' = 1) -> 'bytes'"
    assert (fetch.__name__, fetch.__doc__) == ("fetch", "Get it.")
    assert inspect.iscoroutinefunction(fetch)
    assert inspect.isgeneratorfunction(items)
    assert inspect.isasyncgenfunction(more)


def test_a_kind_of_ones_own_and_a_tool_are_stored_so() -> None:
    @traced(kind="retriever")
    def search() -> None: ...

    @traced(kind="function")
    def tool() -> None: ...

    with trace("kinds"):
        search()
        tool()
    assert list(spans()["kind"]) == ["retriever", "function"]
    assert list(traces()["tool_calls"]) == [1]


def test_mistakes_are_told() -> None:
    with pytest.raises(UserError, match="takes a function, not <class"):
        traced(type("Class", (), {}))
    with pytest.raises(UserError, match="takes a function, not 'search'"):
        traced("search")  # type: ignore[type-var]
    with pytest.raises(UserError, match="can't be a span of kind 'response'"):
        traced(kind="response")
    with pytest.raises(UserError, match="got name=3"):
        traced(name=3)  # type: ignore[call-overload]
    with pytest.raises(UserError, match="traced has no argument 'nme'. Did you mean name?"):
        traced(nme="x")  # type: ignore[call-overload]
    with pytest.raises(UserError, match="traced got record_input='no'. It is True, False or None."):
        traced(record_input="no")  # type: ignore[call-overload]
    with pytest.raises(UserError, match="traced got record_output=0"):
        traced(record_output=0)  # type: ignore[call-overload]
    with pytest.raises(UserError, match="trace has no argument 'meta'. Did you mean metadata?"):
        trace("w", meta={})  # type: ignore[call-arg]
    with pytest.raises(UserError, match="trace needs workflow_name"):
        trace()  # type: ignore[call-arg]


def test_a_snapshot_uses_nothing_up_and_never_raises() -> None:
    class Bad:
        def __repr__(self) -> str:
            raise RuntimeError

    @dataclass
    class Pair:
        left: Any
        right: Any

    numbers = iter([1, 2])
    circle: list[Any] = []
    circle.append(circle)
    given = {"n": numbers, 1: Pair(b"abc", {2}), "bad": Bad(), "class": int}
    kept = snapshot(given)
    assert list(numbers) == [1, 2]
    assert kept.pop("n").startswith("<list_iterator object at")
    assert kept == {
        "1": {"left": "<3 bytes>", "right": [2]},
        "bad": "<Bad whose repr raises RuntimeError>",
        "class": "<class 'int'>",
    }
    assert str(snapshot(circle)).count("[") == 33
    many = snapshot(list(range(20_000)))
    assert (len(many), many[-1]) == (10_000, "… (10,001 more)")


def test_numbers_of_numpy_are_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    assert snapshot([numpy.int64(3), numpy.float32(0.5)]) == [3, 0.5]
