"""The quickstart as a reader meets it: in JupyterLab, its answers streaming, its stop button at work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator
from surfaces import PICTURES, Notebooks

from agentkit.testing.browser import NotebookPage
from agentkit.testing.fixtures import NotebookOpener

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "notebooks" / "01-quickstart.ipynb"


def test_the_quickstart_runs_from_top_to_bottom(open_notebook: NotebookOpener) -> None:
    notebook = open_notebook(QUICKSTART)
    notebook.run_all()
    errors = {
        index: output["evalue"]
        for index in notebook.code_cells()
        for output in notebook.outputs(index)
        if output["output_type"] == "error"
    }
    assert errors == {}
    pictures_of_all_of_it(notebook)


def pictures_of_all_of_it(notebook: NotebookPage) -> None:
    notebook.page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")
    notebook.page.set_viewport_size({"width": 1000, "height": 1300})
    panel = notebook.page.locator(".jp-NotebookPanel:visible .jp-WindowedPanel-outer")
    scroll = "(panel, top) => { panel.scrollTop = top; return panel.clientHeight; }"
    page_height = panel.evaluate(scroll, 0)
    for number, top in enumerate(range(0, top_of(panel, -1), page_height), 1):
        panel.evaluate(scroll, top)
        notebook.screenshot(PICTURES / f"quickstart-{number}.png")
    notebook.page.set_viewport_size({"width": 1000, "height": 760})
    panel.evaluate(scroll, top_of(panel, 5))
    notebook.screenshot(PICTURES / "readme.png")  # from the agent to its first answers


def top_of(panel: Locator, cell: int) -> int:
    return panel.evaluate(
        """(panel, cell) => Math.floor(panel.scrollTop - panel.getBoundingClientRect().top
            + [...panel.querySelectorAll('.jp-Cell')].at(cell).getBoundingClientRect().top)""",
        cell,
    )


TOOL = '''%%tool
def get_weather(city: str) -> str:
    """Return the current weather in a city."""
    return f"In {city} it is mild, with a light wind from the west and a little rain in the afternoon."'''
AGENT = "%%agent weather --tools get_weather\nYou are a helpful weather assistant."
ASK = "%%ask weather --new --out answer\nWhat is the weather in Tokyo, in Oslo and in Lima?"
ANSWER = " ".join(
    f"In {city} it is mild, with a light wind from the west and a little rain in the afternoon."
    for city in ("Tokyo", "Oslo", "Lima")
)


def test_an_answer_arrives_in_many_steps(notebook_with: Notebooks) -> None:
    pace = "%env AGENTKIT_REHEARSAL_TOKENS_PER_S=40"
    notebook = notebook_with(["%load_ext agentkit", TOOL, AGENT, pace, ASK])
    for index in range(4):
        notebook.run_cell(index)
    watched = notebook.watch(4, ".agk-a")
    notebook.run_cell(4)
    notebook.screenshot(PICTURES / "answered.png")
    texts = list(filter(None, watched.texts))
    assert texts[-1] == ANSWER
    assert [text for text in texts if not ANSWER.startswith(text)] == []
    assert len(set(texts)) > 5


def press_the_answers_own_stop(notebook: NotebookPage) -> None:
    notebook.output(4).locator("button.agk-stop").click()


@pytest.mark.parametrize("stop", [NotebookPage.press_stop, press_the_answers_own_stop], ids=["toolbar", "answer"])
def test_a_stop_keeps_what_was_answered_and_the_kernel_goes_on(
    notebook_with: Notebooks, stop: Callable[[NotebookPage], None]
) -> None:
    pace = "%env AGENTKIT_REHEARSAL_TOKENS_PER_S=4"
    notebook = notebook_with(["%load_ext agentkit", TOOL, AGENT, pace, ASK, "answer.status"])
    for index in range(4):
        notebook.run_cell(index)
    watched = notebook.watch(4, ".agk-a")
    before = notebook.start_cell(4)
    watched.wait_for_change(3)
    notebook.screenshot(PICTURES / "streaming.png")
    assert notebook.is_running(4)
    stop(notebook)
    notebook.wait_until_done(4, before=before)
    notebook.run_cell(5)
    notebook.screenshot(PICTURES / "stopped.png")
    kept, error = notebook.outputs(4)
    answered = kept["data"]["text/plain"].removesuffix("\n\n[Stopped. This is what was answered so far.]")
    assert ANSWER.startswith(answered)
    assert len(watched.texts[2]) <= len(answered) < len(ANSWER)
    assert (error["ename"], len(error["traceback"])) == ("Interrupted", 1)
    assert notebook.text(5) == "'cancelled'"
