"""File search as a reader has it: a store in a cell, by mouse and keyboard; passages and citations, kept and live."""

from __future__ import annotations

import base64
from pathlib import Path

from chats import chat_in, say, wait_for_answer
from playwright.sync_api import Locator, expect
from surfaces import App, Notebooks, Theme, on_both_surfaces, picture, press_until_on

from agentkit.testing.browser import NotebookPage

HOSTILE_NAME = "<img src=x onerror=__hit(1)>.md"
SETUP = """%load_ext agentkit
import os, tempfile, pathlib
os.environ["AGENTKIT_HOME"] = tempfile.mkdtemp()
os.environ.pop("AGENTKIT_EMBEDDER", None)
import agentkit
from agentkit import VectorStore
agentkit.disconnect()
agentkit.connect("embedded")
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "leave.md").write_text('''# Leave

Every employee has 25 days of annual leave. Five of them may be taken into the next year.

## Illness

Tell your manager before nine on the first day of illness. From the third day on, a doctor's note is needed.
''')
(folder / "travel.html").write_text('''<h1>Travel</h1><p>Trains are booked by the travel desk.
Flights need the approval of the head of the department, four weeks ahead.</p>''')
(folder / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
store = VectorStore.create("handbook")"""
ADD = "store.add(folder, base=folder)"
SHOW = "store"
SEARCH = "%vector_store search store --limit 2 How many days of annual leave do I have?"
ASK = "%ask desk How many days of annual leave does every employee have?"
AGENT = "%%agent desk --tools store\nAnswer from the handbook, and cite it."
BROWSE = "store.browse()"
EVALUATE = 'store.evaluate([("How many days of leave?", "leave.md"), ("Who approves flights?", "travel.html")])'


INDEXED_MS = 60_000
"""How long files may take to be indexed: the first of a kernel wait for the embedder."""


def drop(notebook: NotebookPage, target: Locator, files: dict[str, bytes]) -> None:
    """Drop files as a person drags them from a folder of theirs."""
    encoded = {name: base64.b64encode(data).decode() for name, data in files.items()}
    transfer = notebook.page.evaluate_handle(
        """files => {
            const transfer = new DataTransfer();
            for (const [name, data] of Object.entries(files))
                transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name));
            return transfer;
        }""",
        encoded,
    )
    for kind in ("dragenter", "dragover", "drop"):
        target.dispatch_event(kind, {"dataTransfer": transfer})


def store_in(notebook: NotebookPage, index: int) -> Locator:
    """Return the browser of a store in a cell's output, once it has listed something."""
    browser = notebook.output(index).locator(".agk-store")
    expect(browser.locator(".agk-count")).not_to_have_text("Reading…")
    return browser


def names(browser: Locator) -> list[str]:
    return [text.split("\n")[0] for text in browser.locator(".agk-file-name").all_inner_texts()]


