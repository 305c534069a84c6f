"""Pages that the browser tests share, since opening one takes seconds; and consoles that stay free of errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from surfaces import App, Notebooks, Theme

from agentkit.testing.browser import NotebookPage
from agentkit.testing.fixtures import NotebookOpener, has_failed


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test here as one that drives a browser."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


class SharedPages:
    """A page for each front end and theme, used by one test after another."""

    def __init__(self, opener: NotebookOpener) -> None:
        self._opener = opener
        self._pages: dict[tuple[App, Theme], NotebookPage] = {}

    def page(self, cells: Sequence[str], app: App, theme: Theme) -> NotebookPage:
        """Return a page with these cells and a kernel, in which other tests may have run."""
        if (page := self._pages.get((app, theme))) is None:
            page = self._pages[app, theme] = self._opener(cells, app=app, theme=theme)
            return page
        page.set_cells(cells)  # what earlier tests have left goes, before it could be opened again
        if not page.has_kernel:
            page.reopen(kernel=True)
        return page


@pytest.fixture(scope="session")
def _shared_pages(request: pytest.FixtureRequest) -> Iterator[SharedPages]:
    opener = NotebookOpener(request, request.getfixturevalue("chromium"), "shared")
    yield SharedPages(opener)
    for page in opener.pages:
        page.__exit__(None, None, None)  # their servers, which are gone already, have ended the kernels


@pytest.fixture
def notebook_with(request: pytest.FixtureRequest, _shared_pages: SharedPages, tmp_path: Path) -> Iterator[Notebooks]:
    """A function that gives the page of a front end and a theme, with these code cells.

    It is the same page, with the same kernel, for all tests. The test fails if the page asked for anything
    beyond this machine, or logged an error; one that failed leaves a picture in its `tmp_path`.
    """
    used: list[NotebookPage] = []

    def notebook_with(cells: Sequence[str], *, app: App = "lab", theme: Theme = "light") -> NotebookPage:
        used.append(_shared_pages.page(cells, app, theme))
        return used[-1]

    yield notebook_with
    noticed = [text for page in used for text in (*page.outside_requests, *page.console_errors)]
    for page in used:
        if has_failed(request.node):
            page.screenshot(tmp_path / "failed.png")
        page.outside_requests.clear()
        page.console_errors.clear()
    assert noticed == []


@pytest.fixture(autouse=True)
def _console_without_errors(open_notebook: NotebookOpener) -> Iterator[None]:
    yield
    assert [error for page in open_notebook.pages for error in page.console_errors] == []
