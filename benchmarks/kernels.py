"""Environments for kernels with other releases of ipykernel, each on top of the one that this Python runs in."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

__all__ = ["FOLDER", "kernel_python"]

FOLDER = Path(sys.prefix) / "kernels"
"""Where the environments are kept: in the environment itself, with which they go."""


def kernel_python(release: str) -> Path:
    """Return the Python of an environment with an ipykernel of this release, which is made where it isn't there.

    All other packages are those of the environment that this Python runs in.

    Args:
        release: Such as `7.3`: the latest of its kind is installed, by pip.

    Raises:
        CalledProcessError: pip failed.
    """
    folder = FOLDER / f"ipykernel-{release}"
    python = folder / "bin" / "python"
    if (folder / "complete").exists():
        return python
    venv.create(folder, with_pip=True, clear=True, symlinks=True)
    packages = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    ours = sysconfig.get_path("purelib")
    (Path(packages) / "beneath.pth").write_text(f"import site; site.addsitedir({ours!r})\n", encoding="utf-8")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-q", f"ipykernel=={release}.*"]
    subprocess.run(pip, check=True)
    (folder / "complete").touch()
    return python
