"""A server that is a child process, spoken to over its stdin and stdout."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from agentkit.mcp.failures import Failure
from agentkit.mcp.watchdog import Watchdog

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
    from mcp.shared.message import SessionMessage

__all__ = ["StdioTransport"]

_EXIT_S = 2.0  # for a server to end after its stdin has been closed, and again after SIGTERM
_TAIL_BYTES, _TAIL_LINES = 4096, 10
_CHUNK = 1 << 16
_STDERR_BYTES = 1 << 20

_log = logging.getLogger("agentkit.mcp")


@dataclass
class StdioTransport:
    """Starts the server's process, and ends it.

    Its stderr goes to a file without a name: a notebook's `sys.stderr` is none that a process could write to.
    """

    command: str
    """The program."""
    args: list[str] = field(default_factory=list)
    """Its arguments."""
    env: dict[str, str] | None = None
    """Variables of its environment, besides the few that every server gets (PATH, HOME and the like)."""
    cwd: str | Path | None = None
    """Folder that it runs in."""
    encoding: str = "utf-8"
    """How its messages are encoded."""
    encoding_errors: str = "strict"
    """What becomes of bytes that aren't in this encoding, as `bytes.decode` takes it."""
    _on_close: Callable[[], None] = field(default=lambda: None, init=False, repr=False)
    _process: Process | None = field(default=None, init=False, repr=False)
    _stderr: IO[bytes] | None = field(default=None, init=False, repr=False)
    _closed: bool = field(default=False, init=False, repr=False)
    _asked_to_end: bool = field(default=False, init=False, repr=False)
    _forced: bool = field(default=False, init=False, repr=False)
    _tail: str = field(default="", init=False, repr=False)

    @property
    def pid(self) -> int | None:
        """Id of the server's process; None before it has started."""
        return None if self._process is None else self._process.pid

    def when_closed(self, function: Callable[[], None]) -> None:
        """Have `function` called, on the connection's loop, when the server has closed its stdout."""
        self._on_close = function

    @property
    def alive(self) -> bool:
        """Whether the process runs and its stdout is open. May be asked from any thread."""
        process = self._process
        if process is None or self._closed or process.returncode is not None:
            return False
        if not hasattr(os, "waitid"):
            return True
        try:  # the loop may not have noticed yet; WNOWAIT leaves the exit code to it
            return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False

    @contextlib.asynccontextmanager
    async def streams(self) -> AsyncIterator[tuple[Any, Any]]:  # the two streams that a ClientSession takes
        """Start the process, and yield the streams of its messages and of ours. It has ended when the block has."""
        import anyio
        from mcp.shared.message import SessionMessage

        with tempfile.TemporaryFile(prefix="agentkit-mcp-") as self._stderr:
            _append_only(self._stderr)
            process = self._process = await self._start(self._stderr)
            watchdog = Watchdog.of(process.pid)
            from_server, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
            to_send, to_server = anyio.create_memory_object_stream[SessionMessage](0)
            pumps = [
                asyncio.create_task(self._read(process, from_server)),
                asyncio.create_task(self._write(process, to_server)),
            ]
            graceful = False
            try:
                yield received, to_send
                graceful = True
            finally:
                self._asked_to_end = self.alive
                received.close()
                to_send.close()
                # one that has hung up is ending already, with an exit code that tells why
                await self._end(process, graceful=graceful or self._closed)
                if watchdog is not None:
                    watchdog.dismiss()
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
                for stream in (from_server, to_server):
                    stream.close()
                self._tail = self._read_tail()
                self._stderr = None

    def explain(self, error: BaseException | None) -> Failure:
        """Return what became of the server, once `streams` has been left, or not been entered."""
        if self._process is None:
            return self._not_started(error)
        code = self._process.returncode
        if self._asked_to_end or code is None:
            return Failure("was stopped", lost=True)
        if self._forced:
            return self._ended("closed its stdout, and had to be ended", code)
        said = "" if self._tail else ", and wrote nothing to stderr"
        if code < 0:
            with contextlib.suppress(ValueError):
                return self._ended(f"was killed by {signal.Signals(-code).name} (exit code {code}){said}", code)
        return self._ended(f"ended with exit code {code}{said}", code)

    def _ended(self, what: str, code: int) -> Failure:
        command = shlex.join([self.command, *self.args])
        hint = f"See what `{command:.200}` says in a terminal; the next call starts it again."
        return Failure(what, hint, self._tail, exit_code=code, lost=True)

    def _not_started(self, error: BaseException | None) -> Failure:
        if self.cwd is not None and not Path(self.cwd).is_dir():
            return Failure(f"can't be started in {str(self.cwd)!r}: there is no such folder", "Correct cwd.", lost=True)
        if isinstance(error, FileNotFoundError):
            hint = "Install it, or give its full path; with env, mind that its PATH counts."
            return Failure(f"can't be started: there is no command {self.command!r}", hint, lost=True)
        hint = "Try the command in a terminal."
        return Failure(f"can't be started by {self.command!r}: {type(error).__name__}: {error}", hint, lost=True)

    async def _start(self, stderr: IO[bytes]) -> Process:
        from mcp.client.stdio import get_default_environment

        env = get_default_environment() | (self.env or {})
        # on Windows npx is npx.cmd, which only a look-up finds; elsewhere exec looks in PATH itself
        command = shutil.which(self.command, path=env.get("PATH")) or self.command
        options: dict[str, Any] = {}
        if sys.platform == "win32":
            options["creationflags"] = subprocess.CREATE_NO_WINDOW
        else:
            options["start_new_session"] = True  # Ctrl-C in a terminal is for us; and its children end with it
        return await asyncio.create_subprocess_exec(
            command, *self.args, stdin=PIPE, stdout=PIPE, stderr=stderr, env=env, cwd=self.cwd, **options
        )

    async def _read(self, process: Process, out: MemoryObjectSendStream[SessionMessage | Exception]) -> None:
        """Pass on the messages of the server, a line each, until it closes its stdout."""
        import anyio

        begun: list[bytes] = []  # the pieces of a line: a picture in one is some megabytes, many pieces long
        gone = (anyio.BrokenResourceError, anyio.ClosedResourceError)
        try:
            with contextlib.suppress(ConnectionError, *gone):
                while chunk := await process.stdout.read(_CHUNK):  # type: ignore[union-attr]  # it is a pipe
                    first, *others = chunk.split(b"\n")
                    begun.append(first)
                    for piece in others:
                        line, begun = b"".join(begun), [piece]
                        if line.strip():
                            await out.send(self._message(line))
                    self._trim_stderr()
        finally:
            self._closed = True
            out.close()
            self._on_close()

    def _message(self, line: bytes) -> SessionMessage | Exception:
        from mcp.shared.message import SessionMessage
        from mcp_types import jsonrpc_message_adapter

        try:
            text = line.decode(self.encoding, self.encoding_errors)
            return SessionMessage(jsonrpc_message_adapter.validate_json(text, by_name=False))
        except ValueError as error:
            _log.warning("The MCP server %r wrote a line to stdout that is no message: %.200r", self.command, line)
            return error

    async def _write(self, process: Process, messages: MemoryObjectReceiveStream[SessionMessage]) -> None:
        """Send our messages. Where they don't arrive, the server is ended: nothing would answer them."""
        stdin = process.stdin
        assert stdin is not None
        try:
            async for message in messages:
                text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                stdin.write(text.encode(self.encoding, self.encoding_errors) + b"\n")
                await stdin.drain()
        except (ConnectionError, OSError):
            self._closed = True
            self._on_close()

    async def _end(self, process: Process, *, graceful: bool) -> None:
        """End the process: by closing its stdin where it has time, then by SIGTERM, then by SIGKILL."""
        if process.stdin is not None:
            process.stdin.close()
        if graceful and await _ended(process, _EXIT_S):
            return
        self._forced = True
        for force in (False, True):
            _kill(process, force=force)
            if await _ended(process, _EXIT_S):
                return
        _log.warning("The MCP server %r (process %d) can't be ended.", self.command, process.pid)

    def _trim_stderr(self) -> None:
        """Keep the file of a server that writes a lot from filling the disk."""
        file = self._stderr
        if file is not None and sys.platform != "win32" and os.fstat(file.fileno()).st_size > _STDERR_BYTES:
            os.ftruncate(file.fileno(), 0)  # its next line comes at the start: the file is open for appending

    def _read_tail(self) -> str:
        file = self._stderr
        if file is None:
            return ""
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - _TAIL_BYTES))
        return "\n".join(file.read().decode("utf-8", "replace").strip().splitlines()[-_TAIL_LINES:])


def _append_only(file: IO[bytes]) -> None:
    """Have all that is written to a file go to its end, wherever that is by then."""
    if sys.platform != "win32":
        import fcntl

        fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)


async def _ended(process: Process, limit_s: float) -> bool:
    with contextlib.suppress(TimeoutError):
        # not for longer: a child of the server that holds its pipes makes an ended process look running
        await asyncio.wait_for(process.wait(), limit_s)
    return process.returncode is not None


def _kill(process: Process, *, force: bool) -> None:
    """End a process and its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
        else:
            os.killpg(process.pid, signal.SIGKILL if force else signal.SIGTERM)
