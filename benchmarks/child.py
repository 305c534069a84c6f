"""`python -m benchmarks.child`: does one workload with one contender, and prints the measurements as JSON."""

from __future__ import annotations

import asyncio
import json
import sys

from benchmarks.contenders import make
from benchmarks.workloads import WORKLOADS, Measurements, Size

__all__ = ["main", "measure"]


async def measure(workload: str, contender: str, base_url: str, size: Size) -> Measurements:
    """Return what the contender takes for the workload."""
    work = WORKLOADS[workload].measure
    assert work is not None
    made = make(contender, base_url)
    try:
        return await work(made, size)
    finally:
        await made.close()


def main() -> None:
    """Read from the command line: workload, contender, base URL, count, repeats, batches."""
    workload, contender, base_url, *numbers = sys.argv[1:]
    count, repeats, batches = map(int, numbers)
    print(json.dumps(asyncio.run(measure(workload, contender, base_url, Size(count, repeats, batches)))))


if __name__ == "__main__":
    main()
