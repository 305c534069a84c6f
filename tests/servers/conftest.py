"""Servers that we did not write, started from the environment that `make servers` makes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import agentkit

HERE = Path(__file__).parent
NODE_TOOLS = Path(sys.prefix) / "node_modules" / ".bin"
START_LIMIT_S = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], port: int, log: Path, **environment: str) -> Iterator[str]:
    """Run a server until the block is left; give its address once it answers anything at all."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **environment})
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while not answers(url):
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, f"no answer in {START_LIMIT_S} s: {log.read_text(errors='replace')}"
            time.sleep(0.2)
        yield f"{url}/v1"
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/health", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The mock server of CopilotKit, an npm package, with the answers of `aimock.json`."""
    port = free_port()
    command = [str(NODE_TOOLS / "llmock"), "--port", str(port), "--fixtures", str(HERE / "aimock.json")]
    log = tmp_path_factory.mktemp("aimock") / "log.txt"
    with running([*command, "--validate-on-load", "--latency", "5"], port, log) as url:
        yield url


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "tiny-random-llama"
    subprocess.run([sys.executable, str(HERE / "tiny_model.py"), str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def transformers_serve(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Hugging Face's server, with a language model of random weights."""
    port = free_port()
    program = str(Path(sys.executable).with_name("transformers"))
    command = [program, "serve", str(tiny_model), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    home = tmp_path_factory.mktemp("transformers")
    with running(command, port, home / "log.txt", HF_HUB_OFFLINE="1", HF_HOME=str(home)) as url:
        yield url


@pytest.fixture(autouse=True)
async def disconnected() -> AsyncIterator[None]:
    yield
    await agentkit.current_backend().client.close()  # its connections belong to the test's loop
    agentkit.disconnect()


@pytest.fixture(params=["responses", "chat_completions"])
def api(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name
