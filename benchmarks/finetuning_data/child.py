"""One way to go through a file, in a process of its own: `python -m benchmarks.finetuning_data.child way path`."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["WAYS"]


def _read(path: Path) -> int:
    with path.open("rb", buffering=1 << 20) as file:
        return sum(1 for _ in file) * 0


def _json(path: Path) -> int:
    with path.open("rb", buffering=1 << 20) as file:
        return sum(json.loads(line) is None for line in file)


def _json_and_rules(path: Path) -> int:
    from agentkit.training_files.rules import problems_in

    with path.open("rb", buffering=1 << 20) as file:
        return sum(sum(1 for _ in problems_in("sft", json.loads(line))) for line in file)


def _check_file(path: Path) -> int:
    from agentkit.finetuning import check_file

    return len(check_file(path))


def _whole_check(path: Path) -> int:
    from agentkit.finetuning import FineTuningDataset

    return len(FineTuningDataset.from_jsonl(path).check())


WAYS: dict[str, Callable[[Path], int]] = {
    "reading alone": _read,
    "json.loads alone": _json,
    "json.loads + the same rules": _json_and_rules,
    "check_file": _check_file,
    "dataset.check(), with quality": _whole_check,
}


def main(way: str, path: str) -> None:
    """Print what it took as JSON: wall and processor seconds, the greatest memory in MB, and the problems found."""
    import pandas  # noqa: F401  (its import isn't what is measured)

    started, used = time.perf_counter(), time.process_time()
    problems = WAYS[way](Path(path))
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - used
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "memory_mb": memory_mb, "problems": problems}))


if __name__ == "__main__":
    main(*sys.argv[1:])
