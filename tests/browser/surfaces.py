"""The front ends in which everything is shown, each in the theme that the other doesn't have."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import pytest

from agentkit.testing.browser import NotebookPage

PICTURES = Path(__file__).parents[2] / "artifacts"

App = Literal["lab", "notebook"]
Theme = Literal["light", "dark"]
OTHER_THEME: dict[Theme, Theme] = {"light": "dark", "dark": "light"}


class Notebooks(Protocol):
    """What the fixture `notebook_with` is."""

    def __call__(self, cells: Sequence[str], *, app: App = "lab", theme: Theme = "light") -> NotebookPage:
        """Return the page of a front end and a theme, with these code cells."""
        ...


on_both_surfaces = pytest.mark.parametrize(("app", "theme"), [("lab", "light"), ("notebook", "dark")])


def picture(notebook: NotebookPage, name: str, index: int | None = None) -> None:
    """Keep a picture for whoever looks at them: of the cell at `index`, or of the window.

    With `PICTURES=all` in the environment in the theme that the front end doesn't have, too: that takes a minute more.
    """
    app = "lab" if notebook.server.module == "jupyterlab" else "notebook"
    own = notebook.theme
    for theme in (own, OTHER_THEME[own]) if os.environ.get("PICTURES") == "all" else (own,):
        if theme != notebook.theme:
            notebook.set_theme(theme)
        notebook.screenshot(PICTURES / f"{name}-{app}-{theme}.png", index=index)
    if notebook.theme != own:
        notebook.set_theme(own)


def kept_has(notebook: NotebookPage, index: int, text: str) -> None:
    """Wait until what the notebook keeps of a cell's outputs has this text."""
    notebook.page.wait_for_function(
        """([index, text]) => {
            const cell = window.jupyterapp.shell.currentWidget.content.widgets[index];
            const texts = cell.model.sharedModel.toJSON().outputs.map((output) => output.data?.["text/plain"]);
            return texts.flat().join("").includes(text);
        }""",
        arg=[index, text],
    )


def press_until_on(notebook: NotebookPage, selector: str, key: str = "Tab", *, most: int = 60) -> None:
    """Press a key until the focus is on what the selector means, as one who has no mouse would."""
    for _ in range(most):
        notebook.page.keyboard.press(key)
        if notebook.page.evaluate("selector => Boolean(document.activeElement?.matches(selector))", selector):
            return
    focused = notebook.page.evaluate("document.activeElement?.outerHTML.slice(0, 200)")
    raise AssertionError(f"{key}, pressed {most} times, does not lead to {selector}; the focus is on {focused}")
