"""What a reader does with an answer, and which model gives the next: by mouse and by keyboard."""

from __future__ import annotations

import ast

from chats import SAID, SETUP, chat_in, say, shown, wait_for_answer
from playwright.sync_api import Locator
from surfaces import App, Notebooks, Theme, on_both_surfaces, picture, press_until_on

from agentkit.testing.browser import NotebookPage

NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })"
FOCUSED = "document.activeElement.classList.contains"


def with_chat(notebook_with: Notebooks, app: App, theme: Theme, cell: str, *more: str) -> tuple[NotebookPage, Locator]:
    """Return a notebook whose cell 1 shows a chat, cell 2 what was said; and the chat."""
    notebook = notebook_with([SETUP, cell, SAID, *more], app=app, theme=theme)
    notebook.run_cell(0)
    notebook.run_cell(1)
    return notebook, chat_in(notebook, 1)


def pasted(notebook: NotebookPage, chat: Locator) -> str:
    """Return what is in the clipboard, as a reader sees it who pastes it where messages are written."""
    chat.locator(".agk-composer").fill("")
    chat.locator(".agk-composer").press("Control+v")
    notebook.page.wait_for_function("document.activeElement.value !== ''")
    return chat.locator(".agk-composer").input_value()


@on_both_surfaces
def test_an_answer_is_copied_rated_and_asked_for_again(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    cell = "chat = agentkit.chat(Agent(name='oracle', model=ScriptedModel('Rain, **perhaps**.', 'Snow.')))"
    notebook, chat = with_chat(notebook_with, app, theme, cell)
    say(chat, "And tomorrow?")
    wait_for_answer(chat, "Rain")

    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.locator(".agk-copy").click()
    chat.get_by_text("Copied.").wait_for()
    assert pasted(notebook, chat) == "Rain, **perhaps**."

    chat.locator(".agk-up").click()
    chat.locator(".agk-remark").press("Enter")
    chat.locator(".agk-remark").wait_for(state="detached")
    assert chat.locator(".agk-up").get_attribute("aria-pressed") == "true"
    picture(notebook, "chat-good", 1)
    notebook.run_cell(2)
    assert ast.literal_eval(notebook.text(2))[1] == ("a", "Rain, **perhaps**", "completed", "up", "")
    chat.locator(".agk-up").click()
    chat.locator(".agk-up[aria-pressed=false]").wait_for()
    assert chat.locator(".agk-remark").count() == 0
    notebook.run_cell(2)
    assert ast.literal_eval(notebook.text(2))[1] == ("a", "Rain, **perhaps**", "completed", None, "")

    chat.locator(".agk-retry").click()
    wait_for_answer(chat, "Snow.")
    assert (shown(chat, ".agk-said"), shown(chat, ".agk-branch")) == (["And tomorrow?"], ["2/2"])
    chat.locator(".agk-branch-prev").click()
    wait_for_answer(chat, "Rain")
    assert shown(chat, ".agk-branch") == ["1/2"]
    picture(notebook, "chat-retried", 1)


def test_an_answer_is_copied_from_a_page_that_has_no_clipboard_of_its_own(notebook_with: Notebooks) -> None:
    cell = "chat = agentkit.chat(weather('Rain, **perhaps**.'))"
    notebook, chat = with_chat(notebook_with, "lab", "light", cell)
    say(chat, "And tomorrow?")
    wait_for_answer(chat, "Rain")
    notebook.page.evaluate(NO_CLIPBOARD)
    chat.locator(".agk-copy").click()
    chat.get_by_text("Copied.").wait_for()
    notebook.page.evaluate("delete navigator.clipboard")
    assert notebook.page.evaluate(f"{FOCUSED}('agk-copy')")
    assert pasted(notebook, chat) == "Rain, **perhaps**."


MODELS = """os.environ.pop("AGENTKIT_REHEARSAL_TOKENS_PER_S", None)
agentkit.connect("embedded")
other = ScriptedModel("From the other.")
chat = agentkit.chat(weather("From its own.", "From its own again."))"""
ANSWERED_BY = "[(m.model, m.status) for m in chat.messages[1::2]]"


@on_both_surfaces
def test_the_reader_chooses_who_answers_next(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    notebook, chat = with_chat(notebook_with, app, theme, MODELS, ANSWERED_BY)
    listed = chat.locator("datalist option").evaluate_all("options => options.map(option => option.value)")
    assert {"other", "rehearsal-1"} <= set(listed)

    def choose(model: str) -> None:
        chat.locator(".agk-model").fill(model)
        chat.locator(".agk-model").press("Tab")
        say(chat, "And in Oslo?")

    say(chat, "And in Tokyo?")
    wait_for_answer(chat, "From its own.")
    choose("other")
    wait_for_answer(chat, "From the other.")
    choose("rehearsal-1")
    chat.locator(".agk-usage", has_text="weather · rehearsal-1 ·").wait_for()
    picture(notebook, "chat-model", 1)
    choose("rehearsal-2")
    chat.locator(".agk-note", has_text="rehearsal-2").wait_for()
    picture(notebook, "chat-no-such-model", 1)
    choose("")
    wait_for_answer(chat, "From its own again.")
    notebook.run_cell(3)
    models = ["scripted", "scripted", "rehearsal-1", "rehearsal-2", "scripted"]
    statuses = ["completed", "completed", "completed", "error", "completed"]
    assert ast.literal_eval(notebook.text(3)) == list(zip(models, statuses, strict=True))


@on_both_surfaces
def test_the_keyboard_alone_is_enough_for_the_buttons(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    cell = """other = ScriptedModel("Three.")
chat = agentkit.chat(Agent(name="typist", model=ScriptedModel("One.", "Two.")))"""
    notebook, chat = with_chat(notebook_with, app, theme, cell)
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    keyboard = notebook.page.keyboard
    keyboard.press("Escape")  # out of the editor
    press_until_on(notebook, ".agk-composer")
    keyboard.type("begin")
    keyboard.press("Enter")
    wait_for_answer(chat, "One.")

    press_until_on(notebook, ".agk-retry", "Shift+Tab")
    keyboard.press("Space")
    wait_for_answer(chat, "Two.")
    press_until_on(notebook, ".agk-branch-prev", most=2)  # it goes on where it was, in the message's new version
    keyboard.press("Enter")
    wait_for_answer(chat, "One.")
    press_until_on(notebook, ".agk-branch-next", most=2)
    keyboard.press("Enter")
    wait_for_answer(chat, "Two.")
    press_until_on(notebook, ".agk-copy", most=4)
    keyboard.press("Enter")
    chat.get_by_text("Copied.").wait_for()

    press_until_on(notebook, ".agk-up", most=1)
    keyboard.press("Space")
    notebook.page.wait_for_function("document.activeElement.matches('.agk-remark')")
    keyboard.type("dd")  # in command mode these letters would delete the cell
    keyboard.press("Enter")
    chat.get_by_text("rated up: dd").wait_for()
    notebook.page.wait_for_function("document.activeElement.matches('.agk-up')")
    keyboard.press("Space")
    chat.locator(".agk-up[aria-pressed=false]").wait_for()

    press_until_on(notebook, ".agk-composer")
    keyboard.press("Control+v")
    press_until_on(notebook, ".agk-model")
    keyboard.type("other")
    keyboard.press("Enter")  # this chooses the model, and sends nothing
    notebook.page.wait_for_function("document.activeElement.matches('.agk-composer')")
    assert (shown(chat, ".agk-said"), chat.locator(".agk-composer").input_value()) == (["begin"], "Two.")
    keyboard.press("Enter")
    wait_for_answer(chat, "Three.")
    notebook.run_cell(2)
    assert ast.literal_eval(notebook.text(2)) == [
        ("u", "begin", "completed", None, ""),
        ("a", "Two.", "completed", None, ""),
        ("u", "Two.", "completed", None, ""),
        ("a", "Three.", "completed", None, ""),
    ]
