"""Where sync functions of the user are called."""

from __future__ import annotations

import asyncio
import contextvars
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agentkit import Agent, Runner, ToolContext, UserError, function_tool
from agentkit.runtime.background import run_blocking
from agentkit.testing import ScriptedModel, call
from agentkit.tooling import FunctionTool
from agentkit.tooling.callers_thread import WaitingThread
from agentkit.tooling.executor import RunIn, call_in, call_in_thread

name = contextvars.ContextVar("name", default="nobody")


def here() -> str:
    return threading.current_thread().name


def asks(tool: FunctionTool, times: int = 1) -> Agent[Any]:
    return Agent(name="a", model=ScriptedModel([call(tool.name)] * times, "Done."), tools=[tool])


def outputs(agent: Agent[Any]) -> list[Any]:
    result = Runner.run_sync(agent, "Go")
    return [item.output for item in result.new_items if item.type == "tool_call_output_item"]


async def test_where_nobody_waits_a_call_has_a_thread_of_its_own() -> None:
    assert await call_in_thread(here) == "agentkit-tool"


def test_a_thread_that_waits_makes_the_calls_itself() -> None:
    mine = threading.get_ident()

    async def work() -> list[int]:
        return [await call_in_thread(threading.get_ident), await call_in_thread(threading.get_ident)]

    assert run_blocking(work()) == [mine, mine]


def test_calls_in_a_waiting_thread_come_one_after_another() -> None:
    order: list[str] = []

    def note(which: str) -> None:
        order.append(f"{which} begins")
        order.append(f"{which} ends")

    async def work() -> None:
        await asyncio.gather(*[call_in_thread(note, which) for which in "abc"])

    run_blocking(work())
    assert order == ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]


def test_calls_have_the_context_variables_of_who_made_them() -> None:
    async def work() -> str:
        name.set("the run")
        return await call_in_thread(name.get)

    name.set("the caller")
    assert run_blocking(work()) == "the run"
    assert name.get() == "the caller"


@pytest.mark.parametrize("run_in", [None, "caller"])
def test_a_tool_may_use_a_connection_of_the_waiting_thread(run_in: RunIn | None) -> None:
    with sqlite3.connect(":memory:") as connection:

        @function_tool(run_in=run_in)
        def count() -> int:
            return int(connection.execute("select 42").fetchone()[0])

        assert outputs(asks(count)) == [42]
    connection.close()


async def test_a_tool_for_the_caller_is_called_by_the_loop_where_nobody_waits() -> None:
    with sqlite3.connect(":memory:") as connection:

        @function_tool(run_in="caller")
        def count() -> int:
            return int(connection.execute("select 42").fetchone()[0])

        assert (await Runner.run(asks(count), "Go")).new_items[1].output == 42
    connection.close()


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_connection_in_the_wrong_thread_gets_a_hint(kind: str) -> None:
    connection = sqlite3.connect(":memory:")

    def count() -> int:
        return int(connection.execute("select 42").fetchone()[0])

    async def count_async() -> int:
        return count()

    agent = asks(function_tool(count if kind == "sync" else count_async))
    result = await Runner.run(agent, "Go") if kind == "sync" else await asyncio.to_thread(Runner.run_sync, agent, "Go")
    connection.close()
    said = result.new_items[1].output
    assert "SQLite objects created in a thread can only be used in that same thread" in said
    assert 'make the tool from a plain `def` with run_in="caller"' in said
    assert said.count("check_same_thread=False") == 1


def test_tools_in_threads_overlap_though_somebody_waits() -> None:
    met = threading.Barrier(2, timeout=20)

    @function_tool(run_in="thread")
    def meet() -> str:
        met.wait()
        return here()

    assert outputs(asks(meet, times=2)) == ["agentkit-tool", "agentkit-tool"]


def test_a_tool_with_a_timeout_has_a_thread_of_its_own() -> None:
    assert outputs(asks(function_tool(here, timeout=20))) == ["agentkit-tool"]
    assert outputs(asks(function_tool(here, timeout=20, run_in="caller"))) == [here()]


def test_a_place_that_there_is_not_is_refused() -> None:
    with pytest.raises(UserError, match=r"A tool can't run in 'process'.*run_in=\"thread\""):
        function_tool(here, run_in="process")  # type: ignore[call-overload]


def test_a_tool_finds_no_running_event_loop() -> None:
    @function_tool
    def run() -> str:
        return asyncio.run(asyncio.sleep(0, "ran"))

    async def in_a_loop() -> list[Any]:  # as a notebook's cell is
        return outputs(asks(run))

    assert asyncio.run(in_a_loop()) == ["ran"]


def inner_run(tool: FunctionTool) -> Callable[[], str]:
    def run() -> str:
        return f"{outputs(asks(tool))[0]}"

    return run


