"""Extras are installed from where agentkit itself came: an index may have another package of that name."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterator
from typing import Any

import pytest

from agentkit import _install


class Installed:
    """A distribution, of which only its PEP 610 file is asked for."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self._text


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def install(told: Any) -> None:
        text = told if told is None or isinstance(told, str) else json.dumps(told)
        monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Installed(text))
        _install._source.cache_clear()

    yield install
    _install._source.cache_clear()


@pytest.mark.parametrize(
    ("told", "command"),
    [
        ({"url": "file:///home/ada/agent%20kit", "dir_info": {}}, "pip install '/home/ada/agent kit[train]'"),
        (
            {"url": "file:///home/ada/agentkit", "dir_info": {"editable": True}},
            "pip install -e '/home/ada/agentkit[train]'",
        ),
        (None, "pip install 'agentkit[train]'"),
        ("{", "pip install 'agentkit[train]'"),
        ({"url": "https://example.com/agentkit.whl"}, "pip install 'agentkit[train]'"),
    ],
)
def test_an_extra_is_installed_from_where_agentkit_came(installed: Any, told: Any, command: str) -> None:
    installed(told)
    assert _install.install_command("train") == command


def test_a_requirement_is_one_for_pip(installed: Any) -> None:
    installed({"url": "file:///src/agentkit", "dir_info": {"editable": True}})
    assert _install.pip_requirement("search") == "/src/agentkit[search]"
