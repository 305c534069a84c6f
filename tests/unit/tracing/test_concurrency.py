"""Many runs at once in one process."""

from __future__ import annotations

import asyncio
import threading

from agentkit.records.frames import spans
from agentkit.records.traces import traces
from agentkit.tracing import agent_span, custom_span, function_span, trace


def assert_every_run_is_whole(runs: int) -> None:
    frame = traces()
    assert (len(frame), set(frame["status"]), set(frame["tool_calls"])) == (runs, {"ok"}, {3})
    every = spans()
    assert list(every["name"]) == ["agent", "tool 0", "inner", "tool 1", "inner", "tool 2", "inner"] * runs
    assert list(every["depth"]) == [0, 1, 2, 1, 2, 1, 2] * runs
    assert every["span_id"].is_unique


async def test_runs_of_many_tasks_are_kept_apart() -> None:
    async def tool(number: int) -> None:
        with function_span(f"tool {number}"):
            await asyncio.sleep(0)
            with custom_span("inner"):
                await asyncio.sleep(0)

    async def run() -> None:
        with trace("run"), agent_span("agent"):
            await asyncio.sleep(0)
            await asyncio.gather(*(tool(number) for number in range(3)))

    await asyncio.gather(*(run() for _ in range(100)))
    assert_every_run_is_whole(100)


def test_runs_of_many_threads_are_kept_apart() -> None:
    all_ready = threading.Barrier(8)

    def run() -> None:
        all_ready.wait()
        for _ in range(25):
            with trace("run"), agent_span("agent"):
                for number in range(3):
                    with function_span(f"tool {number}"), custom_span("inner"):
                        pass

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_every_run_is_whole(200)
