"""An example that has run, and how to run one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Ran:
    """What an example printed, and what its module held at the end."""

    printed: str
    names: dict[str, Any]

    @property
    def lines(self) -> list[str]:
        return self.printed.strip().splitlines()


Run = Callable[..., Ran]
"""Runs an example by its name, with what is typed at its prompts."""
