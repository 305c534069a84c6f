"""The guard that keeps tests on this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import network_guard
import pytest


@pytest.fixture
def attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of this test's own, so that what it provokes does not fail it."""
    log = tmp_path / "attempts.txt"
    monkeypatch.setenv(network_guard.LOG_VARIABLE, str(log))
    return log


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "0.0.0.0", "localhost", b"localhost", "", None])
def test_this_machine_is_local(host: object) -> None:
    assert network_guard.is_local(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "192.0.2.7", "2001:db8::1", "localhost.example.invalid", b"x"])
def test_everything_else_is_not(host: object) -> None:
    assert not network_guard.is_local(host)


def test_a_connection_outwards_is_refused_and_logged(attempts: Path) -> None:
    with socket.socket() as s, pytest.raises(network_guard.NetworkForbiddenError, match=r"192\.0\.2\.7:443"):
        s.connect(("192.0.2.7", 443))
    assert attempts.read_text(encoding="utf-8").startswith("socket.connect 192.0.2.7:443 ")


def test_a_datagram_outwards_is_refused(attempts: Path) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as s, pytest.raises(network_guard.NetworkForbiddenError):
        s.sendto(b"x", ("192.0.2.7", 53))
    assert attempts.exists()


def test_looking_up_a_name_is_refused(attempts: Path) -> None:
    with pytest.raises(network_guard.NetworkForbiddenError, match=r"example\.invalid"):
        socket.getaddrinfo("example.invalid", 443)
    assert attempts.exists()


def test_loopback_works() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        connection, _ = server.accept()
        with connection:
            client.sendall(b"hello")
            assert connection.recv(5) == b"hello"


def test_a_python_started_by_a_test_is_guarded_too(attempts: Path) -> None:
    code = "import socket; socket.socket().connect(('192.0.2.7', 443))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ.copy())
    assert "NetworkForbiddenError: socket.connect to 192.0.2.7:443" in done.stderr
    assert attempts.exists()
