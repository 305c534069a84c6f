"""The platform on a port."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from agentkit.exceptions import UserError
from agentkit.local import serve
from agentkit.local.server import RemoteAddressError

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


def test_a_body_that_is_too_long_is_refused_before_it_is_sent(server: subprocess.Popen[str]) -> None:
    address, token = read_line(server, "agentkit platform: "), read_line(server, "token: ")
    url = httpx2.URL(address)
    head = (
        f"POST /v1/responses HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {64 * 1024 * 1024 + 1}\r\n\r\n"
    )
    with socket.create_connection((url.host, url.port)) as connection, connection.makefile("rb") as reply:
        connection.sendall(head.encode())
        assert reply.readline().split()[:2] == [b"HTTP/1.1", b"413"]


def test_the_openai_client_is_told_that_its_request_is_too_large(server: subprocess.Popen[str]) -> None:
    address, token = read_line(server, "agentkit platform: "), read_line(server, "token: ")
    with openai.OpenAI(base_url=address, api_key=token, max_retries=0) as client:
        with pytest.raises(openai.APIStatusError, match="at most 67,108,864 bytes") as caught:
            client.responses.create(model="rehearsal-1", input="x" * (64 * 1024 * 1024))
        assert (caught.value.status_code, caught.value.code) == (413, "request_too_large")
        assert client.responses.create(model="rehearsal-1", input="Hi").output_text == "now"


def test_an_upload_may_be_larger_than_a_prompt(server: subprocess.Popen[str], tmp_path: Path) -> None:
    address, token = read_line(server, "agentkit platform: "), read_line(server, "token: ")
    with openai.OpenAI(base_url=address, api_key=token, max_retries=0) as client:
        made = client.files.create(file=("large.bin", bytes(65 * 1024 * 1024)), purpose="user_data")
        assert made.bytes == (tmp_path / "files" / "data" / made.id).stat().st_size == 65 * 1024 * 1024


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names stand for, by name; others can't be resolved."""
    known: dict[str, list[str]] = {}

    def look_up(host: str, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(None, None, None, "", (address, 0)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "named.example"])
def test_it_does_not_listen_to_other_machines_unasked(host: str, names: dict[str, list[str]]) -> None:
    names["named.example"] = ["2001:db8::1", "192.0.2.1"]
    with pytest.raises(RemoteAddressError) as caught:
        serve(host)
    assert str(caught.value) == f"'{host}' can be reached from other machines. Use 127.0.0.1."


@pytest.mark.usefixtures("names")
def test_a_host_that_is_no_address_is_named() -> None:
    with pytest.raises(UserError) as caught:
        serve("nonsense")
    expected = "'nonsense' is no address, and can't be resolved to one: Name or service not known. Use 127.0.0.1."
    assert str(caught.value) == expected


@pytest.mark.parametrize("host", ["a..b", "x" * 64])
def test_a_host_that_can_be_no_name_is_named(host: str) -> None:
    with pytest.raises(UserError, match=f"'{host}' is no address, and can't be resolved to one: "):
        serve(host)


def test_of_several_addresses_of_a_name_it_takes_the_ipv4_one(tmp_path: Path, names: dict[str, list[str]]) -> None:
    names["mine"] = ["::1", "127.0.0.1"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"Can't listen on 127\.0\.0\.1:{port}: .* Use port 0 for a free port\."):
            serve("mine", port, home=tmp_path, engine=object())  # type: ignore[arg-type]


def test_an_address_of_another_machine_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Can't listen on 192\.0\.2\.1:0: .* Use an address of this machine\."):
        serve("192.0.2.1", home=tmp_path, engine=object(), allow_remote=True)  # type: ignore[arg-type]


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"Can't listen on 127.0.0.1:{port}"):
            serve(port=port, home=tmp_path, engine=object())  # type: ignore[arg-type]
