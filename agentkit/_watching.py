"""Who shows how far a training is where nobody is named to be told: set without loading what trainings need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["training_watcher", "watch_trainings_with"]

Watcher = Callable[[str], Callable[[Any], object] | None]
"""Given the name of a data set, it returns who is told of each `FineTuningProgress`; None for nobody."""

_watcher: Watcher | None = None


def watch_trainings_with(watcher: Watcher | None) -> None:
    """Let `watcher` give the listener of trainings that name none; None for nobody."""
    global _watcher
    _watcher = watcher


def training_watcher() -> Watcher | None:
    """Return who gives listeners; None for nobody."""
    return _watcher
