"""Notebooks in a real JupyterLab, driven in headless Chromium as a person would.

```python
with JupyterLab(tmp_path) as lab, open_chromium() as chromium:
    write_notebook(tmp_path / "a.ipynb", ["print(6 * 7)"])
    with NotebookPage(chromium, lab, "a.ipynb") as notebook:
        notebook.run_cell(0)
        assert notebook.text(0) == "42"
```

Needs the packages `playwright` and `jupyterlab`, and a Chromium: see `find_chromium`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from agentkit.testing.jupyterlab import JupyterLab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

__all__ = ["JupyterLab", "NotebookPage", "find_chromium", "open_chromium", "stays_on_this_machine", "write_notebook"]

_TIMEOUT_MS = 60_000
_LOCAL_SCHEMES = ("data", "blob", "about")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
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
_NOTEBOOK = "window.jupyterapp.shell.currentWidget"

_KERNEL_READY = f"""() => {{
    const kernel = window.jupyterapp?.shell?.currentWidget && {_NOTEBOOK}.sessionContext?.session?.kernel;
    return kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
}}"""
_CELL_DONE = f"""([index, run]) => {{
    const model = {_NOTEBOOK}.content.widgets[index].model;
    return model.executionState === 'idle' && model.executionCount !== null && model.executionCount !== run;
}}"""
_WATCH = """(output, [key, selector]) => {
    const texts = [];
    const note = () => {
        const text = (selector ? output.querySelector(selector) : output)?.innerText.trim();
        if (text !== undefined && text !== texts[texts.length - 1]) texts.push(text);
    };
    new MutationObserver(note).observe(output, { childList: true, characterData: true, subtree: true });
    (window.agentkitWatched ??= {})[key] = texts;
}"""


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


def write_notebook(path: Path, cells: Sequence[str]) -> Path:
    """Write a Python notebook of code cells with these texts, and return `path`."""
    notebook = {
        "cells": [_code_cell(number, text) for number, text in enumerate(cells)],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")
    return path


class NotebookPage:
    """One notebook in a browser window of its own, its kernel ready; a context manager that closes it.

    Cells are numbered from 0 as they stand, text cells included.

    Args:
        browser: From `open_chromium`.
        lab: The server.
        name: The notebook's path below the server's root.
        size: Width and height of the window in pixels.
    """

    def __init__(self, browser: Browser, lab: JupyterLab, name: str, *, size: tuple[int, int] = (1280, 900)) -> None:
        self.lab = lab
        self.outside_requests: list[str] = []
        """Addresses beyond this machine that the page asked for; the requests were refused."""
        self._context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        self._context.route(lambda address: not stays_on_this_machine(address), self._refuse)
        self.page: Page = self._context.new_page()
        """Playwright's page, for what has no method here."""
        self.page.set_default_timeout(_TIMEOUT_MS)
        self.page.on("websocket", lambda socket: self._note(socket.url))
        self.page.goto(lab.notebook_url(name), wait_until="domcontentloaded")
        self.page.locator(".jp-NotebookPanel:visible .jp-Notebook").first.wait_for()
        self.wait_for_kernel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._context.close()

    def wait_for_kernel(self) -> None:
        """Wait until the kernel is connected and has nothing to do."""
        self.page.wait_for_function(_KERNEL_READY)

    def is_running(self, index: int) -> bool:
        """Return whether the cell at `index` runs, or waits for its turn."""
        state: str = self.page.evaluate(f"index => {_NOTEBOOK}.content.widgets[index].model.executionState", index)
        return state != "idle"

    def cell(self, index: int) -> Locator:
        """Return the cell at `index`."""
        return self.page.locator(".jp-NotebookPanel:visible .jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """Return the output area of the cell at `index`."""
        return self.cell(index).locator(".jp-Cell-outputArea")

    def text(self, index: int) -> str:
        """Return what a reader sees as the output of the cell at `index`."""
        return "\n".join(self.output(index).locator(".jp-OutputArea-output").all_inner_texts()).strip()

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """Return the outputs of the cell at `index` as they would be saved."""
        outputs: list[dict[str, Any]] = self.page.evaluate(
            f"index => {_NOTEBOOK}.content.widgets[index].model.sharedModel.toJSON().outputs ?? []", index
        )
        return outputs

    def code_cells(self) -> list[int]:
        """Return the numbers of the code cells."""
        types: list[str] = self.page.evaluate(f"{_NOTEBOOK}.content.widgets.map(cell => cell.model.type)")
        return [index for index, kind in enumerate(types) if kind == "code"]

    def start_cell(self, index: int) -> int | None:
        """Run the cell at `index` and return at once; the value is for `wait_until_done`."""
        before: int | None = self.page.evaluate(
            f"index => {_NOTEBOOK}.content.widgets[index].model.executionCount", index
        )
        self.cell(index).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        return before

    def wait_until_done(self, index: int, *, before: int | None = None, timeout_s: float = 120) -> None:
        """Wait until the cell at `index` has run again since its execution count was `before`."""
        self.page.wait_for_function(_CELL_DONE, arg=[index, before], timeout=timeout_s * 1000)

    def run_cell(self, index: int, *, timeout_s: float = 120) -> None:
        """Run the cell at `index` to its end."""
        self.wait_until_done(index, before=self.start_cell(index), timeout_s=timeout_s)

    def run_all(self, *, timeout_s: float = 300) -> None:
        """Clear all outputs, then run all cells to the end of the last, or of the first that fails."""
        self._command("notebook:clear-all-cell-outputs")
        # not awaited here: the page answers questions while the cells run
        self.page.evaluate(
            "() => { window.agentkitRan = false; const ran = () => { window.agentkitRan = true; };"
            " window.jupyterapp.commands.execute('notebook:run-all-cells').then(ran, ran); }"
        )
        self.page.wait_for_function("window.agentkitRan", timeout=timeout_s * 1000)
        self.wait_for_kernel()

    def press_stop(self) -> None:
        """Click the stop button in the notebook's toolbar: interrupt the kernel."""
        self.page.locator(".jp-NotebookPanel:visible .jp-Toolbar [data-jp-item-name=interrupt]").click()

    def save(self) -> None:
        """Save the notebook."""
        self._command("docmanager:save")

    def watch(self, index: int, selector: str | None = None) -> WatchedOutput:
        """Note each state of the output's text of the cell at `index`, from now on.

        Args:
            index: The cell.
            selector: CSS selector of the part of the output to look at; None for all of it.
        """
        key = f"{index} {selector}"
        self.output(index).evaluate(_WATCH, [key, selector])
        return WatchedOutput(self.page, key)

    def screenshot(self, path: Path, *, index: int | None = None) -> Path:
        """Write a PNG of the window, or of the cell at `index`, and return `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        (self.page if index is None else self.cell(index)).screenshot(path=path)
        return path

    def _command(self, name: str) -> None:
        self.page.evaluate("name => window.jupyterapp.commands.execute(name)", name)

    def _note(self, address: str) -> None:
        if not stays_on_this_machine(address):
            self.outside_requests.append(address)

    def _refuse(self, route: Route) -> None:
        self.outside_requests.append(route.request.url)
        route.abort()


class WatchedOutput:
    """The states that an output went through; see `NotebookPage.watch`."""

    def __init__(self, page: Page, key: str) -> None:
        self._page = page
        self._key = key

    @property
    def texts(self) -> list[str]:
        """Every text that the output showed, in order, each differing from the one before."""
        texts: list[str] = self._page.evaluate("key => window.agentkitWatched[key]", self._key)
        return texts

    def wait_for_change(self, count: int) -> None:
        """Wait until the output has shown at least `count` different texts."""
        self._page.wait_for_function(
            "([key, count]) => window.agentkitWatched[key].length >= count", arg=[self._key, count]
        )


def _code_cell(number: int, text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": f"cell-{number}",
        "source": text,
        "metadata": {},
        "execution_count": None,
        "outputs": [],
    }


def stays_on_this_machine(address: str) -> bool:
    """Return whether a request to `address` reaches no other machine."""
    parts = urlsplit(address)
    return parts.scheme in _LOCAL_SCHEMES or parts.hostname in _LOOPBACK
