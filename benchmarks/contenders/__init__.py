"""What is measured: agentkit and its peers, each behind the same few methods, so that a workload is written once."""

from __future__ import annotations

from benchmarks.contenders.contender import Contender, Conversation, Run, Streamed
from benchmarks.contenders.registry import CONTENDERS, Entrant, installed, make

__all__ = ["CONTENDERS", "Contender", "Conversation", "Entrant", "Run", "Streamed", "installed", "make"]
