"""Runs whose model is in this process, so that nothing but the runtime is measured; and defining tools."""

from __future__ import annotations

import gc
import time

from benchmarks.contenders import Contender
from benchmarks.functions import look_up, many_functions
from benchmarks.measuring import measure_best
from benchmarks.server.script import ANSWER
from benchmarks.workloads.workload import RUNTIMES, Measurements, Metric, Size, Workload, WrongAnswerError

__all__ = ["IN_PROCESS"]

_SHORT_RUN_TURNS = 10


async def _turns(contender: Contender, size: Size) -> Measurements:
    return {"cpu_ms": await _run_cpu_s(contender, size) * 1e3}


async def _flatness(contender: Contender, size: Size) -> Measurements:
    """How much more a turn of a long run costs than one of a short run."""
    repeats = max(size.repeats * size.count // _SHORT_RUN_TURNS, 1)
    short_s = await _run_cpu_s(contender, Size(_SHORT_RUN_TURNS, repeats, size.batches))
    long_s = await _run_cpu_s(contender, size)
    return {"ratio": (long_s / size.count) / (short_s / _SHORT_RUN_TURNS)}


async def _run_cpu_s(contender: Contender, size: Size) -> float:
    run = contender.in_process_runner(size.count, look_up)

    async def ask() -> None:
        if await run("What is the weather in Oslo?") != ANSWER:
            raise WrongAnswerError(f"The run of {size.count} tool turns did not end with the model's answer.")

    await ask()
    timing = await measure_best(ask, settle=contender.settle, repeats=size.repeats, batches=size.batches)
    return timing.cpu_s


async def _define_tools(contender: Contender, size: Size) -> Measurements:
    contender.define_tools(many_functions(2, prefix="first"))
    taken = []
    for batch in range(size.batches):
        functions = many_functions(size.count, prefix=f"batch_{batch}")
        gc.collect()
        started = time.process_time()
        tools = contender.define_tools(functions)
        taken.append(time.process_time() - started)
        assert len(tools) == size.count
    return {"cpu_ms": min(taken) * 1e3}


IN_PROCESS = (
    Workload(
        "in-process-1", (Metric("cpu_ms", "in-process model: 1 turn, CPU ms"),), RUNTIMES, _turns, Size(0, 200, 5)
    ),
    Workload(
        "in-process-10",
        (Metric("cpu_ms", "in-process model: 10 tool turns, CPU ms"),),
        RUNTIMES,
        _turns,
        Size(10, 20, 5),
    ),
    Workload(
        "flatness",
        (Metric("ratio", "in-process, a turn of 160 tool turns over one of 10"),),
        RUNTIMES,
        _flatness,
        Size(160, 2, 3),
    ),
    Workload(
        "define-tools",
        (Metric("cpu_ms", "200 function tools with schemas, CPU ms"),),
        ("agentkit", "openai-agents"),
        _define_tools,
        Size(200, 1, 5),
    ),
)
