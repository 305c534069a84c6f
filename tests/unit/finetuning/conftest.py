"""A folder of its own for each test's traces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agentkit.tracing.processors import reset_tracing


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own for traces; tracing as it is in a new process."""
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))
    reset_tracing()
    yield tmp_path / "home"
    reset_tracing()
