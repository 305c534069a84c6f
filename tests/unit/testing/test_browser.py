"""The parts of the browser fixtures that need no browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from agentkit.testing.browser import find_chromium, stays_on_this_machine, write_notebook
from agentkit.testing.jupyterlab import JupyterLab


def test_a_chromium_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "my-chromium"
    named.touch()
    monkeypatch.setenv("AGENTKIT_CHROMIUM", str(named))
    assert find_chromium() == named


def test_a_chromium_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = tmp_path / "chromium"
    browser.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium() == browser


def test_a_named_chromium_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(FileNotFoundError, match="AGENTKIT_CHROMIUM names /nowhere/chromium"):
        find_chromium()


def test_a_written_notebook_is_valid_and_has_the_cells(tmp_path: Path) -> None:
    notebook = nbformat.read(write_notebook(tmp_path / "a.ipynb", ["1", "2\n3"]), as_version=4)
    nbformat.validate(notebook)
    assert [cell.source for cell in notebook.cells] == ["1", "2\n3"]


@pytest.mark.parametrize(
    ("address", "stays"),
    [
        ("http://127.0.0.1:8888/lab", True),
        ("ws://localhost:8888/api", True),
        ("data:text/html,x", True),
        ("blob:http://127.0.0.1/1", True),
        ("http://127.0.0.1.example.invalid/", False),
        ("https://cdn.example.invalid/x.js", False),
        ("wss://192.0.2.7/", False),
    ],
)
def test_addresses_on_this_machine_are_told_from_others(address: str, stays: bool) -> None:
    assert stays_on_this_machine(address) is stays


def test_a_jupyterlab_that_does_not_start_says_what_it_printed(tmp_path: Path) -> None:
    echo = shutil.which("echo")
    assert echo
    with (
        pytest.raises(RuntimeError, match=r"ended with status 0.*\n-m jupyterlab"),
        JupyterLab(tmp_path, python=Path(echo)),
    ):
        pass
