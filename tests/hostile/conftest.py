"""No keys but those that a test sets."""

from __future__ import annotations

import os

import pytest

from agentkit import _secrets


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see the keys of another, or of this machine."""
    monkeypatch.setattr(_secrets, "_registered", set())
    for name in list(os.environ):
        if any(_secrets._of_variable(name.upper(), os.environ[name])):
            monkeypatch.delenv(name)
