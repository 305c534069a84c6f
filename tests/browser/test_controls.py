"""Approvals and Stop in the output of a running cell, by mouse and by keyboard, in both front ends."""

from __future__ import annotations

import pytest
from surfaces import App, Notebooks, Theme, on_both_surfaces, picture, press_until_on

from agentkit.testing.browser import NotebookPage

SETUP = '''%load_ext agentkit
import os, time
os.environ.pop("AGENTKIT_APPROVE", None)
from agentkit import Agent, function_tool
from agentkit.testing import ScriptedModel, call

done = []

@function_tool(needs_approval=True)
def delete_file(path: str) -> str:
    """Delete a file."""
    done.append(path)
    return f"{path} is deleted."

@function_tool(needs_approval=True)
def send_mail(to: str, text: str) -> str:
    """Send a mail."""
    done.append(to)
    return f"Sent to {to}."

@function_tool
def wait() -> str:
    """Wait."""
    for _ in range(3000):
        time.sleep(0.02)
    return "Waited."

model = ScriptedModel()
keeper = Agent(name="keeper", instructions="You tidy up.", model=model, tools=[delete_file, send_mail, wait])'''
BOTH = "model.reply(call('delete_file', path='notes.txt'), call('send_mail', to='Ada', text='They are gone.'))"
ASK = "%%ask keeper --new --out answer\nTidy up, and tell Ada."


def prepared(notebook_with: Notebooks, app: App, theme: Theme, replies: str, *more: str) -> NotebookPage:
    """Return a notebook in which cell 2 asks, and cell 3 shows what was done."""
    notebook = notebook_with([SETUP, f"{replies};", ASK, "done", *more], app=app, theme=theme)
    notebook.run_cell(0)
    notebook.run_cell(1)
    return notebook


@on_both_surfaces
def test_one_call_is_approved_and_another_rejected(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    told = "[item['output'] for item in model.requests[-1].input if item.get('type') == 'function_call_output']"
    notebook = prepared(notebook_with, app, theme, f"{BOTH}.reply('The notes are gone.')", told)
    before = notebook.start_cell(2)
    cards = notebook.output(2).locator(".agk-ask")
    cards.nth(1).wait_for()
    assert [text.splitlines()[0] for text in cards.all_inner_texts()] == [
        'keeper wants to call delete_file path="notes.txt"',
        'keeper wants to call send_mail to="Ada", text="They are gone."',
    ]
    picture(notebook, "approval-asked", 2)
    cards.nth(0).locator(".agk-approve").click()
    notebook.output(2).locator(".agk-ask:has-text('delete_file')").wait_for(state="detached")
    cards.nth(0).locator(".agk-reason").fill("Ada is on holiday.")
    picture(notebook, "approval-half-decided", 2)
    cards.nth(0).locator(".agk-reject").click()
    notebook.wait_until_done(2, before=before)
    notebook.run_cell(3)
    notebook.run_cell(4)
    picture(notebook, "approval-decided", 2)
    assert notebook.text(3) == "['notes.txt']"
    assert notebook.text(4) == "['notes.txt is deleted.', 'Ada is on holiday.']"
    assert "The notes are gone." in notebook.text(2)


@on_both_surfaces
def test_always_lets_later_calls_of_the_tool_run(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    calls = ".reply(".join(f"call('delete_file', path='{name}'))" for name in "abc")
    notebook = prepared(notebook_with, app, theme, f"model.reply({calls}.reply('All gone.')")
    before = notebook.start_cell(2)
    notebook.output(2).locator(".agk-always").click()
    notebook.wait_until_done(2, before=before)
    notebook.run_cell(3)
    assert notebook.text(3) == "['a', 'b', 'c']"


@on_both_surfaces
def test_the_keyboard_alone_decides(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    notebook = prepared(notebook_with, app, theme, f"{BOTH}.reply('Done.')")
    before = notebook.start_cell(2)
    cards = notebook.output(2).locator(".agk-ask")
    cards.nth(1).wait_for()
    notebook.page.keyboard.press("Escape")  # out of the editor
    press_until_on(notebook, ".agk-approve")
    notebook.page.keyboard.press("Enter")
    notebook.output(2).locator(".agk-ask:has-text('delete_file')").wait_for(state="detached")
    press_until_on(notebook, ".agk-reason")
    notebook.page.keyboard.type("no dd x")  # in command mode these letters would delete cells
    notebook.page.keyboard.press("Enter")
    notebook.wait_until_done(2, before=before)
    notebook.run_cell(3)
    assert notebook.text(3) == "['notes.txt']"
    assert len(notebook.code_cells()) == 4


@on_both_surfaces
def test_everybody_can_use_the_panel_of_a_run(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    notebook = prepared(notebook_with, app, theme, BOTH)
    before = notebook.start_cell(2)
    notebook.output(2).locator(".agk-ask").nth(1).wait_for()
    assert notebook.accessibility_problems(".agk-live") == []
    notebook.output(2).locator(".agk-stop").click()
    notebook.wait_until_done(2, before=before)
    assert notebook.accessibility_problems(".agk") == []


@on_both_surfaces
def test_stop_ends_a_run_whose_tool_blocks(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    notebook = prepared(notebook_with, app, theme, "model.reply(call('wait'))", "answer.status")
    before = notebook.start_cell(2)
    notebook.output(2).locator(".agk-s .agk-n").wait_for()
    picture(notebook, "tool-running", 2)
    notebook.output(2).locator(".agk-stop").click()
    notebook.wait_until_done(2, before=before)
    notebook.run_cell(4)
    picture(notebook, "tool-stopped", 2)
    assert notebook.text(4) == "'cancelled'"
    assert notebook.outputs(2)[-1]["ename"] == "Interrupted"


@on_both_surfaces
def test_a_run_at_rest_goes_on_by_a_click_after_its_cell(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    notebook = prepared(notebook_with, app, theme, f"%env AGENTKIT_APPROVE=wait\n{BOTH}.reply('Both done.')")
    notebook.run_cell(2)
    cards = notebook.output(2).locator(".agk-ask")
    cards.nth(1).wait_for()
    picture(notebook, "approval-at-rest", 2)
    cards.nth(0).locator(".agk-approve").click()
    cards.nth(0).locator(".agk-approve").click()
    notebook.output(2).locator(".agk-control").wait_for(state="detached")
    notebook.output(2).locator(".agk-a", has_text="Both done.").wait_for()
    notebook.run_cell(3)
    picture(notebook, "approval-gone-on", 2)
    assert notebook.text(3) == "['notes.txt', 'Ada']"


@pytest.mark.parametrize(
    ("app", "theme", "trusted"), [("lab", "light", True), ("notebook", "dark", False)], ids=["own", "strangers"]
)
def test_a_run_at_rest_is_read_without_a_kernel(
    notebook_with: Notebooks, app: App, theme: Theme, trusted: bool
) -> None:
    notebook = prepared(notebook_with, app, theme, f"%env AGENTKIT_APPROVE=wait\n{BOTH}")
    notebook.run_cell(2)
    notebook.output(2).locator(".agk-ask").nth(1).wait_for()
    notebook.reopen(trusted=trusted)
    notebook.output(2).get_by_text("Waiting for approval:").wait_for()
    picture(notebook, "approval-without-kernel", 2)
    shown = notebook.text(2)
    assert 'delete_file(path="notes.txt")' in shown
    assert "agentkit.approve(run=answer)" in shown
    assert [word for word in ("rror", "widget") if word in shown] == []
