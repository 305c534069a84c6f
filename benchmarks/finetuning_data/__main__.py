"""Measure the check of training data beside plain `json`, on one file, in one run."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.finetuning_data.child import WAYS
from benchmarks.finetuning_data.data import write_file


def main() -> None:
    """Write a file, go through it in each way, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.finetuning_data", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=64, help="size of the file (512 is the platform's limit)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the best counts")
    parser.add_argument("--without", nargs="*", default=[], choices=list(WAYS), help="ways to leave out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.jsonl")
        lines = write_file(path, options.megabytes * 1_000_000)
        size_mb = path.stat().st_size / 1e6
        print(f"{lines:,} lines, {size_mb:,.0f} MB; best of {options.rounds}\n")
        print("| | MB/s, wall | MB/s, processor | memory, MB |\n|---|--:|--:|--:|")
        measured: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS if way not in options.without}
        for _ in range(options.rounds):
            for way, results in measured.items():
                results.append(_measured(way, path))
        for way, results in measured.items():
            wall, cpu = (size_mb / min(each[key] for each in results) for key in ("wall_s", "cpu_s"))
            print(f"| {way} | {wall:,.0f} | {cpu:,.0f} | {max(each['memory_mb'] for each in results):,.0f} |")


def _measured(way: str, path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.finetuning_data.child", way, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    result: dict[str, Any] = json.loads(done.stdout)
    if result["problems"]:
        raise SystemExit(f"{way} found {result['problems']} problems in a file that has none.")
    return result


if __name__ == "__main__":
    main()
