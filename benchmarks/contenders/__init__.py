"""What is measured: agentkit and its peers, each behind the same few methods, so that a workload is written once."""

from __future__ import annotations

from benchmarks.contenders.contender import TRACE_SPANS, Contender, Conversation, Recorder, Run, Streamed
from benchmarks.contenders.registry import CONTENDERS, Entrant, installed, make

__all__ = [
    "CONTENDERS",
    "TRACE_SPANS",
    "Contender",
    "Conversation",
    "Entrant",
    "Recorder",
    "Run",
    "Streamed",
    "installed",
    "make",
]
