"""The fake server as a child process on a free port of 127.0.0.1."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import ROOT
from benchmarks.server.replies import http_reply, reply_to

__all__ = ["main", "running_server"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class _Connection(asyncio.Protocol):
    """One kept-alive connection. Protocols rather than streams: a reply takes one call, not a task that wakes."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._wanted = 0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) >= max(self._wanted, 1):
            head = self._waiting.find(b"\r\n\r\n")
            if head < 0:
                return
            length = _LENGTH.search(self._waiting, 0, head)
            begin = head + 4
            self._wanted = begin + (int(length[1]) if length else 0)
            if len(self._waiting) < self._wanted:
                return
            body = bytes(self._waiting[begin : self._wanted])
            self._transport.write(self._reply(bytes(self._waiting[:head]), body))
            del self._waiting[: self._wanted]
            self._wanted = 0

    def _reply(self, head: bytes, body: bytes) -> bytes:
        if not head.startswith(b"POST /v1/responses "):
            return http_reply(404, b'{"error":{"message":"only POST /v1/responses is here"}}')
        return reply_to(body)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # it ends with whoever started it
    server.close()


@contextmanager
def running_server() -> Iterator[str]:
    """Run the server, and give its base URL. It ends with the block, or with this process, however that ends."""
    command = [sys.executable, "-m", "benchmarks.server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            raise RuntimeError(f"The fake server did not start (it ended with {process.wait()}).")
        try:
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.communicate()  # closes its standard input, which ends it


def main() -> None:
    """Serve until standard input is closed."""
    asyncio.run(_serve())
