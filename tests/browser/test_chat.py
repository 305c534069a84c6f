"""A chat in a cell as a reader has it: by mouse and by keyboard, in both front ends, with and without a kernel."""

from __future__ import annotations

import ast
import io

from chats import SAID, SETUP, chat_in, say, shown, wait_for_answer
from PIL import Image
from playwright.sync_api import FilePayload
from surfaces import App, Notebooks, Theme, on_both_surfaces, picture, press_until_on

from agentkit.testing.browser import NotebookPage

RICH = """In Tokyo it is **mild**:

| city | °C |
|---|---|
| Tokyo | 22 |
| Oslo | 7 |

```python
def hot(t: float) -> bool:
    return t > 30  # degrees
```

Its mean is $\\bar t = \\frac{22 + 7}{2}$."""
OPEN = f"""RICH = {RICH!r}
agent = weather(call("get_weather", city="Tokyo"), RICH, "Rain.", call("wait"), "Snow.",
                call("send_mail", to="Ada", text="Hi"), "The mail is sent.", "A red square.")
chat = agentkit.chat(agent)"""
FEEDBACK = "agentkit.feedback(agent='weather', limit=1)[['rating', 'remark', 'answer']].values.tolist()"
SENT = "[part['type'] for part in agent.model.requests[-1].input[-1]['content']]"
RESUME = "agent = weather('Here I am.')\nchat = agentkit.chat.resume()"


def kept_in(notebook: NotebookPage, index: int) -> str:
    """Return what the notebook's file keeps of the chat below a cell."""
    text: str = notebook.saved()["cells"][index]["outputs"][0]["data"]["text/plain"]
    return text


