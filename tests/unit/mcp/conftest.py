from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from mcp_serving import SCRIPT, children, stdio

from agentkit.mcp import MCPServerStdio


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path))


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No test leaves a thread of a connection, nor a process."""
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name == "agentkit-mcp"] == []
    assert children() == []


@pytest.fixture
async def sums() -> AsyncIterator[MCPServerStdio]:
    async with stdio() as server:
        yield server


@pytest.fixture
def web() -> Iterator[Callable[..., tuple[subprocess.Popen[str], int]]]:
    """Starts a server at a port, a free one for 0, and returns its process and its port."""
    started: list[subprocess.Popen[str]] = []

    def start(port: int = 0) -> tuple[subprocess.Popen[str], int]:
        command = [sys.executable, str(SCRIPT), "--http", str(port)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        started.append(process)
        assert process.stdout is not None
        return process, int(process.stdout.readline())

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]  # it is a pipe
