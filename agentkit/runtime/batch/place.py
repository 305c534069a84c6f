"""Where a batch belongs: to a notebook, a script or a name. Its finished rows are found again by that."""

from __future__ import annotations

import os
import sys

__all__ = ["PROCESS", "place_of"]

PROCESS = "process"
"""The place of what is kept for the life of the process only."""


def place_of(name: str | None) -> str | None:
    """Return what finished rows are kept under; None where they aren't kept.

    That is `name` where one is given; or else the file of the notebook or script; or else, where no file is known
    (papermill, nbconvert, a prompt), the folder it runs in.

    Where pytest runs, which compares what comes out with what has to, nothing is found that was there before, unless a
    name is given: in notebooks that nbval runs rows are kept as long as the kernel, in tests not at all.
    """
    if name is not None:
        return f"name:{name}"
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    kernels = sys.modules.get("ipykernel.kernelapp")
    in_kernel = file is None and kernels is not None and kernels.IPKernelApp.initialized()
    if "PYTEST_VERSION" in os.environ:
        return PROCESS if in_kernel else None
    if in_kernel:  # programs that a kernel starts inherit its environment
        file = getattr(main, "__vsc_ipynb_file__", None) or os.environ.get("JPY_SESSION_NAME")
    return f"file:{os.path.abspath(file)}" if file else f"folder:{os.getcwd()}"