def image(name: str) -> FilePayload:
    """A red square, as a file that the reader chooses."""
    data = io.BytesIO()
    Image.new("RGB", (48, 48), "#c00").save(data, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": data.getvalue()}


@on_both_surfaces
def test_a_chat_from_its_first_message_to_the_notebook_without_a_kernel(
    notebook_with: Notebooks, app: App, theme: Theme
) -> None:
    notebook = notebook_with([SETUP, OPEN, SAID, FEEDBACK, SENT, RESUME], app=app, theme=theme)
    notebook.run_cell(0)
    notebook.run_cell(1)
    chat = chat_in(notebook, 1)
    picture(notebook, "chat-1-begins", 1)

    chat.locator(".agk-suggestion", has_text="get the weather").click()
    wait_for_answer(chat, "Its mean")
    picture(notebook, "chat-2-answered", 1)
    say(chat, "And tomorrow?")
    wait_for_answer(chat, "Rain.")

    say(chat, "Wait a little.")
    chat.locator(".agk-s .agk-n", has_text="wait").wait_for()
    picture(notebook, "chat-3-under-way", 1)
    chat.locator(".agk-stop:visible").last.click()
    wait_for_answer(chat, "Stopped")
    picture(notebook, "chat-4-stopped", 1)
    assert len(shown(chat, ".agk-turn")) == 3

    chat.locator(".agk-edit").nth(1).click()
    chat.locator(".agk-edit-text").fill("And on Sunday?")
    picture(notebook, "chat-5-editing", 1)
    chat.locator(".agk-edit-send").click()
    wait_for_answer(chat, "Snow.")
    assert shown(chat, ".agk-branch") == ["2/2"]
    assert shown(chat, ".agk-said")[1:] == ["And on Sunday?"]
    picture(notebook, "chat-6-branched", 1)
    chat.locator(".agk-branch-prev").click()
    chat.locator(".agk-said", has_text="Wait a little.").wait_for()
    assert shown(chat, ".agk-said")[1:] == ["And tomorrow?", "Wait a little."]
    chat.locator(".agk-branch-next").click()
    chat.locator(".agk-said", has_text="And on Sunday?").wait_for()

    chat.locator(".agk-down").last.click()
    chat.locator(".agk-remark").fill("I am not going there.")
    picture(notebook, "chat-7-rating", 1)
    chat.locator(".agk-remark").press("Enter")
    chat.get_by_text("rated down: I am not going there.").wait_for()

    say(chat, "Tell Ada.")
    chat.locator(".agk-approve").wait_for()
    picture(notebook, "chat-8-approving", 1)
    assert notebook.accessibility_problems(".agk-chat") == []
    chat.locator(".agk-approve").click()
    wait_for_answer(chat, "The mail is sent.")

    chat.locator(".agk-attach input").set_input_files(image("square.png"))
    chat.locator(".agk-draft .agk-file").wait_for()
    picture(notebook, "chat-9-attached", 1)
    say(chat, "What is this?")
    wait_for_answer(chat, "A red square.")
    picture(notebook, "chat-10-seen", 1)
    assert notebook.accessibility_problems(".agk-chat") == []

    for index in (2, 3, 4):
        notebook.run_cell(index)
    assert notebook.text(4) == "['input_text', 'input_image']"
    assert notebook.text(3) == "[['down', 'I am not going there.', 'Snow.']]"
    assert [each[1] for each in ast.literal_eval(notebook.text(2))][2:] == [
        "And on Sunday?",
        "Snow.",
        "Tell Ada.",
        "The mail is sent.",
        "What is this?",
        "A red square.",
    ]

    notebook.restart_kernel()
    chat.get_by_text("The kernel has ended or begun anew").wait_for()
    picture(notebook, "chat-11-kernel-gone", 1)
    notebook.run_cell(0)
    notebook.run_cell(5)
    chat = chat_in(notebook, 5)
    chat.locator(".agk-said", has_text="What is this?").wait_for()
    say(chat, "Are you there?")
    wait_for_answer(chat, "Here I am.")
    picture(notebook, "chat-12-resumed", 5)
    assert shown(chat, ".agk-branch") == ["2/2"]
    notebook.run_cell(3)
    assert notebook.text(3) == "[['down', 'I am not going there.', 'Snow.']]"

    notebook.page.set_viewport_size({"width": 1280, "height": 1600})
    for trusted in (True, False) if app == "lab" else (True,):
        notebook.reopen(trusted=trusted)
        notebook.output(5).get_by_text("Here I am.").wait_for()
        picture(notebook, f"chat-13-without-kernel-{'own' if trusted else 'strangers'}", 5)
        for other in notebook.output(5).locator("details").all():
            if other.is_visible() and other.get_attribute("open") is None:
                other.locator("summary").first.click()
        picture(notebook, f"chat-14-unfolded-{'own' if trusted else 'strangers'}", 5)
        text = notebook.text(5)
        expected = ["Tokyo it is mild", "return t > 30", "And tomorrow?", "Rain.", "Wait a little.", "And on Sunday?"]
        expected += ["Snow.", "I am not going there.", "send_mail", "square.png", "A red square.", "Here I am."]
        assert [each for each in expected if each not in text] == []
        assert [word for word in ("rror", "widget") if word in text] == []
    notebook.page.set_viewport_size({"width": 1280, "height": 900})


@on_both_surfaces
def test_a_chat_says_that_the_notebook_does_not_keep_all_of_it_after_a_reload(
    notebook_with: Notebooks, app: App, theme: Theme
) -> None:
    notebook = notebook_with(
        [SETUP, "chat = agentkit.chat(weather('One.', 'Two.', 'Three.'))", ""], app=app, theme=theme
    )
    notebook.run_cell(0)
    notebook.run_cell(1)
    chat, all_kept = chat_in(notebook, 1), "xpath=self::*[@data-kept='all']"
    say(chat, "First?")
    wait_for_answer(chat, "One.")
    notebook.output(1).locator(".agk-kept", has_text="One.").wait_for(state="attached")
    chat.locator(all_kept).wait_for()
    assert not notebook.output(1).locator(".agk-kept").is_visible()

    notebook.save()
    notebook.reload()
    chat = chat_in(notebook, 1)
    assert shown(chat, ".agk-said") == ["First?"]
    chat.locator(all_kept).wait_for()
    say(chat, "Second?")
    wait_for_answer(chat, "Two.")
    chat.locator(".agk-lag").wait_for()
    picture(notebook, "chat-15-kept-in-part", 1)
    assert notebook.accessibility_problems(".agk-chat") == []
    assert notebook.output(1).locator(".agk-kept").inner_text().count("One.") == 1
    assert "Two." not in kept_in(notebook, 1)

    code = chat.locator(".agk-lag code").inner_text()
    assert code.startswith('import agentkit; agentkit.chat.resume("chat-weather-')
    notebook.cell(2).locator(".cm-content").fill(code)
    notebook.run_cell(2)
    resumed = chat_in(notebook, 2)
    chat.locator(".agk-lag").wait_for(state="hidden")
    say(resumed, "Third?")
    wait_for_answer(resumed, "Three.")
    notebook.output(2).locator(".agk-kept", has_text="Three.").wait_for(state="attached")
    resumed.locator(all_kept).wait_for()
    assert [text for text in ("One.", "Two.", "Three.") if text not in kept_in(notebook, 2)] == []


@on_both_surfaces
def test_the_keyboard_alone_is_enough_for_a_chat(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    cells = [SETUP, "chat = agentkit.chat(weather('One.', 'Two.', 'Three.', call('wait')))", SAID]
    notebook = notebook_with(cells, app=app, theme=theme)
    keyboard = notebook.page.keyboard
    notebook.run_cell(0)
    notebook.run_cell(1)
    chat = chat_in(notebook, 1)
    keyboard.press("Escape")  # out of the editor
    press_until_on(notebook, ".agk-composer")
    keyboard.type("dd first")  # in command mode the letters would delete the cell
    keyboard.press("Shift+Enter")
    keyboard.type("second line")
    keyboard.press("Enter")
    wait_for_answer(chat, "One.")
    keyboard.type("again")
    keyboard.press("Enter")
    wait_for_answer(chat, "Two.")

    press_until_on(notebook, ".agk-edit", "Shift+Tab")
    keyboard.press("Enter")
    keyboard.press("Control+a")
    keyboard.type("changed")
    keyboard.press("Enter")
    wait_for_answer(chat, "Three.")
    press_until_on(notebook, ".agk-down", "Shift+Tab")
    keyboard.press("Space")
    notebook.page.wait_for_function("document.activeElement.matches('.agk-remark')")
    keyboard.type("no")
    keyboard.press("Enter")
    chat.get_by_text("rated down: no").wait_for()

    press_until_on(notebook, ".agk-composer")
    keyboard.type("wait")
    keyboard.press("Enter")
    chat.locator(".agk-s .agk-n", has_text="wait").wait_for()
    keyboard.press("Escape")
    wait_for_answer(chat, "Stopped")
    notebook.run_cell(2)
    assert ast.literal_eval(notebook.text(2)) == [
        ("u", "dd first\nsecond l", "completed", None, ""),
        ("a", "One.", "completed", None, ""),
        ("u", "changed", "completed", None, ""),
        ("a", "Three.", "completed", "down", "no"),
        ("u", "wait", "completed", None, ""),
        ("a", "", "cancelled", None, ""),
    ]
