"""Ends a server's process when ours has been killed.

A server's stdin is closed by our end, and most end by that; one in the middle of a call may go on for as long as the
call takes, or for ever. Nothing in a killed process can do something about it, so a shell waits beside each server.
"""

from __future__ import annotations

import contextlib
import os
import subprocess

__all__ = ["Watchdog"]

_SHELL = "/bin/sh"
_SCRIPT = 'read -r line && exit; sleep 2; kill -TERM "-$0" 2>/dev/null && sleep 2; kill -KILL "-$0" 2>/dev/null'
"""`read` returns when our end of the pipe is closed: with our process, however that ends."""


class Watchdog:
    """Waits for the end of our process, and then gives a group of processes 2 s to end, and 2 s after SIGTERM.

    Args:
        group: Id of the group: that of the process which leads it.
    """

    def __init__(self, group: int) -> None:
        self._shell = subprocess.Popen(
            [_SHELL, "-c", _SCRIPT, str(group)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # what ends our group is not to end it
        )

    @classmethod
    def of(cls, group: int) -> Watchdog | None:
        """Return one, or None where there is no shell for it, as on Windows."""
        if not hasattr(os, "killpg") or not os.access(_SHELL, os.X_OK):
            return None
        with contextlib.suppress(OSError):  # no process more is allowed, say; the server is worth having without
            return cls(group)
        return None

    def dismiss(self) -> None:
        """End it: the processes have ended. Takes about a millisecond."""
        self._shell.kill()
        self._shell.wait()
        if self._shell.stdin is not None:
            self._shell.stdin.close()
