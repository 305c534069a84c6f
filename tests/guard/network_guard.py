"""Forbids this process every connection and look-up that would leave the machine.

Works as an audit hook, below all libraries: whoever connects, by whatever client, gets
`NetworkForbiddenError`. What was attempted is also written to the file named by `AGENTKIT_NETWORK_LOG`, so
that an attempt whose error was swallowed is seen.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys

LOG_VARIABLE = "AGENTKIT_NETWORK_LOG"


class NetworkForbiddenError(RuntimeError):
    """A test tried to leave the machine.

    Not an OSError: no client may take it for a refused connection and try again.
    """


def is_local(host: object) -> bool:
    """Return whether `host` (a name or address as given to `socket`) stays on this machine."""
    if host in (None, "", "localhost", b"", b"localhost", socket.gethostname()):
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        if not isinstance(address, tuple) or is_local(address[0]):  # not a tuple: a Unix or netlink socket
            return
        target = f"{address[0]}:{address[1]}"
    elif event == "socket.getaddrinfo":
        if is_local(args[0]):
            return
        target = str(args[0])
    else:
        return
    log = os.environ.get(LOG_VARIABLE)
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{event} {target} (pid {os.getpid()}: {' '.join(sys.orig_argv)[:200]})\n")
    raise NetworkForbiddenError(f"{event} to {target}: tests may only talk to this machine.")


_watching = False


def forbid_network() -> None:
    """Forbid it, for the rest of this process's life (Python has no way to take an audit hook back)."""
    global _watching
    if not _watching:
        _watching = True
        sys.addaudithook(_watch)
