"""What a workload is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from benchmarks.contenders import Contender

__all__ = ["ALL", "RUNTIMES", "Measurements", "Metric", "Size", "Workload", "WrongAnswerError"]

Measurements = dict[str, float]
"""Values by metric."""

ALL = ("agentkit", "agentkit-untraced", "agentkit-aiohttp", "openai-agents", "openai", "transport")
"""Contenders for what goes over HTTP."""
RUNTIMES = ("agentkit", "agentkit-untraced", "openai-agents", "openai-agents-traced")
"""Contenders for what stays in the process, where recording spans is a good part of the cost."""


class WrongAnswerError(RuntimeError):
    """A contender did something else than it was asked to, so that its time means nothing."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the table."""

    name: str
    """Key among the workload's measurements."""
    title: str
    """What it says, with its unit."""
    digits: int = 2
    """Significant digits shown."""
    higher_is_better: bool = False
    """Whether more is better: a throughput."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of a workload is done."""

    count: int = 1
    """Turns, tools, deltas, runs or messages: what the workload counts."""
    repeats: int = 1
    """Times that it is done in a batch, one after another; the measurement is the mean."""
    batches: int = 1
    """Batches; the best one counts."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Something to do, and what is measured of it."""

    name: str
    """Name for `--only`."""
    metrics: tuple[Metric, ...]
    """What is measured."""
    contenders: tuple[str, ...]
    """Who takes part."""
    measure: Callable[[Contender, Size], Awaitable[Measurements]] | None
    """Does it in a process that has only just started; None where the process's start is itself what is measured."""
    size: Size
    """How much of it."""
    code: Literal["imports", "first_use"] | None = None
    """Where `measure` is None: the field of `Entrant` with the code that a fresh Python runs."""
