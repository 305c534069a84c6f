"""The examples of docs/file-search.md run, one after another, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib
import pytest

matplotlib.use("agg")
DOCUMENT = Path(__file__).parents[3] / "docs" / "file-search.md"


def test_the_examples_run_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    blocks = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 8
    for block in blocks:
        exec(compile(block, str(DOCUMENT), "exec"), names)
    plt.close("all")
