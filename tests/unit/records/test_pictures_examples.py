"""The examples in the document on opened traces run as they stand there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

DOCUMENT = Path(__file__).parents[3] / "docs" / "pictures.md"


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENTKIT_REHEARSAL_TOKENS_PER_S", "0")
    with mpl.rc_context({"backend": "agg"}):
        yield
        import matplotlib.pyplot as plt

        plt.close("all")


def test_the_examples_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    blocks = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.M | re.S)
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{DOCUMENT.name}, example {number}", "exec", dont_inherit=True), names)
    assert len(blocks) == 7
    assert (tmp_path / "run.png").stat().st_size > 10_000
    assert "POST http://agentkit.local/v1/responses" in capsys.readouterr().out
