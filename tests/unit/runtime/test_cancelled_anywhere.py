"""A run that is stopped at any await: nothing goes on, nothing is left open, nothing is half written."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from agentkit import Agent, Runner, SQLiteSession, function_tool, set_trace_processors
from agentkit.runtime.background import run_blocking
from agentkit.testing import ScriptedModel
from agentkit.tracing.processors import reset_tracing

from .seen import SpanLog, check_hooks, unanswered
from .stepping import SlowHooks, SteppingLoop, in_steps, rich_agent, rich_config

STOPPED = "The run was stopped before this call had finished."


@pytest.fixture(autouse=True)
def _own_tracing() -> Iterator[None]:
    yield
    reset_tracing()


class Attempt:
    """One run on a session in a file, and what has to hold once it has been stopped."""

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        self.spans, self.hooks = SpanLog(), SlowHooks()
        set_trace_processors([self.spans])
        self.session = SQLiteSession(name, path)
        self.agent = rich_agent()
        self.arguments: dict[str, Any] = {
            "session": self.session, "hooks": self.hooks, "run_config": rich_config(),
        }  # fmt: skip

    async def run(self) -> Any:
        return await Runner.run(self.agent, "Hi", **self.arguments)

    def run_streamed(self) -> Any:
        return Runner.run_streamed(self.agent, "Hi", **self.arguments)

    async def check(self, *, whole: bool = False) -> list[dict[str, Any]]:
        """Fail unless all is tidy, and return what the session holds."""
        assert asyncio.all_tasks() == {asyncio.current_task()}
        self.spans.check(traces=len(self.spans.traces))
        assert len(self.spans.traces) <= 1
        check_hooks(self.hooks.events, whole=whole)
        kept = await SQLiteSession(self.name, self.path).get_items()
        assert unanswered(kept) == []
        assert [item for item in kept if item.get("role") == "user"] == (
            [{"role": "user", "content": "Hi"}] if kept else []
        )
        return kept

    async def goes_on(self, kept: list[dict[str, Any]]) -> None:
        """Fail unless the conversation can be gone on with."""
        model = ScriptedModel("Here I am.")
        await Runner.run(Agent(name="next", model=model), "Still there?", session=self.session)
        asked = {"role": "user", "content": "Still there?"}
        assert model.requests[0].input[: len(kept) + 1] == [*kept, asked]
        held = await self.session.get_items()
        assert held[: len(kept) + 1] == [*kept, asked]
        assert len(held) == len(kept) + 2
        self.session.close()


def is_beginning(kept: list[dict[str, Any]], whole: list[dict[str, Any]]) -> bool:
    """Return whether a conversation is the beginning of another, but for what says that it was stopped."""
    real = [item for item in kept if item.get("output") != STOPPED and item.get("status") != "incomplete"]
    places = [whole.index(item) for item in real]
    lacks = set(range(places[-1] if places else 0)) - set(places)
    return places == sorted(places) and all(whole[place]["type"] == "function_call_output" for place in lacks)


async def the_whole(path: Path, run: Callable[[Attempt], Awaitable[Any]]) -> tuple[list[dict[str, Any]], int]:
    """Return the conversation of a run that nobody stops, and how many steps it takes."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SteppingLoop)
    attempt, before = Attempt(path, "whole"), loop.steps
    await run(attempt)
    steps = loop.steps - before
    kept = await attempt.check(whole=True)
    assert len(kept) == 18
    return kept, steps


def stopped_at_each_step(path: Path, run: Callable[[Attempt], Awaitable[Any]]) -> None:
    """Cancel `run` after one step, after two, and so on until it is through."""

    async def main(loop: SteppingLoop) -> None:
        whole, steps = await the_whole(path, run)
        assert steps > 50
        outcomes = set()
        for step in range(1, steps + 20):
            attempt = Attempt(path, str(step))
            task = asyncio.ensure_future(run(attempt))
            loop.after(step, task.cancel)
            await asyncio.wait({task})
            loop.forget()
            kept = await attempt.check()
            outcomes.add(task.cancelled())
            assert is_beginning(kept, whole), (step, kept)
            status = {trace.status for trace in attempt.spans.traces}
            assert status <= {"cancelled"} or (status == {"ok"} and kept == whole)
            assert task.cancelled() or kept == whole
            await attempt.goes_on(kept)
        assert outcomes == {True, False}

    in_steps(main)


def test_a_run_cancelled_at_any_await_leaves_nothing_behind(tmp_path: Path) -> None:
    stopped_at_each_step(tmp_path / "sessions.db", Attempt.run)


async def watched(attempt: Attempt) -> None:
    async with aclosing(attempt.run_streamed().stream_events()) as events:
        async for _ in events:
            pass


def test_a_streamed_run_whose_watcher_is_cancelled_at_any_await_leaves_nothing_behind(tmp_path: Path) -> None:
    stopped_at_each_step(tmp_path / "sessions.db", watched)


