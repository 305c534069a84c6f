"""The examples in the document on data sets run as they stand there, and give what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

DOCUMENT = Path(__file__).parents[3] / "docs" / "datasets.md"


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    text = DOCUMENT.read_text("utf-8")
    shown = re.search(r"^```\n(Dataset .*?)^```$", text, re.M | re.S)
    names: dict[str, Any] = {}
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{DOCUMENT.name}, example {number}", "exec", dont_inherit=True), names)
        if number == 1:
            assert shown is not None
            assert f"{names['dataset']!r}\n" == shown[1]
    assert sorted(path.name for path in tmp_path.glob("*.*")) == [
        "train.jsonl",
        "train.sources.csv",
        "validation.jsonl",
        "validation.sources.csv",
    ]
    assert capsys.readouterr().out.split() == ["False", "False", "True"]
    assert list(names["dataset"].validate()["problem"]) == ["3 examples"]


def test_every_reason_is_told() -> None:
    source = Path(__file__).parents[3] / "agentkit" / "records" / "datasets"
    reasons = {
        reason
        for path in source.glob("*.py")
        for reason in re.findall(r'(?:LeftOutError|Skipped)\((?:[\w.\[\]]+, [\w.\[\]]+, )?"([^"]+)"', path.read_text())
    }
    table = DOCUMENT.read_text("utf-8").partition("## What is left out")[2].partition("\n## ")[0]
    told = {reason.strip() for row in re.findall(r"^\| ([^|]+) \|", table, re.M) for reason in row.split(",")}
    assert len(reasons) > 20
    assert reasons - told == set()
