"""What the paths of the platform share."""

from __future__ import annotations

from dataclasses import dataclass

from agentkit.local.engines.base import Engine
from agentkit.local.store import ResponseStore

__all__ = ["Platform"]


@dataclass(frozen=True, slots=True)
class Platform:
    """The parts behind the paths."""

    engine: Engine
    """Who answers as rehearsal-1. It may be asked from several event loops at once."""
    store: ResponseStore
    """Where responses are kept."""
