"""Runs every workload with every contender, each in a fresh process, in rounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks import ROOT
from benchmarks.contenders import CONTENDERS, Entrant, installed
from benchmarks.peers import peer_python
from benchmarks.server import running_server
from benchmarks.workloads import Measurements, Size, Workload
from benchmarks.workloads.imports import OVER_BARE, probe

__all__ = ["Results", "compare", "measure_import", "measure_workload"]

Results = dict[tuple[str, str], Measurements]
"""The best of all rounds, by workload and contender."""

_TIMEOUT_S = 600


def compare(
    workloads: Sequence[Workload], contenders: Sequence[str], *, rounds: int, quick: bool, say: Callable[[str], None]
) -> Results:
    """Measure, and return the best of all rounds of each metric.

    The rounds go over everything one after another, so that a busy minute of the machine meets all contenders alike.

    Args:
        workloads: What to do.
        contenders: Who does it, where the workload has them and their packages are installed.
        rounds: Times that everything is measured.
        quick: Whether to do a single batch of each workload.
        say: Told what is under way.
    """
    results: Results = {}
    present = [name for name in contenders if installed(CONTENDERS[name])]
    with running_server() as base_url:
        for number in range(rounds):
            for workload in workloads:
                for name in (name for name in present if name in workload.contenders):
                    say(f"round {number + 1} of {rounds}: {workload.name}, {name}")
                    new = _measure(workload, CONTENDERS[name], base_url, quick=quick)
                    _keep_best(results.setdefault((workload.name, name), {}), new, workload)
    return results


def _keep_best(best: Measurements, new: Measurements, workload: Workload) -> None:
    for metric in workload.metrics:
        better = max if metric.higher_is_better else min
        value = new[metric.name]
        best[metric.name] = better(best.get(metric.name, value), value)


def _measure(workload: Workload, entrant: Entrant, base_url: str, *, quick: bool) -> Measurements:
    if workload.code is not None:
        return measure_import(getattr(entrant, workload.code))
    size = replace(workload.size, batches=1) if quick else workload.size
    return measure_workload(workload, entrant.name, base_url, size)


def measure_workload(workload: Workload, contender: str, base_url: str, size: Size) -> Measurements:
    """Return what the contender takes for the workload in a process of its own, with a home of its own."""
    arguments = [workload.name, contender, base_url, str(size.count), str(size.repeats), str(size.batches)]
    python = str(peer_python(contender)) if CONTENDERS[contender].apart else sys.executable
    measured: Measurements = json.loads(_output_of(["-m", "benchmarks.child", *arguments], python))
    return measured


def measure_import(code: str) -> Measurements:
    """Return what a fresh Python takes to run `code`, over what it takes to run nothing."""
    bare, measured = (json.loads(_output_of(["-c", probe(program)])) for program in ("", code))
    return {name: value - bare[name] if name in OVER_BARE else value for name, value in measured.items()}


def _output_of(arguments: list[str], python: str = sys.executable) -> str:
    """Return what Python prints, without the settings of whoever runs the benchmarks."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTKIT_", "OPENAI_"))}
    with tempfile.TemporaryDirectory(prefix="agentkit-bench-", ignore_cleanup_errors=True) as home:
        done = subprocess.run(
            [python, *arguments],
            cwd=ROOT,
            env=environment | {"AGENTKIT_HOME": home},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=_TIMEOUT_S,
        )
    return done.stdout
