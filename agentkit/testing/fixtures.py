"""Pytest fixtures for notebook code: a kernel, and notebooks in JupyterLab or Jupyter Notebook in a browser.

Take them into a project with `pytest_plugins = ["agentkit.testing.fixtures"]` in its top conftest.py.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from agentkit.testing.browser import JupyterLab, JupyterNotebook, NotebookPage, open_chromium, write_notebook
from agentkit.testing.jupyterlab import JupyterServer, Theme
from agentkit.testing.kernel import Kernel

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["NotebookOpener", "chromium", "has_failed", "jupyter_notebook", "jupyterlab", "kernel", "open_notebook"]

_failed = pytest.StashKey[bool]()


def has_failed(test: pytest.Item) -> bool:
    """Return whether a test has failed, for a fixture that has pictures to take."""
    return test.stash.get(_failed, False)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel of the test's own, with an empty `AGENTKIT_HOME`."""
    with Kernel(home=tmp_path / "agentkit-home") as kernel:
        yield kernel


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One headless Chromium for all tests."""
    with open_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """One JupyterLab for all tests, serving an empty folder, with an empty `AGENTKIT_HOME`."""
    home = tmp_path_factory.mktemp("agentkit-home")
    with JupyterLab(tmp_path_factory.mktemp("notebooks"), env={"AGENTKIT_HOME": str(home)}) as lab:
        yield lab


@pytest.fixture(scope="session")
def jupyter_notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterNotebook]:
    """One Jupyter Notebook 7 for all tests, serving an empty folder, with an empty `AGENTKIT_HOME`."""
    home = tmp_path_factory.mktemp("agentkit-home")
    with JupyterNotebook(tmp_path_factory.mktemp("notebooks"), env={"AGENTKIT_HOME": str(home)}) as server:
        yield server


class NotebookOpener:
    """What the fixture `open_notebook` is: call it to open a notebook."""

    def __init__(self, request: pytest.FixtureRequest, chromium: Browser, folder: str) -> None:
        self._request = request
        self._chromium = chromium
        self._folder = folder
        self.pages: list[NotebookPage] = []
        """What the test has opened so far."""

    def __call__(
        self,
        notebook: Sequence[str] | Path,
        *,
        app: Literal["lab", "notebook"] = "lab",
        theme: Theme = "light",
        size: tuple[int, int] = (1280, 900),
    ) -> NotebookPage:
        """Open a copy of a notebook, or a new one with these code cells, and return it with its kernel ready.

        Args:
            notebook: The texts of the code cells, or the path of a notebook to copy.
            app: JupyterLab, or Jupyter Notebook 7.
            theme: The front end's colours.
            size: Width and height of the window in pixels.
        """
        server: JupyterServer = self._request.getfixturevalue("jupyterlab" if app == "lab" else "jupyter_notebook")
        folder = server.root / self._folder / str(len(self.pages))
        folder.mkdir(parents=True)
        if isinstance(notebook, Path):
            path = folder / notebook.name
            path.write_bytes(notebook.read_bytes())
        else:
            path = write_notebook(folder / "notebook.ipynb", notebook)
        name = path.relative_to(server.root).as_posix()
        self.pages.append(NotebookPage(self._chromium, server, name, size=size, theme=theme))
        return self.pages[-1]

    def close(self) -> None:
        """Close all windows, and end their kernels."""
        for page in self.pages:
            page.__exit__(None, None, None)
            page.server.end_kernels(page.name)


@pytest.fixture
def open_notebook(request: pytest.FixtureRequest, chromium: Browser, tmp_path: Path) -> Iterator[NotebookOpener]:
    """A function that opens a copy of a notebook, or a new one with these code cells: see `NotebookOpener`.

    At the test's end the kernels are ended, and the test fails if a page asked for anything beyond this
    machine. A test that failed leaves a picture of each window in its `tmp_path`.
    """
    opener = NotebookOpener(request, chromium, tmp_path.name)
    yield opener
    if has_failed(request.node):
        for number, page in enumerate(opener.pages):
            page.screenshot(tmp_path / f"failed-{number}.png")
    opener.close()
    assert [address for page in opener.pages for address in page.outside_requests] == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note whether the test failed, for `has_failed`."""
    report = yield
    if report.when == "call":
        item.stash[_failed] = report.failed
    return report
