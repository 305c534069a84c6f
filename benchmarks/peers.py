"""Environments for contenders that are too heavy, or too particular, for the one that the others are measured in."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

__all__ = ["PEERS", "install", "peer_python", "peer_version"]

PEERS = {"mlflow": "mlflow>=3.5,<4"}
"""What is installed for each of them."""
_FOLDER = Path(sys.prefix) / "peers"
"""Where the environments are kept: in the environment itself, with which they go."""


def peer_python(name: str) -> Path | None:
    """Return the Python that has a contender, or None where there is none.

    That is what the variable `BENCHMARKS_PYTHON_<NAME>` names, or else the one that `install` made.
    """
    if given := os.environ.get(f"BENCHMARKS_PYTHON_{name.upper()}"):
        return Path(given)
    folder = _FOLDER / name
    return folder / "bin" / "python" if (folder / "complete").exists() else None


def install(name: str) -> None:
    """Make the environment of a contender, by pip.

    Raises:
        CalledProcessError: pip failed.
    """
    folder = _FOLDER / name
    venv.create(folder, with_pip=True, clear=True, symlinks=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-q", PEERS[name]]
    subprocess.run(pip, check=True)
    (folder / "complete").touch()


def peer_version(name: str) -> str:
    """Return the version of a contender in its own environment."""
    program = f"import importlib.metadata as m; print(m.version({name!r}))"
    done = subprocess.run([str(peer_python(name)), "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()