@on_both_surfaces
def test_files_are_dropped_searched_and_deleted(
    notebook_with: Notebooks, app: App, theme: Theme, tmp_path: Path
) -> None:
    cells = [SETUP, BROWSE, "list(store.files['name']), list(store.files['status'])", "_1"]
    notebook = notebook_with(cells, app=app, theme=theme)
    notebook.run_cell(0)
    notebook.run_cell(1)
    browser = store_in(notebook, 1)
    expect(browser.locator(".agk-count")).to_have_text("No files yet")
    expect(browser.locator(".agk-ranking")).to_contain_text("words")
    picture(notebook, "store-1-empty", 1)
    assert notebook.accessibility_problems(".agk-store") == []

    # real bytes: one that can be read, one that can't, one with a hostile name and a hostile text
    drop(
        notebook,
        browser,
        {
            "leave.md": b"# Leave\n\nEvery employee has 25 days of annual leave.",
            "broken.pdf": b"%PDF-1.7 and nothing more",
            HOSTILE_NAME: b"# Evil\n\n<script>__hit(2)</script> The password of the leave desk is <b>swordfish</b>.",
        },
    )
    expect(browser.locator(".agk-count")).to_have_text("3 files: 2 ready, 1 failed", timeout=INDEXED_MS)
    expect(browser.locator(".agk-jobs")).to_be_hidden()
    assert sorted(names(browser)) == sorted(["leave.md", "broken.pdf", HOSTILE_NAME])
    expect(browser.locator("tr", has_text="broken.pdf").locator(".agk-file-reason")).to_contain_text("damaged")
    picture(notebook, "store-2-files", 1)

    # by the button
    chosen = tmp_path / "travel.txt"
    chosen.write_text("Trains are booked by the travel desk. Flights need approval.", encoding="utf-8")
    browser.locator("input.agk-chooser").set_input_files(chosen)
    expect(browser.locator(".agk-count")).to_have_text("4 files: 3 ready, 1 failed", timeout=INDEXED_MS)

    # another file of a name that is there takes its place, and says so; of two at once the second is refused
    chosen.write_text("Trains are booked by the travel desk. Flights need two approvals.", encoding="utf-8")
    browser.locator("input.agk-chooser").set_input_files(chosen)
    expect(browser.locator(".agk-put")).to_have_text("travel.txt has replaced the earlier one.", timeout=INDEXED_MS)
    notebook.page.evaluate(
        """() => {
            const input = document.querySelector("input.agk-chooser");
            const text = "Trains are booked by the travel desk. Flights need three approvals.";
            const files = [new File([text], "travel.txt"), new File(["Another."], "travel.txt")];
            Object.defineProperty(input, "files", { value: files, configurable: true });
            input.onchange();
            delete input.files;
        }"""
    )
    second = browser.locator(".agk-job-failed", has_text="travel.txt")
    expect(second).to_contain_text("Another file of this name came with it.")
    expect(browser.locator(".agk-put")).to_have_text("travel.txt has replaced the earlier one.", timeout=INDEXED_MS)
    expect(browser.locator(".agk-count")).to_have_text("4 files: 3 ready, 1 failed", timeout=INDEXED_MS)
    second.get_by_role("button", name="Dismiss").click()
    expect(second).to_have_count(0)

    # too large a file is told, and not sent
    notebook.page.evaluate(
        """() => {
            const input = document.querySelector("input.agk-chooser");
            const file = new File([new Uint8Array(8)], "film.bin");
            Object.defineProperty(file, "size", { value: 65_000_000 });
            Object.defineProperty(input, "files", { value: [file], configurable: true });
            input.onchange();
            delete input.files;
        }"""
    )
    job = browser.locator(".agk-job-failed", has_text="film.bin")
    expect(job).to_contain_text("It is 65 MB, and at most 64 MB of a file come through the notebook's connection.")
    picture(notebook, "store-3-too-large", 1)
    assert notebook.accessibility_problems(".agk-store") == []
    job.get_by_role("button", name="Dismiss").click()
    expect(job).to_have_count(0)

    # a search, and a passage opened
    browser.locator(".agk-search").fill("annual leave of an employee")
    browser.locator(".agk-search").press("Enter")
    first = browser.locator(".agk-passage").first
    expect(first.locator(".agk-passage-head")).to_contain_text("leave.md")
    expect(first.locator("summary mark").first).to_be_visible()
    first.locator("summary").click()
    expect(first.locator(".agk-ft")).to_contain_text("Every employee has 25 days of annual leave.")
    hostile = browser.locator(".agk-passage", has_text="swordfish")
    hostile.locator("summary").click()
    expect(hostile.locator(".agk-ft")).to_contain_text("<b>swordfish</b>")
    picture(notebook, "store-4-found", 1)
    assert notebook.accessibility_problems(".agk-store") == []

    # deleted, once one has said so twice
    row = browser.locator("tr", has_text="broken.pdf")
    row.locator(".agk-delete").click()
    picture(notebook, "store-5-sure", 1)
    row.locator(".agk-keep").click()
    expect(row.locator(".agk-delete")).to_be_focused()
    row.locator(".agk-delete").click()
    row.locator(".agk-yes").click()
    expect(browser.locator(".agk-count")).to_have_text("3 files, all ready")
    notebook.run_cell(2)
    assert "broken.pdf" not in notebook.text(2)
    assert "failed" not in notebook.text(2)

    # what the notebook keeps, with no kernel
    expect(browser.locator("xpath=self::*[@data-kept='all']")).to_be_attached()
    notebook.restart_kernel()
    browser.get_by_text("The kernel has ended or begun anew").wait_for()
    for trusted in (True, False) if app == "lab" else (True,):
        notebook.reopen(trusted=trusted)
        text = notebook.text(1)
        assert [each for each in ("leave.md", HOSTILE_NAME, "3 files, all ready", "25 days") if each not in text] == []
        picture(notebook, f"store-6-kept-{'own' if trusted else 'strangers'}", 1)
        assert "model not found" not in text


def test_the_keyboard_alone_is_enough_for_a_store(notebook_with: Notebooks) -> None:
    notebook = notebook_with([SETUP, ADD, BROWSE, "'after'"])
    for index in (0, 1, 2):
        notebook.run_cell(index)
    browser = store_in(notebook, 2)
    page = notebook.page
    press_until_on(notebook, "input.agk-chooser")
    press_until_on(notebook, ".agk-search")
    page.keyboard.type("flights")
    page.keyboard.press("Enter")
    expect(browser.locator(".agk-passage").first).to_contain_text("travel.html")
    press_until_on(notebook, ".agk-passage > summary")
    page.keyboard.press("Enter")
    expect(browser.locator(".agk-passage").first).to_have_attribute("open", "")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("/")
    expect(browser.locator(".agk-search")).to_be_focused()
    press_until_on(notebook, ".agk-delete")
    page.keyboard.press("Enter")
    expect(browser.locator(".agk-sure")).to_be_visible()
    page.keyboard.press("Escape")
    expect(browser.locator(".agk-sure")).to_have_count(0)
    expect(browser.locator(".agk-delete").first).to_be_focused()
    page.keyboard.press("Enter")
    press_until_on(notebook, ".agk-yes", "Shift+Tab", most=3)
    page.keyboard.press("Enter")
    expect(browser.locator(".agk-count")).to_have_text("2 files, all ready")
    expect(browser.locator("tr", has_text="leave.md").locator(".agk-delete")).to_be_focused()  # the row that came next
    expect(browser.get_by_role("button", name="Refresh")).to_have_accessible_name("Refresh: look at the store again")
    page.keyboard.press("d")  # twice it deletes a cell, in the notebook
    page.keyboard.press("d")
    assert notebook.cell(3).is_visible()