def test_breaking_out_of_the_events_of_a_streamed_run_at_any_of_them_leaves_nothing_behind(tmp_path: Path) -> None:
    async def main(loop: SteppingLoop) -> None:
        whole, _ = await the_whole(tmp_path / "sessions.db", watched)
        more, count = True, 0
        while more:
            attempt = Attempt(tmp_path / "sessions.db", str(count))
            result, more = attempt.run_streamed(), False
            async for number, _event in aenumerate(result.stream_events()):
                if number == count:
                    more = True
                    break
            count += 1
            while len(asyncio.all_tasks()) > 1:  # the loop closes the iterator that was left, and that the run
                await asyncio.sleep(0)
            kept = await attempt.check()
            assert is_beginning(kept, whole)
            assert kept == [item for item in result.to_input_list() if result.new_items]
            assert result.status == "cancelled" or (result.status == "completed" and kept == whole)
            await attempt.goes_on(kept)
        assert count > 50

    in_steps(main)


async def aenumerate(events: AsyncIterator[Any]) -> AsyncIterator[tuple[int, Any]]:
    number = 0
    async for event in events:
        yield number, event
        number += 1


@pytest.mark.parametrize("mode", ["immediate", "after_turn"])
def test_a_streamed_run_that_is_told_to_stop_at_any_step_leaves_nothing_behind(tmp_path: Path, mode: Any) -> None:
    async def main(loop: SteppingLoop) -> None:
        whole, steps = await the_whole(tmp_path / "sessions.db", watched)
        statuses = set()
        for step in range(steps + 20):
            attempt = Attempt(tmp_path / "sessions.db", str(step))
            result = attempt.run_streamed()
            loop.after(step, lambda result=result: result.cancel(mode)) if step else result.cancel(mode)
            try:
                async for _ in result.stream_events():
                    pass
            finally:
                loop.forget()
            kept = await attempt.check(whole=mode == "after_turn")
            assert is_beginning(kept, whole)
            assert kept == [item for item in result.to_input_list() if result.new_items]
            assert mode == "immediate" or kept == whole[: len(kept)]
            statuses.add(result.status)
            await attempt.goes_on(kept)
        assert statuses == {"cancelled", "completed"}

    in_steps(main)


def test_a_run_cancelled_again_and_again_from_any_await_on_leaves_nothing_behind(tmp_path: Path) -> None:
    async def main(loop: SteppingLoop) -> None:
        whole, steps = await the_whole(tmp_path / "sessions.db", Attempt.run)
        for step in range(1, steps):
            attempt = Attempt(tmp_path / "sessions.db", str(step))
            task = asyncio.ensure_future(attempt.run())
            for again in range(4):
                loop.after(step + again, task.cancel)
            await asyncio.wait({task})
            loop.forget()
            assert is_beginning(await attempt.check(), whole)

    in_steps(main)


class InterruptingHooks(SlowHooks):
    """Interrupts the main thread at the n-th event, as Ctrl-C does, and lets the run go no further."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def __getattribute__(self, name: str) -> Any:
        method = super().__getattribute__(name)
        if not name.startswith("on_"):
            return method

        async def counted(*args: Any) -> None:
            await method(*args)
            if len(self.events) == self.at:
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                await asyncio.Event().wait()

        return counted


def test_run_sync_interrupted_at_any_event_leaves_nothing_behind(tmp_path: Path) -> None:
    attempt = Attempt(tmp_path / "sessions.db", "whole")
    Runner.run_sync(attempt.agent, "Hi", **attempt.arguments)
    count = len(attempt.hooks.events)
    whole = run_blocking(attempt.check(whole=True))
    assert count > 15
    for at in range(1, count + 1):
        attempt = Attempt(tmp_path / "sessions.db", str(at))
        attempt.hooks = attempt.arguments["hooks"] = InterruptingHooks(at)
        with pytest.raises(KeyboardInterrupt):
            Runner.run_sync(attempt.agent, "Hi", **attempt.arguments)
        kept = run_blocking(attempt.check())
        assert is_beginning(kept, whole)
        assert {trace.status for trace in attempt.spans.traces} == {"cancelled"}
        run_blocking(attempt.goes_on(kept))


def test_run_sync_interrupted_in_a_tool_of_the_callers_thread_leaves_nothing_behind(tmp_path: Path) -> None:
    @function_tool
    def count(to: int) -> int:
        assert threading.current_thread() is threading.main_thread()
        signal.raise_signal(signal.SIGINT)
        return to

    attempt = Attempt(tmp_path / "sessions.db", "tool")
    attempt.agent.tools = [count if tool.name == "count" else tool for tool in attempt.agent.tools]
    with pytest.raises(KeyboardInterrupt):
        Runner.run_sync(attempt.agent, "Hi", **attempt.arguments)
    kept = run_blocking(attempt.check())
    assert [item["output"] for item in kept if item.get("call_id") == "count_1" and "output" in item] == [STOPPED]
    run_blocking(attempt.goes_on(kept))
