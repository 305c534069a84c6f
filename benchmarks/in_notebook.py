"""Notebooks in a browser for `python -m benchmarks.notebook`: servers, kernels, and what is looked for on the page."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from agentkit.testing.browser import JupyterLab, JupyterNotebook, NotebookPage, write_notebook
from agentkit.testing.jupyterlab import JupyterServer
from benchmarks.kernels import kernel_python
from benchmarks.long_answer import LONG_ANSWER, PACED_MODEL, long_answer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["INSTALLED", "SERVERS", "opened", "release"]

INSTALLED = "installed"
"""The name here of the ipykernel that this Python has."""

SERVERS: dict[str, type[JupyterServer]] = {"lab": JupyterLab, "notebook": JupyterNotebook}
"""The front ends."""


@contextmanager
def opened(chromium: Browser, app: str, cells: Sequence[str], *, kernel: str = INSTALLED) -> Iterator[NotebookPage]:
    """Open a notebook of these cells, after two that have run already: the extension, and `PACED_MODEL`.

    Args:
        chromium: The browser.
        app: Key of `SERVERS`.
        cells: The cells from number 2 on.
        kernel: Release of ipykernel.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with SERVERS[app](root, env={"AGENTKIT_HOME": str(root / "home")}) as server:
            name = "python3"
            if kernel != INSTALLED:
                name = f"ipykernel-{kernel}"
                server.add_kernel(name, kernel_python(kernel))
            (root / LONG_ANSWER).write_text(long_answer(), encoding="utf-8")
            write_notebook(root / "measured.ipynb", ["%load_ext agentkit", PACED_MODEL, *cells], kernel=name)
            with NotebookPage(chromium, server, "measured.ipynb") as notebook:
                notebook.run_cell(0)
                notebook.run_cell(1)
                yield notebook


def release(kernel: str) -> str:
    """Return the release of a kernel, as a table has it."""
    return version("ipykernel") if kernel == INSTALLED else kernel
