"""Runs whose model is behind HTTP, as it is in real life."""

from __future__ import annotations

import asyncio
import time

from benchmarks.contenders import Contender, Conversation, Run, Streamed
from benchmarks.functions import Function, look_up, wait, wait_blocking
from benchmarks.measuring import Timing, allow_many_connections, measure_best, peak_mb, resident_mb
from benchmarks.server.script import ANSWER
from benchmarks.workloads.workload import ALL, Measurements, Metric, Size, Workload, WrongAnswerError

__all__ = ["HTTP"]

_ASK = "What is the weather in Oslo?"
_ROWS_AT_ONCE = 8


async def _ask(run: Run, conversation: Conversation = _ASK) -> None:
    answer = await run(conversation)
    if answer != ANSWER:
        raise WrongAnswerError(f"The answer is {answer!r:.200}, not {ANSWER!r}.")


async def _first_answer(contender: Contender, size: Size) -> Measurements:
    await _ask(contender.runner("answer", [look_up]))
    contender.settle()
    return {"cpu_s": time.process_time(), "peak_mb": peak_mb()}


async def _answer(contender: Contender, size: Size) -> Measurements:
    timing = await _timed(contender, contender.runner("answer"), size)
    return {"cpu_ms": timing.cpu_s * 1e3}


async def _tool_turns(contender: Contender, size: Size) -> Measurements:
    timing = await _timed(contender, contender.runner(f"tools-{size.count}", [look_up]), size)
    return {"cpu_ms": timing.cpu_s * 1e3}


async def _parallel_async(contender: Contender, size: Size) -> Measurements:
    return await _parallel(contender, size, wait)


async def _parallel_sync(contender: Contender, size: Size) -> Measurements:
    return await _parallel(contender, size, wait_blocking)


async def _parallel(contender: Contender, size: Size, function: Function) -> Measurements:
    run = contender.runner(f"{function.__name__}-{size.count}", [function])
    timing = await _timed(contender, run, size)
    return {"wall_ms": timing.wall_s * 1e3, "cpu_ms": timing.cpu_s * 1e3}


async def _long_history(contender: Contender, size: Size) -> Measurements:
    said = "Tell me about the weather in Oslo, please, and whether it will stay so."
    history = [{"role": ("user", "assistant")[number % 2], "content": said} for number in range(size.count)]
    history.append({"role": "user", "content": _ASK})
    timing = await _timed(contender, contender.runner("answer"), size, history)
    return {"cpu_ms": timing.cpu_s * 1e3}


async def _many_runs(contender: Contender, size: Size) -> Measurements:
    allow_many_connections()
    await _ask(contender.runner("tools-1", [look_up]))
    run = contender.runner("tools-3", [look_up])
    contender.settle()
    before_mb = resident_mb()
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(_ask(run) for _ in range(size.count)))
    wall_s = time.perf_counter() - wall
    contender.settle()
    cpu_s = time.process_time() - cpu
    return {
        "runs_per_s": size.count / wall_s,
        "cpu_ms": cpu_s / size.count * 1e3,
        "grown_mb": max(peak_mb() - before_mb, 0.0),
    }


async def _rows(contender: Contender, size: Size) -> Measurements:
    """A batch, which keeps each answer in a file, beside a bare `asyncio.gather` where there is nothing of the kind."""
    questions = [f"{_ASK} ({number})" for number in range(size.count)]

    async def ask_all() -> None:
        answers = await contender.answer_each("answer", questions, at_once=_ROWS_AT_ONCE)
        if answers != [ANSWER] * size.count:
            raise WrongAnswerError(f"Not all of {size.count} rows have the answer {ANSWER!r}: {answers!r:.200}.")

    await ask_all()
    timing = await measure_best(ask_all, settle=contender.settle, repeats=size.repeats, batches=size.batches)
    return {"cpu_ms": timing.cpu_s / size.count * 1e3, "rows_per_s": size.count / timing.wall_s}


async def _stream(contender: Contender, size: Size) -> Measurements:
    return await _streamed(contender, size, typed=False)


