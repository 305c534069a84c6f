"""Recording spans in a loop that is running, and reading them back."""

from __future__ import annotations

import gc
import time
from typing import cast

from benchmarks.contenders import TRACE_SPANS, Contender, Recorder, Run
from benchmarks.functions import look_up
from benchmarks.measuring import measure_best, peak_mb, resident_mb
from benchmarks.workloads.workload import Measurements, Metric, Size, Workload

__all__ = ["TRACES"]

_FILTERED_ROWS = 10_000
_MB = 1024 * 1024


async def _traces(contender: Contender, size: Size) -> Measurements:
    """Record, and read back. The imports that the first of either takes are over before."""
    recorder = cast("Recorder", contender)
    recorder.record(2)
    recorder.settle()
    recorder.all_spans()
    recorder.filtered(1)
    gc.collect()
    traces = max(min(size.count, recorder.most_spans) // TRACE_SPANS, 1)
    spans = traces * TRACE_SPANS
    before_mb, cpu, wall = resident_mb(), time.process_time(), time.perf_counter()
    recorder.record(traces)
    recorder.settle()
    wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    grown_mb = max(peak_mb() - before_mb, 0.0)
    filtered_s, _, _ = _read(recorder, size.batches, filtered=True)
    all_s, all_cpu_s, rows = _read(recorder, size.batches, filtered=False)
    assert rows >= spans
    return {
        "spans_per_s": spans / wall_s,
        "cpu_us": cpu_s / spans * 1e6,
        "bytes_per_span": grown_mb * _MB / spans,
        "filtered_s": filtered_s,
        "rows_per_s": rows / all_s,
        "rows_per_cpu_s": rows / all_cpu_s,
    }


def _read(recorder: Recorder, batches: int, *, filtered: bool) -> tuple[float, float, int]:
    """Return the least seconds by the clock and of CPU time that a dataframe takes, and its rows."""
    walls, cpus, rows = [], [], 0
    for _ in range(batches):
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        rows = recorder.filtered(_FILTERED_ROWS) if filtered else recorder.all_spans()
        cpus.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
    return min(walls), min(cpus), rows


async def _traced_run(contender: Contender, size: Size) -> Measurements:
    """How much more CPU time a run takes with tracing than without.

    Once with a model in this process, which takes none itself, and once with the model behind HTTP, as in real life.
    """
    instant = contender.in_process_runner(size.count, look_up)
    behind_http = contender.runner(f"tools-{size.count}", [look_up])
    return {
        "added_percent": await _added_percent(contender, instant, size),
        "http_percent": await _added_percent(contender, behind_http, size),
    }


async def _added_percent(contender: Contender, run: Run, size: Size) -> float:
    from agentkit import set_tracing_disabled

    async def ask() -> None:
        await run("What is the weather in Oslo?")

    taken = {}
    for disabled in (True, False):
        set_tracing_disabled(disabled)
        await ask()
        timing = await measure_best(ask, settle=contender.settle, repeats=size.repeats, batches=size.batches)
        taken[disabled] = timing.cpu_s
    return max(taken[False] / taken[True] - 1, 0) * 100


TRACES = (
    Workload(
        "traces",
        (
            Metric(
                "spans_per_s", "spans recorded in a loop until they are kept, spans/s wall", 3, higher_is_better=True
            ),
            Metric("cpu_us", "the same, CPU µs a span"),
            Metric("bytes_per_span", "the same, RSS grown, bytes a span"),
            Metric("filtered_s", "10,000 calls of one tool as a dataframe, s wall"),
            Metric("rows_per_s", "all spans as a dataframe, rows/s wall", 3, higher_is_better=True),
            Metric("rows_per_cpu_s", "the same, rows per CPU second", 3, higher_is_better=True),
        ),
        ("agentkit", "openai-agents-traced", "mlflow"),
        _traces,
        Size(1_000_000, 1, 3),
    ),
    Workload(
        "traced-run",
        (
            Metric("added_percent", "CPU that tracing adds to a run of 10 tool turns with an instant model, %"),
            Metric("http_percent", "the same with the model behind HTTP, %"),
        ),
        ("agentkit",),
        _traced_run,
        Size(10, 20, 5),
    ),
)
