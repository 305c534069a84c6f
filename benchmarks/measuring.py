"""CPU time, wall time and memory of this process."""

from __future__ import annotations

import gc
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Timing", "allow_many_connections", "measure_best", "peak_mb", "resident_mb"]

_STATUS = Path("/proc/self/status")
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Timing:
    """What one run of something took."""

    cpu_s: float
    """Seconds of CPU time, of all threads of the process."""
    wall_s: float
    """Seconds by the clock."""


async def measure_best(
    work: Callable[[], Awaitable[Any]], *, settle: Callable[[], None], repeats: int, batches: int
) -> Timing:
    """Return what one `work()` takes, in the best of `batches` batches of `repeats`.

    Args:
        work: What to measure.
        settle: Called before and after each batch. The CPU time of what it waits for counts; the wait itself doesn't,
            since nobody waits for it who wants an answer.
        repeats: Times that `work` is done in a batch, one after another.
        batches: Batches; CPU time and wall time are the best ones of any.
    """
    timings = []
    for _ in range(batches):
        settle()
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(repeats):
            await work()
        wall_s = time.perf_counter() - wall
        settle()
        timings.append(Timing((time.process_time() - cpu) / repeats, wall_s / repeats))
    return Timing(min(timing.cpu_s for timing in timings), min(timing.wall_s for timing in timings))


def resident_mb() -> float:
    """Return the memory that this process holds now, in MB; where the system doesn't say, the most it ever held."""
    return _status_mb("VmRSS") or _ever_held_mb()


def peak_mb() -> float:
    """Return the most memory that this process ever held, in MB.

    Linux counts into `ru_maxrss` what the process held as a copy of the one that started it; hence its own figure.
    """
    return _status_mb("VmHWM") or _ever_held_mb()


def _status_mb(field: str) -> float | None:
    if not _STATUS.exists():
        return None
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


def _ever_held_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MB


def allow_many_connections() -> None:
    """Raise this process's limit of open files as far as it may, for workloads with hundreds of connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if most == resource.RLIM_INFINITY else min(4096, most)
    if os.name == "posix" and resource.getrlimit(resource.RLIMIT_NOFILE)[0] < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