async def _stream_typed(contender: Contender, size: Size) -> Measurements:
    return await _streamed(contender, size, typed=True)


async def _streamed(contender: Contender, size: Size, *, typed: bool) -> Measurements:
    first_s: list[float] = []

    async def stream() -> None:
        seen: Streamed = await contender.stream(f"stream-{size.count}", typed=typed)
        if (seen.deltas, seen.characters) != (size.count, size.count * len(" sunny")):
            raise WrongAnswerError(f"Of {size.count} deltas {seen.deltas} came, of {seen.characters} characters.")
        first_s.append(seen.first_delta_s)

    await stream()  # the server, too, has made its reply then
    first_s.clear()
    timing = await measure_best(stream, settle=contender.settle, repeats=size.repeats, batches=size.batches)
    return {
        "deltas_per_s": size.count / timing.wall_s,
        "cpu_s": timing.cpu_s,
        "first_delta_ms": min(first_s) * 1e3,
    }


async def _timed(contender: Contender, run: Run, size: Size, conversation: Conversation = _ASK) -> Timing:
    async def ask() -> None:
        await _ask(run, conversation)

    await ask()
    return await measure_best(ask, settle=contender.settle, repeats=size.repeats, batches=size.batches)


HTTP = (
    Workload(
        "first-answer",
        (
            Metric("cpu_s", "fresh process to the first answer over HTTP, CPU s"),
            Metric("peak_mb", "the same, peak RSS MB"),
        ),
        ALL,
        _first_answer,
        Size(),
    ),
    Workload("answer", (Metric("cpu_ms", "one answer over HTTP, CPU ms"),), ALL, _answer, Size(1, 50, 5)),
    Workload("tools-10", (Metric("cpu_ms", "10 sequential tool calls, CPU ms"),), ALL, _tool_turns, Size(10, 5, 4)),
    Workload("tools-100", (Metric("cpu_ms", "100 sequential tool calls, CPU ms"),), ALL, _tool_turns, Size(100, 1, 1)),
    Workload(
        "parallel-async",
        (
            Metric("wall_ms", "50 parallel async tools of 20 ms, wall ms"),
            Metric("cpu_ms", "the same, CPU ms"),
        ),
        ALL,
        _parallel_async,
        Size(50, 1, 10),
    ),
    Workload(
        "parallel-sync",
        (
            Metric("wall_ms", "50 parallel sync tools of 20 ms, wall ms"),
            Metric("cpu_ms", "the same, CPU ms"),
        ),
        ALL,
        _parallel_sync,
        Size(50, 1, 10),
    ),
    Workload(
        "stream",
        (
            Metric("deltas_per_s", "streamed answer of 5,000 deltas, deltas/s wall", 3, higher_is_better=True),
            Metric("cpu_s", "the same, CPU s"),
            Metric("first_delta_ms", "the same, time to the first delta, ms"),
        ),
        ALL,
        _stream,
        Size(5_000, 1, 5),
    ),
    Workload(
        "stream-typed",
        (Metric("cpu_s", "the same, every event looked at as an `openai` object, CPU s"),),
        ("agentkit", "agentkit-untraced", "agentkit-aiohttp", "openai-agents", "openai"),
        _stream_typed,
        Size(5_000, 1, 2),
    ),
    Workload(
        "many-runs",
        (
            Metric("runs_per_s", "500 runs at once of 3 tool turns, runs/s wall", 3, higher_is_better=True),
            Metric("cpu_ms", "the same, CPU ms a run"),
            Metric("grown_mb", "the same, RSS grown MB"),
        ),
        ALL,
        _many_runs,
        Size(500),
    ),
    Workload(
        "rows",
        (
            Metric("cpu_ms", "one run for each of 200 rows, 8 at a time, CPU ms a row"),
            Metric("rows_per_s", "the same, rows/s wall", 3, higher_is_better=True),
        ),
        ALL,
        _rows,
        Size(200, 1, 3),
    ),
    Workload(
        "long-history",
        (Metric("cpu_ms", "one answer after 2,000 earlier messages, CPU ms"),),
        ALL,
        _long_history,
        Size(2_000, 5, 3),
    ),
)
