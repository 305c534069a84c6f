"""Which process something belongs to, whether that is still there, and what a child process needs of this one."""

from __future__ import annotations

import functools
import os
import platform
import site
from contextlib import suppress
from pathlib import Path

__all__ = ["child_environment", "is_elsewhere", "is_gone", "process_with", "this_process"]


def this_process() -> str:
    """Return what tells this process from all others, later ones with its number included: machine, number, start."""
    return _described(os.getpid())  # not kept across a fork


def process_with(pid: int) -> str:
    """Return the same of the process that has a number now: of a child that was just started."""
    found = _stat(pid)
    return f"{platform.node()}/{pid}/{'' if found is None else found[1]}"


_described = functools.lru_cache(maxsize=4)(process_with)


def is_elsewhere(process: str) -> bool:
    """Return whether the process that `this_process` described is, or was, on another machine."""
    return process.rpartition("/")[0].rpartition("/")[0] != platform.node()


def is_gone(process: str) -> bool:
    """Return whether the process that `this_process` described has certainly ended; False where that can't be known."""
    rest = process.rpartition("/")[0].rpartition("/")[2]
    started = process.rpartition("/")[2]
    if is_elsewhere(process) or not rest.isdigit():
        return False
    pid = int(rest)
    if started and (found := _stat(pid)) is not None:
        state, now = found
        return now != started or state == "Z"  # ended, and its parent hasn't asked how
    if os.name != "posix":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # another user's
        return False
    return False


def _stat(pid: int) -> tuple[str, str] | None:
    """Return a process's state, and when it started, in ticks since the machine did; None where none says so."""
    with suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()  # the name before may have spaces
        return fields[0].decode(), fields[19].decode()
    return None


def child_environment(**settings: str) -> dict[str, str]:
    """Return this process's environment for a Python that it starts, which finds this agentkit, wherever it is.

    Args:
        settings: Variables that are set besides.
    """
    root = str(Path(__file__).absolute().parent.parent)
    environment = {**os.environ, **settings}
    if root not in (*site.getsitepackages(), site.getusersitepackages()):
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (environment.get("PYTHONPATH"), root)))
    return environment
