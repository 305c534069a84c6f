"""The examples in the documents on retries, usage and tracing run as they stand there."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import agentkit
from agentkit.pricing import forget_prices
from agentkit.tracing.processors import reset_tracing

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(autouse=True)
def as_in_a_new_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path))
    monkeypatch.setenv("AGENTKIT_REHEARSAL_TOKENS_PER_S", "0")
    reset_tracing()
    yield
    agentkit.disconnect()
    logging.getLogger("agentkit").setLevel(logging.NOTSET)
    forget_prices()
    reset_tracing()


def run_examples(name: str) -> dict[str, Any]:
    """Run a document's examples one after the other, and return the names that they leave."""
    text = (DOCS / name).read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL), 1):
        exec(compile(block, f"{name}, example {number}", "exec", dont_inherit=True), names)
    return names


def test_retries() -> None:
    names = run_examples("retries.md")
    assert names["Advice"]().get_retry_advice(agentkit.ModelRetryAdviceRequest(Exception("no"), 1, False)) is None


def test_usage_and_cost() -> None:
    stopped = run_examples("usage-and-cost.md")["stopped"]
    assert (stopped.limit, [item.type for item in stopped.run_data.new_items]) == (
        5,
        ["tool_call_item", "tool_call_output_item"],
    )


def test_tracing() -> None:
    assert run_examples("tracing.md")["count"].seen == 3
