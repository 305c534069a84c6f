"""One notebook in a browser window: run its cells, read its outputs, close and reopen it, restart its kernel."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from agentkit.testing.accessibility import accessibility_problems
from agentkit.testing.jupyterlab import THEMES, JupyterServer, Theme
from agentkit.testing.watching import PageWatch, Traffic

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

__all__ = ["NotebookPage", "WatchedOutput"]

_TIMEOUT_MS = 60_000
_NOTEBOOK = "window.jupyterapp.shell.currentWidget"

_KERNEL_READY = f"""() => {{
    const kernel = window.jupyterapp?.shell?.currentWidget && {_NOTEBOOK}.sessionContext?.session?.kernel;
    return kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
}}"""
_SET_CELLS = f"""(texts) => {{
    const notebook = {_NOTEBOOK}.content;
    const cells = texts.map((source) => ({{ cell_type: 'code', source, metadata: {{}}, outputs: [] }}));
    notebook.model.sharedModel.transact(() => {{
        notebook.model.sharedModel.deleteCellRange(0, notebook.model.sharedModel.cells.length);
        notebook.model.sharedModel.insertCells(0, cells);
    }});
    notebook.activeCellIndex = 0;
}}"""
# Counted from when it was first asked for: a cell's execution count begins anew with its kernel.
_RUNS = f"""(index) => {{
    const model = {_NOTEBOOK}.content.widgets[index].model;
    if (model.agentkitRuns === undefined) {{
        model.agentkitRuns = 0;
        model.stateChanged.connect((_, change) => {{
            if (change.name === 'executionCount' && change.newValue !== null) model.agentkitRuns += 1;
        }});
    }}
    return model.agentkitRuns;
}}"""
_CELL_DONE = f"""([index, runs]) => {{
    const model = {_NOTEBOOK}.content.widgets[index].model;
    const hasRun = runs === null ? model.executionCount !== null : model.agentkitRuns > runs;
    return hasRun && model.executionState === 'idle';
}}"""
_OPENED = f"""async () => {{
    await {_NOTEBOOK}.context.ready;
    await {_NOTEBOOK}.revealed;
    await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
}}"""
# Not awaited: the page answers questions, and shows dialogs, while the command goes on.
_BEGIN_COMMAND = """(name) => {
    const ended = () => { window.agentkitCommandEnded = true; };
    window.agentkitCommandEnded = false;
    window.jupyterapp.commands.execute(name).then(ended, ended);
}"""
_CHANGE_THEME = "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
_WATCH = """(output, [key, selector]) => {
    const texts = [];
    const note = () => {
        const text = (selector ? output.querySelector(selector) : output)?.innerText.trim();
        if (text !== undefined && text !== texts[texts.length - 1]) texts.push(text);
    };
    new MutationObserver(note).observe(output, { childList: true, characterData: true, subtree: true });
    (window.agentkitWatched ??= {})[key] = texts;
}"""


class NotebookPage:
    """One notebook in a browser window of its own, its kernel ready; a context manager that closes it.

    Cells are numbered from 0 as they stand, text cells included. All methods wait until what they do is done, but for
    those that say otherwise.

    Args:
        browser: From `open_chromium`.
        server: A `JupyterLab` or a `JupyterNotebook`.
        name: The notebook's path below the server's root.
        size: Width and height of the window in pixels.
        theme: The front end's colours.
    """

    def __init__(
        self,
        browser: Browser,
        server: JupyterServer,
        name: str,
        *,
        size: tuple[int, int] = (1280, 900),
        theme: Theme = "light",
    ) -> None:
        self.server = server
        self.name = name
        self.theme: Theme = theme
        self._context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        self.page: Page = self._context.new_page()
        """Playwright's page, for what has no method here."""
        self.page.set_default_timeout(_TIMEOUT_MS)
        self.page.on("dialog", lambda dialog: dialog.accept())  # of the browser's own: unsaved changes are given up
        self._watch = PageWatch(self._context, self.page)
        self._open()
        self.wait_for_kernel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._context.close()

    # -- what the page does besides --------------------------------------------------------------------------------

    @property
    def outside_requests(self) -> list[str]:
        """Addresses beyond this machine that the page asked for; the requests were refused."""
        return self._watch.outside_requests

    @property
    def console_errors(self) -> list[str]:
        """Errors that the page logged or did not catch, but for `agentkit.testing.watching.KNOWN_NOISE`."""
        return self._watch.console_errors

    def measured(self) -> AbstractContextManager[Traffic]:
        """Measure, in a `with` block, what kernels send to the page and what keeps its main thread."""
        return self._watch.measured()

    def accessibility_problems(self, selector: str = ".agk") -> list[str]:
        """Return what a reader with a keyboard, a screen reader or weak eyes would trip over, empty where nothing.

        See `agentkit.testing.accessibility`.

        Args:
            selector: CSS selector of the elements to look into.
        """
        return accessibility_problems(self.page, selector)

    # -- the notebook ------------------------------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The notebook's file."""
        return self.server.root / self.name

    def save(self) -> None:
        """Save the notebook."""
        self._command("docmanager:save")

    def saved(self) -> dict[str, Any]:
        """Save the notebook, and return what its file holds, texts of several lines in one piece."""
        import nbformat

        self.save()
        content: dict[str, Any] = nbformat.read(self.path, as_version=4)  # type: ignore[no-untyped-call]
        return content

    def reload(self) -> None:
        """Load the page anew, as after a slip of the finger; the kernel goes on."""
        self.page.reload(wait_until="domcontentloaded")
        self._wait_until_open()
        self.wait_for_kernel()

    def reopen(self, *, kernel: bool = False, trusted: bool = True, theme: Theme | None = None) -> None:
        """Save and close the notebook, end its kernel, and open the file again in the same window.

        Args:
            kernel: Whether it gets a new kernel. If not, the front end finds none, and is told to do without.
            trusted: Whether the file counts as the reader's own. If not it is as if it came from somebody else: its
                outputs are shown with everything taken out that could run.
            theme: The colours from here on; as before when None.
        """
        self.save()
        self.page.goto("about:blank")
        self.server.end_kernels(self.name)
        self.theme = theme or self.theme
        if not trusted:
            _make_foreign(self.path)
        if kernel:
            self._open()
            self.wait_for_kernel()
            return
        with self._without_kernels():
            self._open()
            self.page.locator(".jp-Dialog button", has_text="No Kernel").click()
            self.page.locator(".jp-Dialog").wait_for(state="detached")
        self.page.evaluate(_OPENED)

    def set_cells(self, texts: Sequence[str]) -> None:
        """Replace all cells by code cells with these texts; the kernel goes on."""
        self.page.evaluate(_SET_CELLS, list(texts))
        self.cell(len(texts) - 1).locator(".cm-content").wait_for(state="attached")

    def set_theme(self, theme: Theme) -> None:
        """Change the front end's colours, as by its menu; whatever is shown stays."""
        self.theme = theme
        self.page.evaluate(_CHANGE_THEME, THEMES[theme])
        self._wait_for_theme()
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")  # it covers the page meanwhile

    @property
    def is_trusted(self) -> bool:
        """Whether the front end shows every cell's outputs as the reader's own."""
        trusted: bool = self.page.evaluate(f"{_NOTEBOOK}.content.widgets.every(cell => cell.model.trusted)")
        return trusted

    # -- the kernel --------------------------------------------------------------------------------------------------

    @property
    def has_kernel(self) -> bool:
        """Whether a kernel is connected."""
        connected: bool = self.page.evaluate(
            f"{_NOTEBOOK}.sessionContext.session?.kernel?.connectionStatus === 'connected'"
        )
        return connected

    def wait_for_kernel(self) -> None:
        """Wait until the kernel is connected and has nothing to do."""
        self.page.wait_for_function(_KERNEL_READY)

    def restart_kernel(self) -> None:
        """Restart the kernel by the toolbar's button, as a reader does; outputs stay."""
        before = self._kernel_starts()
        self._press("restart")
        self.page.locator(".jp-Dialog button.jp-mod-accept").click()
        self.page.wait_for_function("([count]) => window.agentkitKernelStarts > count", arg=[before])
        self.wait_for_kernel()

    def press_stop(self) -> None:
        """Click the stop button in the notebook's toolbar: interrupt the kernel. Returns at once."""
        self._press("interrupt")

    # -- cells -------------------------------------------------------------------------------------------------------

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
        return "\n".join(self.output(index).locator(".jp-OutputArea-output:visible").all_inner_texts()).strip()

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

    def start_cell(self, index: int) -> int:
        """Run the cell at `index` and return at once; the value is for `wait_until_done`."""
        before: int = self.page.evaluate(_RUNS, index)
        self.cell(index).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        return before

    def wait_until_done(self, index: int, *, before: int | None = None, timeout_s: float = 120) -> None:
        """Wait until the cell at `index` has run, after the `start_cell` that returned `before`, if that is given."""
        self.page.wait_for_function(_CELL_DONE, arg=[index, before], timeout=timeout_s * 1000)

    def run_cell(self, index: int, *, timeout_s: float = 120) -> None:
        """Run the cell at `index` to its end."""
        self.wait_until_done(index, before=self.start_cell(index), timeout_s=timeout_s)

    def run_all(self, *, timeout_s: float = 300) -> None:
        """Clear all outputs, then run all cells to the end of the last, or of the first that fails."""
        self._command("notebook:clear-all-cell-outputs")
        self.page.evaluate(_BEGIN_COMMAND, "notebook:run-all-cells")
        self.page.wait_for_function("window.agentkitCommandEnded", timeout=timeout_s * 1000)
        self.wait_for_kernel()

    # -- looking -----------------------------------------------------------------------------------------------------

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

    # -- inside ------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        self.server.set_theme(self.theme)
        self.page.goto(self.server.notebook_url(self.name), wait_until="domcontentloaded")
        self._wait_until_open()

    def _wait_until_open(self) -> None:
        self.page.locator(".jp-NotebookPanel:visible .jp-Notebook").first.wait_for()
        self._wait_for_theme()

    def _wait_for_theme(self) -> None:
        light = "true" if self.theme == "light" else "false"
        self.page.wait_for_function(f"document.body.dataset.jpThemeLight === '{light}'")

    @contextmanager
    def _without_kernels(self) -> Iterator[None]:
        """Let the page find no kernels on the server, while it opens a notebook."""
        pattern = "**/api/kernelspecs*"
        self._context.route(pattern, lambda route: route.fulfill(json={"default": "", "kernelspecs": {}}))
        yield
        self._context.unroute(pattern)

    def _kernel_starts(self) -> int:
        """Return how many times the kernel was seen to restart, and look for more from now on."""
        starts: int = self.page.evaluate(
            f"""() => {{
                if (window.agentkitKernelStarts === undefined) {{
                    window.agentkitKernelStarts = 0;
                    const note = (_, status) => {{ if (status === 'restarting') window.agentkitKernelStarts += 1; }};
                    {_NOTEBOOK}.sessionContext.statusChanged.connect(note);
                }}
                return window.agentkitKernelStarts;
            }}"""
        )
        return starts

    def _press(self, button: str) -> None:
        self.page.locator(f".jp-NotebookPanel:visible .jp-Toolbar [data-jp-item-name={button}]").click()

    def _command(self, name: str) -> None:
        self.page.evaluate("name => window.jupyterapp.commands.execute(name)", name)


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


def _make_foreign(path: Path) -> None:
    """Change a notebook's file by so much that the signature, by which Jupyter knows its own, doesn't fit."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"]["changed_by"] = f"somebody else, {secrets.token_hex(4)}"
    path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")
