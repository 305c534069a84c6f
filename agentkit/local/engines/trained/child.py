"""The process that runs models, as the platform's process sees it: started, asked, and stopped.

It is asked by lines of JSON on its standard input and answers by lines of JSON on its standard output, each with the
number of the request that it is about. What it says on its standard error is kept for when it fails.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any

from agentkit._process import child_environment

__all__ = ["Child", "ChildGoneError", "Deliver"]

Deliver = Callable[[dict[str, Any]], None]
"""Takes what is answered to a request, on a thread of its own; it must not wait."""

_PATIENCE_S = 5.0
"""How long a process that was told to end may take."""
_WRITE_PATIENCE_S = 2.0
_LAST_LINES = 12
_LAST_BYTES = 8_192
_SETTINGS = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "PYTHONIOENCODING": "utf-8"}
"""It fetches nothing."""


class ChildGoneError(Exception):
    """The process has ended, or is about to."""


class Child:
    """A running process. Any thread may ask it; one of its own reads the answers.

    Args:
        idle_s: Seconds without a request after which it ends.
    """

    def __init__(self, *, idle_s: float) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Deliver] = {}
        self._lock = threading.RLock()  # stop may be called by the garbage collector, wherever it begins
        self._sending = threading.Lock()
        self._is_ending = False
        self._stopped = False
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed by the thread that reads
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "agentkit.local.engines.trained.server", str(idle_s)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                bufsize=0,
                env=child_environment(**_SETTINGS),
                start_new_session=True,
            )
        except BaseException:
            self._log.close()
            raise
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read, name="agentkit-models", daemon=True)
        self._reader.start()

    @property
    def is_usable(self) -> bool:
        """Whether it may be asked."""
        return not self._is_ending

    def ask(self, request: dict[str, Any], deliver: Deliver) -> int:
        """Send a request and return its number. What is answered is delivered, to the last line: `done` or `error`.

        Raises:
            ChildGoneError: It takes no more requests.
        """
        number = next(self._numbers)
        with self._lock:
            if self._is_ending:
                raise ChildGoneError
            self._waiting[number] = deliver
        self._send({"id": number, **request})  # where it is gone, the reader says so
        return number

    def cancel(self, number: int) -> None:
        """Let go of a request."""
        with self._lock:
            known = self._waiting.pop(number, None) is not None
            ends = self._is_ending and not self._waiting
        if known:
            self._send({"id": number, "do": "cancel"})
        if ends:
            self._close_input()

    def stop(self, *, wait: bool = True) -> None:
        """End the process; requests that wait for it fail."""
        with self._lock:
            self._is_ending = self._stopped = True
        self._close_input()
        if not wait:
            return
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        if threading.current_thread() is not self._reader:
            self._reader.join(_PATIENCE_S)

    def stop_when_done(self) -> None:
        """Take no more requests, and end the process when the last that it has is answered."""
        with self._lock:
            self._is_ending = True
            busy = bool(self._waiting)
        if not busy:
            self.stop()

    def forget(self) -> None:
        """Let go of it in a process that was forked off: it belongs to the one that started it."""
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._is_ending = True
        self._waiting = {}
        self._process.returncode = 0  # not ours to wait for

    def _send(self, message: dict[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        stream = self._process.stdin
        assert stream is not None
        with self._sending, contextlib.suppress(OSError, ValueError):  # closed, or nobody reads it any more
            while line:
                line = line[stream.write(line) :]

    def _close_input(self) -> None:
        """Tell the process to end: it does where its input ends."""
        stream = self._process.stdin
        assert stream is not None
        if not self._sending.acquire(timeout=_WRITE_PATIENCE_S):  # it takes nothing any more
            self._process.kill()
            return
        with contextlib.suppress(OSError):
            stream.close()
        self._sending.release()

    def _read(self) -> None:
        """Deliver answers until there are none; then the process is at its end."""
        stream = self._process.stdout
        assert stream is not None
        with contextlib.suppress(OSError, ValueError), open(stream.fileno(), "rb", closefd=False) as lines:
            for line in lines:
                self._take(json.loads(line))
        self._close_input()
        with self._lock:
            self._is_ending = True
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE_S)
        with self._lock:
            waiting, self._waiting = list(self._waiting.values()), {}
        said = {"error": {"gone": True, "message": self._last_words()}}
        for deliver in waiting:
            deliver(said)
        stream.close()
        self._log.close()

    def _take(self, message: dict[str, Any]) -> None:
        if "idle" in message:
            with self._lock:
                if self._waiting:
                    return
                self._is_ending = True
            self._close_input()
            return
        is_last = "done" in message or "error" in message
        with self._lock:
            deliver = self._waiting.pop(message["id"], None) if is_last else self._waiting.get(message["id"])
            ends = self._is_ending and not self._waiting
        if deliver is not None:
            deliver(message)
        if ends:
            self._close_input()

    def _last_words(self) -> str:
        """Return why the process ended, as far as it can be known."""
        code = self._process.returncode
        if self._stopped:
            return "The platform was closed while the model answered."
        if code in (-9, 137):
            what = "was killed (signal 9), most likely because the machine ran out of memory"
        else:
            what = f"was ended by signal {-code}" if code and code < 0 else f"ended with code {code}"
        said = self._end_of_log()
        return f"The process that runs models {what}. The next request starts it anew.{said}"

    def _end_of_log(self) -> str:
        try:
            size = self._log.seek(0, os.SEEK_END)
            self._log.seek(max(0, size - _LAST_BYTES))
            text = self._log.read().decode(errors="replace")
        except (OSError, ValueError):
            return ""
        lines = [line for line in text.splitlines() if line.strip()][-_LAST_LINES:]
        return "\nIts last words:\n" + "\n".join(lines) if lines else ""
