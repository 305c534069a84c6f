"""The platform on a port."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import openai
import pytest

from agentkit.exceptions import UserError
from agentkit.local import serve

PROGRAM = """
import asyncio, sys
from pathlib import Path
from agentkit.local import serve
from agentkit.local.engines.base import TextDelta

class Waiting:
    async def answer(self, prompt):
        try:
            yield TextDelta("now")
            if "wait" in str(prompt.items):
                print("asked", flush=True)
                await asyncio.Event().wait()
        except (asyncio.CancelledError, GeneratorExit):
            print("stopped", flush=True)
            raise

    def count_tokens(self, text):
        return 1

serve(home=Path(sys.argv[1]), engine=Waiting(), **eval(sys.argv[2]))
print("closed")
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path), "{}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watchdog = threading.Timer(60, process.kill)  # so that a line that never comes is a failure
        watchdog.start()
        yield process
        watchdog.cancel()
        process.kill()
        watchdog.join()


def read_line(process: subprocess.Popen[str], label: str) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(label), line
    return line.removeprefix(label).strip()


def test_it_says_where_it_is_and_answers_whoever_has_the_token(server: subprocess.Popen[str]) -> None:
    address, token = read_line(server, "agentkit platform: "), read_line(server, "token: ")
    assert address.startswith("http://127.0.0.1:")
    assert len(token) >= 32
    with openai.OpenAI(base_url=address, api_key=token, max_retries=0) as client:
        made = client.responses.create(model="rehearsal-1", input="Hi")
        assert client.responses.retrieve(made.id).output_text == "now"
        kinds = [event.type for event in client.responses.create(model="rehearsal-1", input="Hi", stream=True)]
        assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    stranger = openai.OpenAI(base_url=address, api_key="guess", max_retries=0)
    with stranger, pytest.raises(openai.AuthenticationError):
        stranger.models.list()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_it_cleanly(server: subprocess.Popen[str], tmp_path: Path, number: signal.Signals) -> None:
    address, token = read_line(server, "agentkit platform: "), read_line(server, "token: ")
    with openai.OpenAI(base_url=address, api_key=token, max_retries=0) as client:
        client.responses.create(model="rehearsal-1", input="Hi")
    server.send_signal(number)
    out, err = server.communicate(timeout=30)
    assert (server.returncode, out, err) == (0, "closed\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["platform.sqlite3"]  # the log is merged and gone


@pytest.mark.parametrize("stream", ["true", "false"])
def test_the_engine_stops_when_its_client_goes_away(server: subprocess.Popen[str], stream: str) -> None:
    address, token = read_line(server, "agentkit platform: "), read_line(server, "token: ")
    url = httpx2.URL(address)
    body = f'{{"model": "rehearsal-1", "input": "wait", "stream": {stream}}}'
    request = (
        f"POST /v1/responses HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall(request.encode())
        read_line(server, "asked")
    read_line(server, "stopped")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.invalid"])
def test_it_does_not_listen_to_other_machines_unasked(host: str) -> None:
    with pytest.raises(UserError, match=f"'{host}' can be reached from other machines"):
        serve(host)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"Can't listen on 127.0.0.1:{port}"):
            serve(port=port, home=tmp_path, engine=object())  # type: ignore[arg-type]
