"""Notebooks in a real JupyterLab or Jupyter Notebook, driven in headless Chromium as a person would.

```python
with JupyterLab(tmp_path) as lab, open_chromium() as chromium:
    write_notebook(tmp_path / "a.ipynb", ["print(6 * 7)"])
    with NotebookPage(chromium, lab, "a.ipynb") as notebook:
        notebook.run_cell(0)
        assert notebook.text(0) == "42"
```

Needs the packages `playwright` and `jupyterlab` or `notebook`, and a Chromium: see `find_chromium`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit.testing.jupyterlab import JupyterLab, JupyterNotebook
from agentkit.testing.notebook_page import NotebookPage
from agentkit.testing.watching import stays_on_this_machine

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = [
    "JupyterLab",
    "JupyterNotebook",
    "NotebookPage",
    "find_chromium",
    "open_chromium",
    "stays_on_this_machine",
    "write_notebook",
]

_CHROMIUM_OPTIONS = (
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--mute-audio",
    # below the page's requests, which are recorded: whatever the browser itself would look up
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def find_chromium() -> Path:
    """Return the Chromium to drive: `AGENTKIT_CHROMIUM`, one on the PATH, or Playwright's own.

    Raises:
        FileNotFoundError: There is none.
    """
    if named := os.environ.get("AGENTKIT_CHROMIUM"):
        if Path(named).exists():
            return Path(named)
        raise FileNotFoundError(f"AGENTKIT_CHROMIUM names {named}, which does not exist.")
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if found := shutil.which(name):
            return Path(found)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        bundled = Path(playwright.chromium.executable_path)
    if bundled.exists():
        return bundled
    raise FileNotFoundError(
        "No Chromium found. Install one (Debian: apt install chromium; elsewhere: playwright install "
        "chromium), or name it in AGENTKIT_CHROMIUM."
    )


@contextlib.contextmanager
def open_chromium() -> Iterator[Browser]:
    """Yield a headless Chromium that can reach this machine only."""
    from playwright.sync_api import sync_playwright

    executable = find_chromium()  # before the other Playwright is started: there can be one at a time
    options = list(_CHROMIUM_OPTIONS)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--no-sandbox")  # Chromium refuses to make a sandbox as root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=options)
        try:
            yield browser
        finally:
            browser.close()


def write_notebook(path: Path, cells: Sequence[str], *, kernel: str = "python3") -> Path:
    """Write a Python notebook of code cells with these texts, and return `path`.

    Args:
        path: The file.
        cells: The texts.
        kernel: The kernel that it asks for: see `JupyterServer.add_kernel`.
    """
    notebook = {
        "cells": [_code_cell(number, text) for number, text in enumerate(cells)],
        "metadata": {"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")
    return path


def _code_cell(number: int, text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": f"cell-{number}",
        "source": text,
        "metadata": {},
        "execution_count": None,
        "outputs": [],
    }
