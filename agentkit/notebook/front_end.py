"""Which program the notebook is open in, as far as the kernel can tell."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["front_end"]


def front_end(shell: InteractiveShell | None) -> str:
    """Return the front end in words, such as "JupyterLab or Jupyter Notebook".

    Args:
        shell: The notebook's shell; None outside of IPython.
    """
    if shell is None:
        return "none, a command line"
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return "IPython in a terminal"
    if "PYTEST_VERSION" in os.environ:
        return "nbval"
    if "google.colab" in sys.modules:
        return "Google Colab"
    if "__vsc_ipynb_file__" in shell.user_ns or "VSCODE_PID" in os.environ:
        return "VS Code"
    if not getattr(kernel, "_allow_stdin", False):
        return "none: the notebook runs by itself"
    return "JupyterLab or Jupyter Notebook" if os.environ.get("JPY_SESSION_NAME") else "a Jupyter front end"
