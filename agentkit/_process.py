"""Which process something belongs to, and whether that is still there."""

from __future__ import annotations

import functools
import os
import platform
from contextlib import suppress

__all__ = ["is_gone", "this_process"]


def this_process() -> str:
    """Return what tells this process from all others, later ones with its number included: machine, number, start."""
    return _described(os.getpid())  # not kept across a fork


@functools.lru_cache(maxsize=4)
def _described(pid: int) -> str:
    return f"{platform.node()}/{pid}/{_started(pid) or ''}"


def is_gone(process: str) -> bool:
    """Return whether the process that `this_process` described has certainly ended; False where that can't be known."""
    machine, _, rest = process.rpartition("/")[0].rpartition("/")
    started = process.rpartition("/")[2]
    if machine != platform.node() or not rest.isdigit():
        return False
    pid = int(rest)
    if started and (now := _started(pid)) is not None:
        return now != started
    if os.name != "posix":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # another user's
        return False
    return False


def _started(pid: int) -> str | None:
    """Return when a process started, in ticks since the machine did; None where the system doesn't say."""
    with suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()  # the name before may have spaces
        if fields[0] != b"Z":
            return fields[19].decode()
    return None
