from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from agentkit.exceptions import UserError
from agentkit.notebook.display.modes import render_mode


def shell(*, kernel: bool = True, allow_stdin: bool = True) -> Any:
    return SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=allow_stdin) if kernel else None)


@pytest.fixture(autouse=True)
def _outside_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_VERSION", raising=False)
    monkeypatch.delenv("AGENTKIT_RENDER", raising=False)


def test_a_notebook_that_somebody_sits_at_is_live() -> None:
    assert render_mode(shell()) == "live"


def test_a_notebook_that_runs_by_itself_is_static(monkeypatch: pytest.MonkeyPatch) -> None:
    assert render_mode(shell(allow_stdin=False)) == "static"
    monkeypatch.setenv("PYTEST_VERSION", "9.2.0")
    assert render_mode(shell()) == "static"


def test_a_terminal_prints() -> None:
    assert render_mode(shell(kernel=False)) == "console"


@pytest.mark.parametrize("mode", ["live", "static", "console"])
def test_the_environment_decides(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_RENDER", mode)
    assert render_mode(shell(kernel=False)) == mode


def test_any_other_word_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_RENDER", "fancy")
    with pytest.raises(UserError) as raised:
        render_mode(shell())
    expected = "AGENTKIT_RENDER is 'fancy'. Set it to auto, live, static or console, or unset it."
    assert str(raised.value) == expected
