"""The examples in the document on exporting run as they stand there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import agentkit
from agentkit.tracing import set_trace_processors

DOCUMENT = Path(__file__).parents[3] / "docs" / "exporting-traces.md"


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENTKIT_REHEARSAL_TOKENS_PER_S", "0")
    yield
    set_trace_processors([])
    agentkit.disconnect()


def test_the_examples_run(tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.M | re.S), 1):
        exec(compile(block, f"{DOCUMENT.name}, example {number}", "exec", dont_inherit=True), names)
    names["analyse"]()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("home", "live.jsonl", "one.jsonl", "runs", "runs.jsonl", "today.jsonl.gz"),
    ]
