"""Files that only their user may read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentkit._home import make_private_file

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no such modes")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_missing_file_and_its_folder_are_made_for_the_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "above" / "home" / "file"
    make_private_file(path)
    assert (mode(path.parent), mode(path), path.read_bytes()) == (0o700, 0o600, b"")


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path = tmp_path / "file"
    path.write_bytes(b"content")
    path.chmod(0o440)
    make_private_file(path)
    assert (mode(tmp_path), mode(path), path.read_bytes()) == (0o755, 0o440, b"content")


LOCK = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
"""


def test_locks_on_the_file_are_kept(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    path = tmp_path / "file"
    make_private_file(path)
    with path.open("r+b") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        make_private_file(path)
        other = subprocess.run([sys.executable, "-c", LOCK, str(path)], capture_output=True, text=True)
    assert "BlockingIOError" in other.stderr