@on_both_surfaces
def test_an_answer_shows_the_passage_that_it_cites(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    notebook = notebook_with([SETUP, ADD, SHOW, SEARCH, AGENT, ASK, EVALUATE, "%trace"], app=app, theme=theme)
    for index in range(8):
        notebook.run_cell(index)
    assert "broken.pdf" in notebook.text(1)
    assert "✗\u00a0failed" in notebook.text(1)
    picture(notebook, "search-1-report", 1)
    picture(notebook, "search-2-store", 2)
    assert "words and meaning" in notebook.text(2)
    found = notebook.output(3)
    found.locator("details.agk-fw summary").first.click()
    expect(found.locator(".agk-ft").first).to_contain_text("a doctor's note is needed")
    expect(found.locator("mark").first).to_be_visible()
    picture(notebook, "search-3-found", 3)
    assert notebook.accessibility_problems() == []

    def answer_opens() -> None:
        answer = notebook.output(5)
        mark = answer.locator(".agk-q > summary, details > summary[aria-label]").first
        expect(mark).to_have_text("[1]")
        passage = answer.get_by_text("Five of them may be taken into the next year").first
        expect(passage).not_to_be_visible()
        mark.click()
        expect(passage).to_be_visible()

    answer_opens()
    expect(notebook.output(5).locator(".agk-r", has_text="file_search")).to_be_visible()
    notebook.output(5).locator(".agk-r > summary", has_text="file_search").click()
    expect(notebook.output(5).locator(".agk-fp").first).to_contain_text("leave.md")
    picture(notebook, "search-4-answer", 5)
    assert notebook.accessibility_problems() == []
    notebook.output(6).get_by_text("question by question").click()
    picture(notebook, "search-5-judged", 6)
    picture(notebook, "search-6-trace", 7)
    notebook.save()
    for trusted in (True, False) if app == "lab" else (True,):
        notebook.reopen(trusted=trusted)
        answer_opens()
        picture(notebook, f"search-7-answer-{'own' if trusted else 'strangers'}", 5)


@on_both_surfaces
def test_files_on_their_way_have_a_bar_that_can_be_stopped(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    many = """many = pathlib.Path(tempfile.mkdtemp())
for number in range(240):
    (many / f"note-{number:03}.md").write_text(f"# Note {number}\\n\\n" + "Some words about the harbour. " * 60)
(many / "a-broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")"""
    notebook = notebook_with([SETUP, many, "store.add(many, base=many)", "len(store.refresh())"], app=app, theme=theme)
    notebook.run_cell(0)
    notebook.run_cell(1)
    before = notebook.start_cell(2)
    output = notebook.output(2)
    output.locator("progress[max='482']").wait_for()
    output.get_by_text("241").first.wait_for()
    picture(notebook, "filling-1-live", 2)
    output.get_by_role("button", name="Stop").click()
    notebook.wait_until_done(2, before=before)
    picture(notebook, "filling-2-stopped", 2)
    assert "of 241 files are in " in notebook.text(2)
    assert output.locator("progress").count() == 0
    notebook.run_cell(2)
    assert "241 files: " in notebook.text(2)
    assert "1 failed" in notebook.text(2)
    assert notebook.text(2).count("a-broken.pdf") >= 1
    notebook.run_cell(3)
    assert notebook.text(3) == "241"


def test_a_chat_cites_too_and_keeps_what_it_cites(notebook_with: Notebooks) -> None:
    notebook = notebook_with([SETUP, ADD, AGENT, "chat = agentkit.chat(desk)"])
    for index in range(4):
        notebook.run_cell(index)
    chat = chat_in(notebook, 3)
    say(chat, "How many days of annual leave does every employee have?")
    wait_for_answer(chat, "25 days of annual leave")
    passage = chat.locator(".agk-q .agk-ft", has_text="Five of them may be taken into the next year").first
    expect(passage).not_to_be_visible()
    chat.locator(".agk-q > summary").first.click()
    expect(passage).to_be_visible()
    chat.locator(".agk-r > summary", has_text="file_search").click()
    expect(chat.locator(".agk-fp").first).to_contain_text("leave.md")
    picture(notebook, "search-8-chat", 3)
    assert notebook.accessibility_problems(".agk-chat") == []
    notebook.save()
    notebook.reopen()
    kept = notebook.output(3)
    kept.locator(".agk-q > summary").first.click()
    expect(kept.locator(".agk-q .agk-ft").first).to_be_visible()
