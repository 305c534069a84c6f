"""Every notebook runs where nobody looks: in a plain `jupyter execute`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

from agentkit.testing.kernel import without_pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def test_all_notebooks_run_in_a_plain_jupyter_execute(tmp_path: Path) -> None:
    before = contents(NOTEBOOKS)
    copies = shutil.copytree(NOTEBOOKS, tmp_path / "notebooks", ignore=shutil.ignore_patterns(".*"))
    names = sorted(path.name for path in copies.glob("*.ipynb"))
    assert names

    own = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    own |= {"AGENTKIT_HOME": str(tmp_path / "agentkit"), "IPYTHONDIR": str(tmp_path / "ipython")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["jupyter", "execute", *names],
        cwd=copies,
        env={**without_pytest(os.environ), **own, "PATH": path, "MPLCONFIGDIR": str(tmp_path / "matplotlib")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert [f"Executing {name}" for name in names if f"Executing {name}" not in done.stderr] == []
    assert contents(NOTEBOOKS) == before
    assert contents(copies) == before
    assert processes_that_name(tmp_path) == []


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.ipynb")}


def processes_that_name(folder: Path) -> list[list[str]]:
    """The command lines, of any process, in which a folder occurs: a kernel's names its connection file."""
    lines = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if any(str(folder) in part for part in line)]
