"""Starting programs of others, and asking them what has arrived."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

FOLDER = Path(os.environ.get("AGENTKIT_RECEIVERS", Path(__file__).parents[2] / ".venv-receivers"))
START_LIMIT_S = 240
ARRIVAL_LIMIT_S = 30

T = TypeVar("T")


def program(name: str) -> Path:
    """The path of a receiver's program; without it the test is skipped."""
    found = FOLDER / name / "bin" / name
    if not found.exists():
        pytest.skip(f"There is no {found}: bash tests/receivers/install.sh")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def fetched(url: str, data: Any = None) -> Any:
    """What a server answers, as JSON."""
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(url, data=body, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def once(ask: Callable[[], T | None], what: str) -> T:
    """What `ask` gives as soon as that is something: receivers store what comes a little later."""
    deadline = time.monotonic() + ARRIVAL_LIMIT_S
    while True:
        try:
            found = ask()
        except urllib.error.HTTPError:
            found = None
        if found is not None:
            return found
        assert time.monotonic() < deadline, f"{what} did not arrive in {ARRIVAL_LIMIT_S} s"
        time.sleep(0.2)


@contextmanager
def running(command: list[str], url: str, log: Path, **environment: str) -> Iterator[str]:
    """Run a server until the block is left; give its address once it answers anything at all."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **environment}, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while not answers(url):
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, f"no answer in {START_LIMIT_S} s: {log.read_text(errors='replace')}"
            time.sleep(0.5)
        yield url
    finally:
        os.killpg(process.pid, 15)  # with the workers that it has started
        process.wait(timeout=30)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


QUIET = {
    "PYTHONPATH": "",  # without this project's guard
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PHOENIX_TELEMETRY_ENABLED": "false",
}
