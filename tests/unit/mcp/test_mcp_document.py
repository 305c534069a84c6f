"""The examples of docs/mcp.md run, one after another, as cells would."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import agentkit

DOCUMENT = Path(__file__).parents[3] / "docs" / "mcp.md"


@pytest.fixture(autouse=True)
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AGENTKIT_REHEARSAL_TOKENS_PER_S", "0")
    monkeypatch.chdir(tmp_path)
    agentkit.connect("embedded")
    yield
    agentkit.disconnect()


async def test_the_examples_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    (server,) = re.findall(r"^```python server\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "sums_server.py").write_text(server, encoding="utf-8")
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        patient = cell.replace("params=", "client_session_timeout_seconds=60, params=")  # of a machine under load
        outcome = eval(compile(patient, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if inspect.isawaitable(outcome):
            await outcome
    called = [item.raw_item for item in names["result"].new_items if item.type == "tool_call_output_item"]
    assert "5" in capsys.readouterr().out
    assert [item["output"] for item in called] == ["5"]
