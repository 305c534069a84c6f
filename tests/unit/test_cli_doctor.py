from __future__ import annotations

import json
from pathlib import Path

import pytest

import agentkit
from agentkit.cli import main

KEY = "sk-" + "Zq7Lw0" * 8


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AGENTKIT_REHEARSAL_TOKENS_PER_S", "0")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    agentkit.disconnect()


def notebook(path: Path, source: str) -> Path:
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": source, "outputs": []}]}))
    return path


def test_the_doctor_ends_with_0_where_nothing_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"agentkit {agentkit.__version__}, doctor: ")
    assert "✓ a run     on the embedded platform called a tool and answered" in shown


def test_it_ends_with_1_where_something_has_to_be_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "home").write_text("not a folder")
    assert main(["doctor"]) == 1
    assert "✗ AGENTKIT_HOME" in capsys.readouterr().out


def test_a_scan_ends_with_1_where_a_key_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = notebook(tmp_path / "bad.ipynb", f"key = '{KEY}'")
    assert main(["doctor", "--scan", str(bad)]) == 1
    shown = capsys.readouterr().out
    assert "cell 1, source, line 1  an OpenAI key, or one like it: sk-… (51 characters)" in shown
    assert KEY[3:12] not in shown


def test_a_scan_ends_with_0_where_there_is_none_and_2_where_it_cannot_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = notebook(tmp_path / "good.ipynb", "1 + 1")
    assert main(["doctor", "--scan", str(good)]) == 0
    assert main(["doctor", "--scan", str(good), str(tmp_path / "none.ipynb")]) == 2
    assert "none.ipynb is not there." in capsys.readouterr().out
