"""A training as a reader has it: watched, paused, resumed and cancelled in a cell, and kept for who opens it later."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect
from surfaces import Notebooks, picture

from agentkit.testing.browser import NotebookPage

pytest.importorskip("trl")

SETUP = """%load_ext agentkit
import os, tempfile
os.environ["AGENTKIT_HOME"] = tempfile.mkdtemp()
os.environ["OMP_NUM_THREADS"] = "1"
import agentkit
from agentkit import FineTuningDataset
agentkit.disconnect()
agentkit.connect("embedded")
train = FineTuningDataset.from_examples(
    [(f"Where is order {n}?", f"<b onclick=__hit(1)>Order {n}</b> is on its way.") for n in range(60)],
    system="You answer.", name="train <img src=x onerror=__hit(2)>",
)"""
START = "%finetune start train --epochs 50 --batch-size 1 --suffix support --seed 7 --validation 0.1 --name job"
BEGUN_MS = 45_000
"""How long a trainer may take until its first steps: it loads torch."""


def shown_steps(view: Locator) -> int:
    """Return how many steps the live view tells of."""
    text = view.locator(".agk-job-bar").inner_text()
    return int(text.partition("step ")[2].partition(" of ")[0].replace(",", ""))


def has_grown(notebook: NotebookPage, view: Locator, before: int) -> None:
    """Wait until more steps are told of than `before`."""
    notebook.page.wait_for_function(
        """([bar, before]) => Number(/step ([\\d,]+) of/.exec(bar.textContent)?.[1].replaceAll(",", "")) > before""",
        arg=[view.locator(".agk-job-bar").element_handle(), before],
    )


def test_a_training_is_watched_paused_resumed_and_cancelled(notebook_with: Notebooks) -> None:
    notebook = notebook_with([SETUP, START, "job", "train", "job.status"])
    notebook.run_cell(0)
    before = notebook.start_cell(1)
    output = notebook.output(1)
    view = output.locator(".agk-job")

    # curves grow while the cell waits
    expect(view.locator(".agk-plot polyline").first).to_be_visible(timeout=BEGUN_MS)
    expect(view.locator(".agk-pill")).to_have_text("running")
    expect(view.locator(".agk-job-bar")).to_contain_text("left")
    expect(output.locator(".agk-kept")).to_be_hidden()  # the live view has it all
    has_grown(notebook, view, shown_steps(view))
    picture(notebook, "training-1-running", 1)
    assert notebook.accessibility_problems(".agk-job") == []

    # paused, it stands still, in both themes; what is unfolded stays unfolded
    view.locator(".agk-tr > summary").click()
    view.get_by_role("button", name="Pause").click()
    expect(view.locator(".agk-pill")).to_have_text("paused", timeout=20_000)
    expect(view.locator(".agk-tv")).to_be_visible()
    picture(notebook, "training-2-paused", 1)
    notebook.set_theme("dark")
    picture(notebook, "training-2-paused", 1)
    assert notebook.accessibility_problems(".agk-job") == []
    notebook.set_theme("light")
    stood = shown_steps(view)

    # resumed, it goes on where it was; the cell has waited all the while
    view.get_by_role("button", name="Resume").click()
    expect(view.locator(".agk-pill")).to_have_text("running", timeout=BEGUN_MS)
    has_grown(notebook, view, stood)

    # cancelled, once one has said so twice; the cell ends, and what is kept takes the view's place
    view.get_by_role("button", name="Cancel").click()
    view.get_by_role("button", name="Keep training").click()
    view.get_by_role("button", name="Cancel").click()
    view.get_by_role("button", name="Cancel the job").click()
    notebook.wait_until_done(1, before=before)
    expect(view).to_have_count(0)
    expect(output.locator(".agk-pill")).to_have_text("■ cancelled")
    picture(notebook, "training-3-cancelled", 1)
    for index in (2, 3, 4):
        notebook.run_cell(index)
    assert notebook.text(4) == "'cancelled'"
    assert "support · SFT of tiny-1" in notebook.text(2)
    picture(notebook, "training-4-data", 3)
    assert notebook.accessibility_problems() == []

    # what is kept is read with no kernel, by its owner and by a stranger
    notebook.save()
    for trusted in (True, False):
        notebook.reopen(trusted=trusted)
        text = notebook.text(1)
        assert [
            each for each in ("support · SFT of tiny-1", "cancelled", "training", "checkpoint") if each not in text
        ] == []
        assert "model not found" not in text
        picture(notebook, f"training-5-kept-{'own' if trusted else 'strangers'}", 1)


def test_a_view_goes_on_after_a_reload_and_the_job_after_the_kernel(notebook_with: Notebooks) -> None:
    notebook = notebook_with([SETUP, f"{START} --background", "print(os.environ['AGENTKIT_HOME'])"])
    for index in (0, 1, 2):
        notebook.run_cell(index)
    home = notebook.text(2)
    view = notebook.output(1).locator(".agk-job")
    expect(view.locator(".agk-plot polyline").first).to_be_visible(timeout=BEGUN_MS)
    notebook.save()
    notebook.reload()
    expect(view.locator(".agk-plot polyline").first).to_be_visible()
    has_grown(notebook, view, shown_steps(view))
    notebook.restart_kernel()
    banner = view.locator(".agk-banner", has_text="The job itself goes on")
    expect(banner.locator("code")).to_contain_text("%finetune watch ftjob-")
    picture(notebook, "training-6-restarted", 1)
    watch = banner.locator("code").inner_text()
    begin = SETUP.partition("from agentkit")[0].replace("tempfile.mkdtemp()", repr(home))
    notebook.set_cells(
        [f"{begin}agentkit.connect('embedded');", f"{watch} --background", watch.replace("watch", "cancel")]
    )
    for index in (0, 1, 2):
        notebook.run_cell(index)
    expect(notebook.output(1).locator(".agk-pill:visible")).to_have_text("■ cancelled", timeout=20_000)
