"""The examples in the documents on models and hosted tools run as they stand there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import agentkit

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(autouse=True)
def disconnected(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AGENTKIT_REHEARSAL_TOKENS_PER_S", "0")
    yield
    agentkit.disconnect()


@pytest.mark.parametrize(("name", "count"), [("models.md", 6), ("hosted-tools.md", 3)])
def test_the_examples_run(name: str, count: int) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == count
    names: dict[str, Any] = {}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{name}, example {number}", "exec"), names)
