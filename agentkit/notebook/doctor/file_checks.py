"""Where agentkit's files are, and whether they are whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from agentkit._home import home
from agentkit._sqlite import is_busy, open_to_read
from agentkit.notebook.doctor.findings import Finding, trouble, warning, well

__all__ = ["check_home", "check_stores", "counted", "size_text"]

_STORES = (
    ("traces.sqlite3", (("traces", "trace"), ("spans", "span"))),
    ("sessions.sqlite", (("agent_sessions", "session"), ("agent_messages", "item"))),
    ("platform.sqlite3", ()),
)
"""The files, and the tables in them whose rows are counted, with what a row is."""

_LOOK_S = 1.0
_SMALL_DISK = 200 * 2**20
_LARGE_STORE = 2 * 2**30


def check_home() -> Iterator[Finding]:
    """Look whether files can be written where agentkit keeps them, and by whom they can be read."""
    folder = home()
    named = "AGENTKIT_HOME" if os.environ.get("AGENTKIT_HOME") else "the default"
    nearest = next((parent for parent in (folder, *folder.parents) if parent.exists()), folder)
    other = 'export AGENTKIT_HOME="$HOME/agentkit"   # or another folder of yours, before Jupyter starts'
    if not nearest.is_dir():
        yield trouble("AGENTKIT_HOME", f"{folder} ({named}): {nearest} is a file, not a folder.", other)
        return
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        text = f"{folder} ({named}) can't be written: {error.strerror or error}. Traces and conversations are lost."
        yield trouble("AGENTKIT_HOME", text, f'chmod u+rwx "{nearest}"', other)
        return
    yield well("AGENTKIT_HOME", f"{folder} ({named}){'' if folder.exists() else ', made when something is kept'}")
    if os.name == "posix" and folder.exists() and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        yield warning("privacy", f"Others on this machine can look into {folder}.", f'chmod 700 "{folder}"')
    free = shutil.disk_usage(nearest).free
    if free < _SMALL_DISK:
        yield warning("disk", f"{size_text(free)} are free at {nearest}.", f'df -h "{nearest}"')


def check_stores() -> Iterator[Finding]:
    """Look whether the databases are whole, how large they are and what is in them."""
    folder = home()
    for name, tables in _STORES:
        path = folder / name
        if path.exists():
            yield _store(path, tables)
        elif name != "platform.sqlite3":
            yield well(name, "not there yet")
    aside = sorted(file.name for file in folder.glob("*.corrupt-*") if not file.name.endswith(("-wal", "-shm")))
    if aside:
        text = (
            f"{len(aside)} damaged {'file was' if len(aside) == 1 else 'files were'} set aside: {', '.join(aside[:3])}"
        )
        yield warning("set aside", text, f"rm {' '.join(_quoted(folder / name) for name in aside[:3])}")


def _store(path: Path, tables: tuple[tuple[str, str], ...]) -> Finding:
    size = path.stat().st_size + sum(_size(Path(f"{path}{beside}")) for beside in ("-wal", "-shm"))
    away = f"mv {_quoted(path)} {_quoted(Path(f'{path}.old'))}   # a new one is made"
    try:
        with contextlib.closing(open_to_read(path, timeout_s=0.5)) as connection:
            said = _quick_check(connection)
            counts = [counted(connection, table, word) for table, word in tables]
    except sqlite3.Error as error:
        if is_busy(error):
            return warning(path.name, f"{size_text(size)}; another program keeps it locked.", f"fuser {_quoted(path)}")
        return trouble(path.name, f"{size_text(size)}; can't be read: {error}.", away)
    if said not in ("ok", ""):
        return trouble(path.name, f"{size_text(size)}; damaged: {said.splitlines()[0]}.", away)
    what = ", ".join([size_text(size), *filter(None, counts), "whole" if said else "too large to look through in 1 s"])
    if size > _LARGE_STORE:
        return warning(path.name, f"{what}; it has grown large.", away)
    return well(path.name, what)


def _quick_check(connection: sqlite3.Connection) -> str:
    """Return SQLite's verdict: "ok", what is wrong, or "" where it took too long to say."""
    ends = time.monotonic() + _LOOK_S
    connection.set_progress_handler(lambda: time.monotonic() > ends, 10_000)
    try:
        return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            return ""
        raise
    finally:
        connection.set_progress_handler(None, 0)


def counted(connection: sqlite3.Connection, table: str, word: str) -> str:
    """Return how many rows a table has, such as "3 sessions"; "" where there is no such table."""
    with contextlib.suppress(sqlite3.OperationalError):
        count = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
        return f"{count:,} {word}{'' if count == 1 else 's'}"
    return ""


def size_text(size_bytes: float) -> str:
    """Return a size as a person says it: "12 kB", "3.4 MB"."""
    for unit in ("bytes", "kB", "MB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit != "MB" else f"{size_bytes:.1f} MB"
        size_bytes /= 1000
    return f"{size_bytes:.1f} GB"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _quoted(path: Path) -> str:
    return f'"{path}"'
