"""Platforms whose fine-tuning jobs are worked on by a program that stands in for the trainer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tuning_clients import PATIENCE_S, Tuning

from agentkit.local.training import launching


@pytest.fixture
def tunings(tmp_path: Path) -> Iterator[Callable[..., Tuning]]:
    """A function that gives a client of a new platform, on one home folder. What it has started is ended afterwards."""
    made: list[Tuning] = []

    def make(**params: Any) -> Tuning:
        made.append(Tuning(params.pop("home", tmp_path), **params))
        return made[-1]

    yield make
    for each in made:
        each.close()
    for child in launching._children.values():
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        child.wait(PATIENCE_S)
    launching._children.clear()


@pytest.fixture
def tuning(tunings: Callable[..., Tuning]) -> Tuning:
    """A client of a platform whose trainer is the stand-in."""
    return tunings()