def test_a_run_inside_a_tool_calls_its_tools_in_the_same_thread() -> None:
    middle = inner_run(function_tool(here))
    outer = inner_run(function_tool(middle, name_override="middle"))
    assert outputs(asks(function_tool(outer, name_override="outer"))) == [here()]


def test_a_run_awaited_inside_an_async_tool_calls_its_tools_in_the_waiting_thread() -> None:
    @function_tool
    async def outer() -> Any:
        return (await Runner.run(asks(function_tool(here)), "Go")).new_items[1].output

    assert outputs(asks(outer)) == [here()]


def test_runs_inside_tools_side_by_side_do_not_wait_for_each_other() -> None:
    """One blocks the caller's thread by a run, and the other the event loop that this run needs."""

    @function_tool
    def blocks_caller() -> str:
        return inner_run(function_tool(lambda: "in caller", name_override="work"))()

    @function_tool
    async def blocks_loop() -> str:
        return inner_run(function_tool(lambda: "in loop", name_override="work"))()

    model = ScriptedModel([call("blocks_caller"), call("blocks_loop")], "Done.")
    assert outputs(Agent(name="a", model=model, tools=[blocks_caller, blocks_loop])) == ["in caller", "in loop"]


def test_runs_of_several_threads_at_once_do_not_mix() -> None:
    together = threading.Barrier(8, timeout=20)

    def cell(number: int) -> bool:
        name.set(f"cell {number}")
        tool = function_tool(lambda: (together.wait(), here(), name.get())[1:], name_override="work")
        return outputs(asks(tool, times=3)) == [(here(), f"cell {number}")] * 3

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(cell, range(8))) == [True] * 8


def test_a_call_that_was_given_up_is_not_made_later() -> None:
    made: list[str] = []
    let_go = threading.Event()

    def hold() -> None:
        let_go.wait(20)

    async def work() -> None:
        first = asyncio.ensure_future(call_in_thread(hold))
        second = asyncio.ensure_future(call_in_thread(made.append, "second"))
        third = asyncio.ensure_future(call_in_thread(made.append, "third"))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait({second})
        let_go.set()
        await asyncio.gather(first, third)

    run_blocking(work())
    assert made == ["third"]


def test_what_goes_on_after_its_caller_gets_a_thread_of_its_own() -> None:
    async def work() -> asyncio.Task[str]:
        async def later() -> str:
            await ended.wait()
            return await call_in_thread(here)

        return asyncio.ensure_future(later())

    async def finish() -> str:
        ended.set()
        return await task

    ended = asyncio.Event()
    task = run_blocking(work())
    assert run_blocking(finish()) == "agentkit-tool"


def test_a_call_that_waits_when_its_caller_leaves_goes_elsewhere() -> None:
    waiting = WaitingThread()

    async def work() -> str:
        task = asyncio.ensure_future(call_in_thread(here))
        await asyncio.sleep(0)  # the call is in the queue
        waiting.close()
        return await task

    assert waiting.context().run(asyncio.run, work()) == "agentkit-tool"


def test_after_an_interrupt_nothing_is_called_any_more() -> None:
    waiting = WaitingThread()
    made: list[str] = []

    async def work() -> list[bool]:
        queued = asyncio.ensure_future(call_in_thread(made.append, "queued"))
        await asyncio.sleep(0)
        waiting.cease(interrupted=True)
        late = asyncio.ensure_future(call_in_thread(made.append, "late"))
        await asyncio.wait({late})
        waiting.close()
        await asyncio.wait({queued})
        return [queued.cancelled(), late.cancelled()]

    assert waiting.context().run(asyncio.run, work()) == [True, True]
    assert made == []


@pytest.mark.parametrize("lent", [True, False])
def test_what_a_function_raises_comes_back(lent: bool) -> None:
    async def work(error: BaseException) -> str:
        def fail() -> None:
            raise error

        try:
            await call_in_thread(fail)
        except BaseException as raised:
            return f"{type(raised).__name__}: {raised}"
        return "nothing"

    run = run_blocking if lent else asyncio.run
    errors = [ValueError("x"), StopIteration("over"), SystemExit(3)]
    said = [run(work(error)) for error in errors]
    assert said == ["ValueError: x", "RuntimeError: StopIteration: over", "SystemExit: 3"]


async def test_a_keyboard_interrupt_in_a_thread_is_the_tools_failure() -> None:
    @function_tool
    def stop() -> None:
        raise KeyboardInterrupt

    said = await stop.on_invoke_tool(ToolContext(None, tool_name="stop"), "{}")
    assert said.endswith("Error: it raised KeyboardInterrupt")


@pytest.mark.parametrize(("place", "where"), [(None, "agentkit-tool"), ("thread", "agentkit-tool"), ("caller", None)])
async def test_an_author_says_where(place: RunIn | None, where: str | None) -> None:
    assert await call_in(place, here) == (where or here())
