from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from agentkit.tracing import (
    NoOpSpan,
    agent_span,
    custom_span,
    get_current_span,
    get_current_trace,
    set_trace_processors,
    trace,
)


@pytest.fixture(autouse=True)
def _no_store() -> None:
    set_trace_processors([])


@pytest.fixture(autouse=True)
def _nothing_left_current() -> Iterator[None]:
    assert (get_current_trace(), get_current_span()) == (None, None)
    yield
    assert (get_current_trace(), get_current_span()) == (None, None)


def test_spans_belong_to_the_current_trace_and_nest_under_the_current_span() -> None:
    with trace("w") as t:
        assert (get_current_trace(), get_current_span()) == (t, None)
        with agent_span("a") as a:
            assert get_current_span() is a
            with custom_span("b") as b:
                assert get_current_span() is b
            assert get_current_span() is a
        assert get_current_span() is None
    assert [(s.trace_id, s.parent_id, s.depth) for s in (a, b)] == [
        (t.trace_id, None, 0),
        (t.trace_id, a.span_id, 1),
    ]


def test_a_trace_inside_a_trace_has_spans_of_its_own() -> None:
    with trace("outer") as outer, custom_span("x") as x:
        with trace("inner") as inner:
            assert (get_current_trace(), get_current_span()) == (inner, None)
            with custom_span("y") as y:
                pass
        assert (get_current_trace(), get_current_span()) == (outer, x)
    assert (y.trace_id, y.parent_id) == (inner.trace_id, None)


def test_started_by_hand_they_are_current_only_if_asked_for() -> None:
    t = trace("w")
    t.start()
    assert get_current_trace() is None
    t.finish()
    t = trace("w")
    t.start(mark_as_current=True)
    span = custom_span("s")
    span.start(mark_as_current=True)
    assert (get_current_trace(), get_current_span()) == (t, span)
    span.finish(reset_current=True)
    assert get_current_span() is None
    t.finish(reset_current=True)


def test_a_given_parent_counts_more_than_the_current_span() -> None:
    other = trace("other")
    above = custom_span("above", parent=other)
    with trace("w"), custom_span("current"):
        below = custom_span("below", parent=above)
        with below:
            assert get_current_trace() is other
    assert (below.trace_id, below.parent_id, below.depth) == (other.trace_id, above.span_id, 1)


def test_an_ended_trace_is_no_longer_current_even_where_nobody_reset_it() -> None:
    def run() -> None:
        with trace("outer") as outer:
            t = trace("w")
            t.start(mark_as_current=True)
            t.finish()
            assert get_current_trace() is outer

    contextvars.copy_context().run(run)


def test_leaving_a_span_leaves_those_left_open_inside_it() -> None:
    with trace("w"), custom_span("outer") as outer:
        with custom_span("inner"):
            custom_span("left open").start(mark_as_current=True)
        assert get_current_span() is outer


def test_a_span_outside_any_trace_is_not_recorded_and_never_current(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "agentkit.tracing"), custom_span("lonely") as span:
        assert (get_current_span(), get_current_trace()) == (None, None)
    assert type(span) is NoOpSpan
    assert span.export() is None
    assert [record.levelname for record in caplog.records] == ["DEBUG"]
    assert "with trace(" in caplog.text


async def test_each_task_has_its_own_current_span() -> None:
    both_inside = asyncio.Barrier(2)

    async def work(name: str) -> tuple[str | None, str | None, str]:
        with custom_span(name) as span:
            await both_inside.wait()
            with custom_span("inner") as inner:
                await both_inside.wait()
            return span.parent_id, inner.parent_id, span.span_id

    with trace("w"), agent_span("a") as a:
        results = await asyncio.gather(work("one"), work("two"))
        assert get_current_span() is a
    for parent_of_span, parent_of_inner, span_id in results:
        assert (parent_of_span, parent_of_inner) == (a.span_id, span_id)


def test_a_thread_with_a_copied_context_goes_on_where_its_maker_was() -> None:
    seen = []

    def work() -> None:
        with custom_span("in thread") as span:
            seen.append(span.parent_id)

    with trace("w"), custom_span("outer") as outer:
        for run in (contextvars.copy_context().run, lambda call: call()):
            thread = threading.Thread(target=run, args=(work,))
            thread.start()
            thread.join()
    assert seen == [outer.span_id, None]


async def test_a_stream_may_be_finished_by_another_task_than_began_it() -> None:
    async def stream() -> AsyncIterator[int]:
        with trace("w"), custom_span("streaming"):
            yield 1
            yield 2

    pieces = stream()
    first = await asyncio.create_task(anext(pieces))
    rest = await asyncio.create_task(_drained(pieces))
    assert (first, rest) == (1, [2])


async def _drained(pieces: AsyncIterator[int]) -> list[int]:
    return [piece async for piece in pieces]


async def test_where_a_stream_was_begun_its_ended_trace_is_not_current() -> None:
    async def stream() -> AsyncIterator[int]:
        with trace("w"):
            yield 1

    async def begin_here_and_end_elsewhere() -> object:
        pieces = stream()
        await anext(pieces)
        assert get_current_trace() is not None  # the generator runs in this task's context
        await asyncio.create_task(_drained(pieces))
        return get_current_trace()

    assert await asyncio.create_task(begin_here_and_end_elsewhere()) is None
