"""The embedded platform on a port, for other programs."""

from __future__ import annotations

import contextlib
import errno
import secrets
import socket
from collections.abc import Generator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from agentkit.exceptions import UserError

if TYPE_CHECKING:
    from agentkit.local.engines.base import Engine

__all__ = ["RemoteAddressError", "serve"]

_GOODBYE_S = 2
"""Seconds that answers under way have to end when the server is told to stop."""

_MAX_BODY_BYTES = 64 * 1024 * 1024
"""More than any prompt with its images, and little enough to hold in memory."""

_LISTEN_HINTS = {
    errno.EADDRINUSE: "Use port 0 for a free port.",
    errno.EACCES: "Use a port above 1023.",
    errno.EADDRNOTAVAIL: "Use an address of this machine.",
}


class RemoteAddressError(UserError):
    """Other machines could reach the address, and that wasn't allowed."""


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
        RemoteAddressError: `host` can be reached from other machines, and that wasn't allowed.
        UserError: `host` is no address and no name of one; or the port is taken.
    """
    address = _resolve(host)
    if not address.is_loopback and not allow_remote:
        raise RemoteAddressError(f"{host!r} can be reached from other machines.", hint="Use 127.0.0.1.")
    import uvicorn

    from agentkit.local.app import create_app

    token = token or secrets.token_urlsafe(24)
    app = create_app(home=home, token=token, engine=engine, max_body_bytes=_MAX_BODY_BYTES)

    class Server(uvicorn.Server):
        """uvicorn, which would raise the signal again when all is closed: here, being told to stop is a good end."""

        @contextlib.contextmanager
        def capture_signals(self) -> Generator[None, None, None]:
            with super().capture_signals():
                yield
                self._captured_signals.clear()

    with _listen(address, port) as listener:
        print(f"agentkit platform: {_url_of(listener)}\ntoken: {token}", flush=True)
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=_GOODBYE_S)
        Server(config).run(sockets=[listener])


def _resolve(host: str) -> IPv4Address | IPv6Address:
    """Return the address that `host` is, or is a name of; an IPv4 address where there are several."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a part of the name is empty or too long
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(
            f"{host!r} is no address, and can't be resolved to one: {reason}.", hint="Use 127.0.0.1."
        ) from error
    addresses = [ip_address(entry[4][0]) for entry in found]
    return min(addresses, key=lambda address: address.version)


def _listen(address: IPv4Address | IPv6Address, port: int) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        return socket.create_server((str(address), port), family=family)
    except OSError as error:
        raise UserError(
            f"Can't listen on {address}:{port}: {error.strerror}.", hint=_LISTEN_HINTS.get(error.errno or 0)
        ) from error


def _url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
