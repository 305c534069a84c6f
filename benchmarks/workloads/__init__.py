"""What every contender has to do."""

from __future__ import annotations

from benchmarks.workloads.http import HTTP
from benchmarks.workloads.imports import IMPORTS
from benchmarks.workloads.in_process import IN_PROCESS
from benchmarks.workloads.traces import TRACES
from benchmarks.workloads.workload import Measurements, Metric, Size, Workload

__all__ = ["WORKLOADS", "Measurements", "Metric", "Size", "Workload"]

WORKLOADS = {workload.name: workload for workload in (*IMPORTS, *HTTP, *IN_PROCESS, *TRACES)}
