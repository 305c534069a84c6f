"""A notebook that is opened again while its old kernel, and what belonged to it, is gone."""

from __future__ import annotations

import os
import signal

from chats import SETUP, chat_in, say, wait_for_answer
from surfaces import App, Notebooks, Theme, kept_has, on_both_surfaces, picture

CHAT = "chat = agentkit.chat(Agent(name='oracle', model=ScriptedModel('**Rain**.')))"
ASK = "%%ask keeper --new --out answer\nTell Ada."
RESTS = """os.environ["AGENTKIT_APPROVE"] = "wait"
keeper = Agent(name="keeper", model=ScriptedModel(call("send_mail", to="Ada", text="Hi")), tools=[send_mail])"""
GOES_ON = RESTS.replace('text="Hi")', 'text="Hi"), "Sent."')
GIVEN_UP = "Error displaying widget: model not found"


@on_both_surfaces
def test_controls_of_an_old_kernel_leave_what_is_kept(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    notebook = notebook_with([SETUP, CHAT, RESTS, ASK, "6 * 7"], app=app, theme=theme)
    for index in range(4):
        notebook.run_cell(index)
    chat = chat_in(notebook, 1)
    say(chat, "And tomorrow?")
    wait_for_answer(chat, "Rain.")
    notebook.output(3).locator(".agk-ask").wait_for()
    notebook.reopen(kernel=True)
    for index in (1, 3):  # the front end looks for the control for two seconds, and says so in its place
        notebook.output(index).get_by_text(GIVEN_UP).wait_for(state="attached")
    picture(notebook, "reopened-chat", 1)
    picture(notebook, "reopened-approval", 3)
    chat_says, run_says = notebook.text(1), notebook.text(3)
    assert [each for each in ("Chat with oracle", "And tomorrow?", "Rain.") if each not in chat_says] == []
    assert [each for each in ("Waiting for approval:", "agentkit.approve(run=answer)") if each not in run_says] == []
    assert [word for word in ("rror", "widget") if word in chat_says + run_says] == []
    notebook.run_cell(4)
    assert notebook.text(4) == "42"


@on_both_surfaces
def test_a_run_that_goes_on_after_a_reload_says_that_the_notebook_does_not_keep_it(
    notebook_with: Notebooks, app: App, theme: Theme
) -> None:
    notebook = notebook_with([SETUP, GOES_ON, ASK, ""], app=app, theme=theme)
    for index in range(3):
        notebook.run_cell(index)
    notebook.save()
    notebook.reload()
    output = notebook.output(2)
    output.locator(".agk-approve").click()
    lag = output.locator(".agk-lag")
    lag.wait_for()
    picture(notebook, "reloaded-approval", 2)
    assert output.locator(".agk-live .agk-a").inner_text() == "Sent."
    assert output.locator(".agk-status").inner_text() == ""
    assert not output.locator(".agk-stop").is_visible()
    assert "Waiting for approval" in output.locator(".agk-kept").inner_text()
    assert notebook.accessibility_problems(".agk-live") == []
    notebook.reload()
    lag.wait_for()
    assert output.locator(".agk-live .agk-a").inner_text() == "Sent."
    assert output.locator(".agk-status").inner_text() == ""
    notebook.cell(3).locator(".cm-content").fill(lag.locator("code").inner_text())
    notebook.run_cell(3)
    assert notebook.text(3).splitlines()[0] == "Sent."


def test_a_run_that_goes_on_takes_the_place_of_what_was_kept(notebook_with: Notebooks) -> None:
    notebook = notebook_with([SETUP, GOES_ON, ASK])
    for index in range(3):
        notebook.run_cell(index)
    output = notebook.output(2)
    output.locator(".agk-approve").click()
    output.locator(".agk-live").wait_for(state="detached")
    assert notebook.text(2).splitlines()[0] == "Sent."
    assert output.locator(".agk-lag").count() == 0


WAITS = """keeper = Agent(name="keeper", model=ScriptedModel(call("send_mail", to="Ada", text="Hi")), tools=[send_mail])
os.getpid()"""
SLOW = "chat = agentkit.chat(Agent(name='slow', model=ScriptedModel('Hello.', call('wait')), tools=[wait]))"


@on_both_surfaces
def test_controls_of_a_kernel_that_was_killed_say_so(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    notebook = notebook_with([SETUP, SLOW, WAITS, ASK], app=app, theme=theme)
    for index in range(3):
        notebook.run_cell(index)
    chat = chat_in(notebook, 1)
    say(chat, "Hi")
    wait_for_answer(chat, "Hello.")
    chat.locator(".agk-down").click()
    chat.locator(".agk-remark").wait_for()
    say(chat, "Wait")
    chat.locator(".agk-remark").wait_for(state="detached")
    chat.locator(".agk-s .agk-n").wait_for()
    notebook.start_cell(3)
    card = notebook.output(3).locator(".agk-ask")
    card.wait_for()
    kept_has(notebook, 3, "Waiting for approval")  # a kernel that is gone sends nothing more
    os.kill(int(notebook.text(2)), signal.SIGKILL)
    for index in (1, 3):
        notebook.output(index).get_by_text("The kernel has ended or begun anew, and this").wait_for()
    assert [control.is_disabled() for control in card.locator("button, input").all()] == [True] * 4
    assert notebook.output(1).locator(".agk-status").inner_text() == "Not answered to the end."
    assert notebook.output(3).locator(".agk-clock").inner_text() == ""
    picture(notebook, "killed-approval", 3)
    notebook.reopen(kernel=True)
    for index in (1, 3):
        notebook.output(index).get_by_text(GIVEN_UP).wait_for(state="attached")
    picture(notebook, "killed-approval-reopened", 3)
    assert notebook.text(3).splitlines()[:3] == [
        '? send_mail to="Ada", text="Hi"',
        "■ Waiting for approval:",
        'send_mail(to="Ada", text="Hi")',
    ]
    assert [word for word in ("rror", "widget") if word in notebook.text(1) + notebook.text(3)] == []
