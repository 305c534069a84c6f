"""Runs the examples: on the embedded platform, on a scripted server, or as programs of their own."""

from __future__ import annotations

import contextlib
import io
import os
import runpy
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running_examples import EXAMPLES, Ran, Run
from scripted_server import ScriptedServer

import agentkit


@pytest.fixture(autouse=True)
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The embedded platform answers, as fast as it can; the working folder is empty."""
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AGENTKIT_REHEARSAL_TOKENS_PER_S", "0")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    agentkit.connect("embedded")
    yield
    agentkit.disconnect()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that runs an example as `python examples/<name>.py` would, answering its `input()` with `typed`."""

    def run_(name: str, *typed: str) -> Ran:
        printed, keyboard = io.StringIO(), io.StringIO("".join(f"{line}\n" for line in typed))
        monkeypatch.setattr(sys, "stdin", keyboard)
        with contextlib.redirect_stdout(printed):
            names = runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        assert keyboard.read() == "", "The example did not ask for all that was typed."
        return Ran(printed.getvalue(), names)

    return run_


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """A scripted server that answers instead of the embedded platform, as if the environment named it."""
    with ScriptedServer() as server:
        agentkit.disconnect()
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_DEFAULT_MODEL", "gpt-5")
        yield server


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """`agentkit serve`: its address and its token, for programs that know nothing of agentkit's platform."""
    home = tmp_path_factory.mktemp("served")
    environment = {**os.environ, "AGENTKIT_HOME": str(home), "AGENTKIT_REHEARSAL_TOKENS_PER_S": "0"}
    command = [sys.executable, "-u", "-m", "agentkit.cli", "serve", "--port", "0", "--token", "the-token"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        watchdog = threading.Timer(60, process.kill)  # so that a line that never comes is a failure
        watchdog.start()
        base_url = process.stdout.readline().partition(": ")[2].strip()
        watchdog.cancel()
        yield base_url, "the-token"
        process.terminate()
        process.stdout.read()


@pytest.fixture
def script(address: tuple[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs an example in a Python of its own, with an address and a key as for any server."""

    def script_(name: str, **environment: str) -> subprocess.CompletedProcess[str]:
        base_url, key = address
        settings = {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": key, "AGENTKIT_HOME": str(tmp_path / "home")}
        return subprocess.run(
            [sys.executable, str(EXAMPLES / f"{name}.py")],
            env={**os.environ, **settings, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return script_
