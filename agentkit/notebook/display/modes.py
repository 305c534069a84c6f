"""Which way a run is shown, decided by who is there to look."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["RenderMode", "render_mode", "somebody_is_there"]

RenderMode = Literal["live", "static", "console"]
"""`live` streams into the cell and is replaced by what is kept, `static` is one output at the end, `console` prints."""


def render_mode(shell: InteractiveShell) -> RenderMode:
    """Return how runs are to be shown.

    `%config AgentKit.render` or `AGENTKIT_RENDER` decides where it is set, and isn't "auto". Else a terminal prints, a
    notebook that somebody sits at is live, and one that runs by itself (nbconvert, papermill, nbval) is static: such
    programs keep or compare one output.

    Raises:
        UserError: `AGENTKIT_RENDER` is set to something else than a mode.
    """
    from agentkit.notebook.settings import settings

    if (chosen := settings().render) != "auto":
        return cast("RenderMode", chosen)
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return "console"
    # whoever can be asked is there; nbval's kernels are told apart by what pytest leaves in the environment
    watched = getattr(kernel, "_allow_stdin", False) and "PYTEST_VERSION" not in os.environ
    return "live" if watched else "static"


def somebody_is_there(shell: InteractiveShell) -> bool:
    """Tell whether a question at a prompt would be answered: not in nbconvert, nbval and the like, and in no pipe."""
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        return bool(getattr(kernel, "_allow_stdin", False)) and "PYTEST_VERSION" not in os.environ
    return sys.stdin is not None and sys.stdin.isatty()
