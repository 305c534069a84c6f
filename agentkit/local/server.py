"""The embedded platform on a port, for other programs."""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from agentkit.exceptions import UserError

if TYPE_CHECKING:
    from agentkit.local.engines.base import Engine

__all__ = ["serve"]

_GOODBYE_S = 2
"""Seconds that answers under way have to end when the server is told to stop."""


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    *,
    home: Path | None = None,
    engine: Engine | None = None,
    allow_remote: bool = False,
) -> None:
    """Serve the platform until Ctrl+C or SIGTERM. Its address and token are printed once it listens.

    Args:
        host: Address to listen on.
        port: Port; 0 takes a free one.
        token: What clients have to send as their API key; a random one when None.
        home: Folder of the storage; `AGENTKIT_HOME` or the user's data folder when None.
        engine: Who answers; rehearsal-1 when None.
        allow_remote: Listen on an address that other machines can reach, too.

    Raises:
        UserError: `host` can be reached from other machines and that wasn't allowed; or the port is taken.
    """
    import uvicorn

    from agentkit.local.app import create_app

    if not allow_remote and not _is_loopback(host):
        raise UserError(
            f"{host!r} can be reached from other machines.",
            hint="Use 127.0.0.1, or allow it with allow_remote=True.",
        )
    token = token or secrets.token_urlsafe(24)
    app = create_app(home=home, token=token, engine=engine)

    class Server(uvicorn.Server):
        """uvicorn, which would raise the signal again when all is closed: here, being told to stop is a good end."""

        @contextlib.contextmanager
        def capture_signals(self) -> Generator[None, None, None]:
            with super().capture_signals():
                yield
                self._captured_signals.clear()

    with _listen(host, port) as listener:
        address = _address_of(listener)
        print(f"agentkit platform: {address}\ntoken: {token}", flush=True)
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=_GOODBYE_S)
        Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UserError(
            f"Can't listen on {host}:{port}: {error.strerror}.", hint="Use port 0 for a free port."
        ) from error


def _address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
