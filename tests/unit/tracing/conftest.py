from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentkit.tracing import Span, Trace, TracingProcessor
from agentkit.tracing.processors import reset_tracing


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own for each test's traces, and tracing as it is in a new process."""
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("OPENAI_AGENTS_DISABLE_TRACING", raising=False)
    reset_tracing()
    yield tmp_path / "home"
    reset_tracing()


class Recorder(TracingProcessor):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def on_trace_start(self, trace: Trace) -> None:
        self.events.append(("trace start", trace.name))

    def on_trace_end(self, trace: Trace) -> None:
        self.events.append(("trace end", trace.name))

    def on_span_start(self, span: Span[Any]) -> None:
        self.events.append(("span start", span.span_data.name))

    def on_span_end(self, span: Span[Any]) -> None:
        self.events.append(("span end", span.span_data.name))

    def shutdown(self) -> None:
        self.events.append(("shutdown", ""))

    def force_flush(self) -> None:
        self.events.append(("flush", ""))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()
