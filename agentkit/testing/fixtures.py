"""Pytest fixtures for notebook code: a kernel, and notebooks in JupyterLab in a browser.

Take them into a project with `pytest_plugins = ["agentkit.testing.fixtures"]` in its top conftest.py.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentkit.testing.browser import JupyterLab, NotebookPage, open_chromium, write_notebook
from agentkit.testing.kernel import Kernel

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["chromium", "jupyterlab", "kernel", "open_notebook"]

_failed = pytest.StashKey[bool]()


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


@pytest.fixture
def open_notebook(
    jupyterlab: JupyterLab, chromium: Browser, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[Sequence[str] | Path], NotebookPage]]:
    """A function that opens a copy of a notebook, or a new one with these code cells, its kernel ready.

    At the test's end the kernels are ended, and the test fails if a page asked for anything beyond this
    machine. A test that failed leaves a picture of each window in its `tmp_path`.
    """
    opened: list[NotebookPage] = []

    def open_(notebook: Sequence[str] | Path) -> NotebookPage:
        folder = jupyterlab.root / tmp_path.name / str(len(opened))
        folder.mkdir(parents=True)
        if isinstance(notebook, Path):
            path = folder / notebook.name
            path.write_bytes(notebook.read_bytes())
        else:
            path = write_notebook(folder / "notebook.ipynb", notebook)
        name = path.relative_to(jupyterlab.root).as_posix()
        opened.append(NotebookPage(chromium, jupyterlab, name))
        return opened[-1]

    yield open_
    for number, page in enumerate(opened):
        if request.node.stash.get(_failed, False):
            page.screenshot(tmp_path / f"failed-{number}.png")
        page.__exit__(None, None, None)
    jupyterlab.end_kernels()
    assert [address for page in opened for address in page.outside_requests] == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note whether the test failed, for `open_notebook`."""
    report = yield
    if report.when == "call":
        item.stash[_failed] = report.failed
    return report
