"""The browser of traces as a reader has it: by mouse and by keyboard, in both front ends, with and without a kernel."""

from __future__ import annotations

import ast
import os
import signal

from playwright.sync_api import Locator, expect
from surfaces import App, Notebooks, Theme, kept_has, on_both_surfaces, picture, press_until_on

from agentkit.testing.browser import NotebookPage

SETUP = '''%load_ext agentkit
import contextlib, os, tempfile, threading
os.environ["AGENTKIT_HOME"] = tempfile.mkdtemp()
import agentkit
from agentkit import Agent, Runner, flush_traces, function_tool
from agentkit.notebook.browser import browse
from agentkit.testing import ScriptedModel, call
from agentkit.tracing.feedback import feedback
from agentkit.tracing.notes import notes

go_on = threading.Event()

@function_tool
def get_weather(city: str) -> str:
    """Get the weather in a city."""
    if city == "Atlantis":
        raise ValueError(f"There is no {city}.")
    return f"Rain in {city}."

@function_tool
def wait() -> str:
    """Wait until somebody says so."""
    go_on.wait(60)
    return "It is over."

def agent(name, *replies):
    return Agent(name=name, instructions="You help.", model=ScriptedModel(*replies), tools=[get_weather, wait])'''
RUNS = """for number in range(30):
    Runner.run_sync(agent("clerk", "Done."), f"File number {number}, please.")
Runner.run_sync(agent("weather", call("get_weather", city="Oslo"), "It rains in **Oslo**."), "Rain in Oslo?")
fails = agent("weather", call("get_weather", city="Rome"), RuntimeError("The line went dead."))
with contextlib.suppress(Exception):
    Runner.run_sync(fails, "Rain in Rome?")
flush_traces()"""
BROWSE = "browser = browse()\nbrowser"
UNDER_WAY = """runner = threading.Thread(
    target=lambda: Runner.run_sync(agent("slow", call("wait"), "There it is."), "Take your time."))
runner.start()"""
GO_ON = "go_on.set(); runner.join()"
STORED = """flush_traces()
(notes()[["mark", "comment"]].fillna("").values.tolist(), feedback()[["rating", "remark"]].values.tolist(),
 browser.trace.agents if browser.trace else None, len(browser.frame()))"""


def browser_in(notebook: NotebookPage, index: int) -> Locator:
    """Return the browser in a cell's output, once it has listed something."""
    browser = notebook.output(index).locator(".agk-browser")
    browser.locator(".agk-open").first.wait_for()
    return browser


def questions(browser: Locator) -> list[str]:
    return browser.locator(".agk-open").all_inner_texts()


def steps(browser: Locator) -> list[str]:
    """Return the steps that are shown, by kind and name."""
    return [" ".join(text.split()) for text in browser.locator(".agk-tree .agk-wn").all_inner_texts()]


def ready(browser: Locator, count: str) -> None:
    """Wait until so many traces are listed."""
    expect(browser.locator(".agk-count")).to_have_text(count)


def opened(browser: Locator, title: str) -> None:
    """Wait until a trace is open."""
    expect(browser.locator(".agk-head-row .agk-h")).to_have_text(title)
    expect(browser.locator(".agk-opened")).to_be_visible()


@on_both_surfaces
def test_traces_from_the_list_to_a_step_and_to_the_notebook_without_a_kernel(
    notebook_with: Notebooks, app: App, theme: Theme
) -> None:
    notebook = notebook_with([SETUP, RUNS, BROWSE, UNDER_WAY, GO_ON, STORED], app=app, theme=theme)
    for index in (0, 1, 2):
        notebook.run_cell(index)
    browser = browser_in(notebook, 2)
    ready(browser, "32 traces, page 1 of 2")
    assert questions(browser)[:3] == ["Rain in Rome?", "Rain in Oslo?", "File number 29, please."]
    picture(notebook, "traces-1-list", 2)
    assert notebook.accessibility_problems(".agk-browser") == []

    # pages, sorting, filters
    browser.locator(".agk-next-page").click()
    ready(browser, "32 traces, page 2 of 2")
    assert len(questions(browser)) == 7
    browser.get_by_role("button", name="Asked").click()
    ready(browser, "32 traces, page 1 of 2")
    assert questions(browser)[:2] == ["File number 0, please.", "File number 1, please."]
    assert browser.locator(".agk-col-question[aria-sort]").get_attribute("aria-sort") == "ascending"
    browser.locator(".agk-search").fill("oslo")
    ready(browser, "1 trace: with 'oslo'")
    browser.locator(".agk-clear").click()
    browser.locator(".agk-by-agent").select_option("weather")
    ready(browser, "2 traces: agent weather")
    browser.locator(".agk-failed").check()
    ready(browser, "1 trace: agent weather, failed")
    assert questions(browser) == ["Rain in Rome?"]
    picture(notebook, "traces-2-filtered", 2)
    browser.locator(".agk-failed").uncheck()
    ready(browser, "2 traces: agent weather")

    # a trace: steps, details, parent and child, notes
    browser.locator(".agk-open", has_text="Rome").click()
    opened(browser, "weather")
    assert steps(browser) == ["▾✗ agent weather", "✓ model scripted", "✓ tool get_weather", "✗ model scripted"]
    browser.locator(".agk-tr", has_text="get_weather").click()
    expect(browser.locator(".agk-details")).to_contain_text("Rain in Rome.")
    browser.locator(".agk-to-parent").click()
    expect(browser.locator(".agk-step-name")).to_have_text("agent weather")
    browser.locator(".agk-jump-to", has_text="get_weather").click()
    expect(browser.locator(".agk-step-name")).to_have_text("tool get_weather")
    browser.locator(".agk-panel .agk-mark-bug").click()
    expect(browser.locator(".agk-panel .agk-mark-bug")).to_have_attribute("aria-pressed", "true")
    browser.locator(".agk-panel .agk-comment").fill("Rome is dry.")
    browser.locator(".agk-panel .agk-comment").press("Enter")
    expect(browser.locator(".agk-tr", has_text="get_weather").locator(".agk-noted")).to_have_attribute(
        "title", "bug Rome is dry."
    )
    browser.locator(".agk-bars .agk-mark-check").click()
    expect(browser.locator(".agk-bars .agk-mark-check")).to_have_attribute("aria-pressed", "true")
    browser.locator(".agk-down").click()
    browser.locator(".agk-remark").fill("It failed.")
    browser.locator(".agk-remark").press("Enter")
    expect(browser.locator(".agk-down")).to_have_attribute("aria-pressed", "true")
    picture(notebook, "traces-3-opened", 2)
    assert notebook.accessibility_problems(".agk-browser") == []
    browser.locator(".agk-back").click()
    row = browser.locator("tr", has_text="Rome")
    expect(row.locator(".agk-chip")).to_have_text("check")
    expect(row.locator(".agk-thumb")).to_have_attribute("aria-label", "rated down")

    # a run under way
    browser.locator(".agk-clear").click()
    ready(browser, "32 traces, page 1 of 2")
    browser.get_by_role("button", name="Started").click()
    notebook.run_cell(3)
    browser.locator(".agk-open", has_text="Take your time.").click()
    opened(browser, "slow")
    expect(browser.locator(".agk-state")).to_have_text("running")
    expect(browser.locator(".agk-tr", has_text="wait").locator(".agk-wb-open")).to_be_attached()
    picture(notebook, "traces-4-under-way", 2)
    notebook.run_cell(4)
    expect(browser.locator(".agk-state")).to_have_text("✓ ok")
    expect(browser.locator(".agk-wb-open")).to_have_count(0)
    assert len(steps(browser)) == 4

    # what is stored, and what the browser tells in code
    notebook.run_cell(5)
    assert ast.literal_eval(notebook.text(5)) == (
        [["check", ""], ["bug", "Rome is dry."]],
        [["down", "It failed."]],
        ["slow"],
        33,
    )

    # without a kernel
    browser.locator(".agk-back").click()
    browser.locator(".agk-open", has_text="Rome").click()
    opened(browser, "weather")
    kept_has(notebook, 2, "get_weather")
    notebook.restart_kernel()
    browser.get_by_text("The kernel has ended or begun anew").wait_for()
    notebook.page.set_viewport_size({"width": 1280, "height": 1200})
    for trusted in (True, False) if app == "lab" else (True,):
        notebook.reopen(trusted=trusted)
        output = notebook.output(2)
        output.get_by_text("The line went dead.").first.wait_for()
        output.locator("details.agk-wr summary", has_text="get_weather").click()
        expect(output.locator("details.agk-wr[open]")).to_contain_text("Rain in Rome.")
        picture(notebook, f"traces-5-without-kernel-{'own' if trusted else 'strangers'}", 2)
        text = notebook.text(2)
        assert [
            each
            for each in ("failed", "Rome is dry.", "[check]", "rated down: It failed.", "tokens")
            if each not in text
        ] == []
        assert "model not found" not in text


def test_the_keyboard_alone_is_enough_for_traces(notebook_with: Notebooks) -> None:
    notebook = notebook_with([SETUP, RUNS, BROWSE, "'after'"])
    for index in (0, 1, 2):
        notebook.run_cell(index)
    browser = browser_in(notebook, 2)
    page = notebook.page
    press_until_on(notebook, ".agk-search")
    page.keyboard.type("rain")
    ready(browser, "2 traces: with 'rain'")
    press_until_on(notebook, ".agk-open")
    page.keyboard.press("ArrowDown")
    expect(browser.locator(".agk-open").nth(1)).to_be_focused()
    page.keyboard.press("/")
    expect(browser.locator(".agk-search")).to_be_focused()
    press_until_on(notebook, ".agk-open")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    opened(browser, "weather")
    rows = browser.locator(".agk-tr")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(2)).to_be_focused()
    expect(browser.locator(".agk-step-name")).to_have_text("tool get_weather")
    page.keyboard.press("ArrowLeft")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(rows).to_have_count(1)
    expect(rows.nth(0)).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowRight")
    expect(rows).to_have_count(4)
    page.keyboard.press("End")
    expect(rows.nth(3)).to_be_focused()
    page.keyboard.press("Enter")
    expect(browser.locator(".agk-panel")).to_be_focused()
    page.keyboard.press("Escape")
    ready(browser, "2 traces: with 'rain'")
    expect(browser.locator(".agk-open", has_text="Oslo")).to_be_focused()
    page.keyboard.press("d")  # twice it deletes a cell, in the notebook
    page.keyboard.press("d")
    assert notebook.cell(3).is_visible()


@on_both_surfaces
def test_after_a_reload_the_browser_goes_on_and_says_that_the_notebook_does_not_keep_it(
    notebook_with: Notebooks, app: App, theme: Theme
) -> None:
    notebook = notebook_with([SETUP, RUNS, BROWSE, "browser"], app=app, theme=theme)
    for index in (0, 1, 2):
        notebook.run_cell(index)
    browser = browser_in(notebook, 2)
    browser.locator(".agk-open", has_text="Oslo").click()
    opened(browser, "weather")
    kept, all_kept = notebook.output(2).locator(".agk-kept"), "xpath=self::*[@data-kept='all']"
    kept.get_by_text("weather").first.wait_for(state="attached")
    browser.locator(all_kept).wait_for()
    assert not kept.is_visible()

    notebook.save()
    notebook.reload()
    browser = browser_in_any_state(notebook, 2)
    opened(browser, "weather")
    browser.locator(all_kept).wait_for()
    browser.locator(".agk-back").click()
    ready(browser, "32 traces, page 1 of 2")
    lag = browser.locator(".agk-lag")
    lag.wait_for()
    expect(lag).to_contain_text("The notebook does not keep what is shown here")
    expect(kept.locator(".agk-h")).to_have_text("weather ✓")
    assert kept.is_visible()
    picture(notebook, "traces-6-kept-in-part", 2)
    assert notebook.accessibility_problems(".agk-browser") == []

    notebook.run_cell(3)  # which keeps what the first cell no longer does
    ready(browser_in(notebook, 3), "32 traces, page 1 of 2")
    browser_in_any_state(notebook, 3).locator(all_kept).wait_for()
    expect(lag).to_be_hidden()


def test_a_browser_whose_kernel_was_killed_says_so(notebook_with: Notebooks) -> None:
    notebook = notebook_with([SETUP, RUNS, BROWSE, "os.getpid()"])
    for index in range(4):
        notebook.run_cell(index)
    browser = browser_in(notebook, 2)
    os.kill(int(notebook.text(3)), signal.SIGKILL)
    browser.get_by_text("The kernel has ended or begun anew, and this browser with it.").wait_for()
    assert browser.locator(".agk-search").is_disabled()
    notebook.reopen(kernel=True)


def browser_in_any_state(notebook: NotebookPage, index: int) -> Locator:
    """Return the browser in a cell's output."""
    return notebook.output(index).locator(".agk-browser")


def test_a_cell_that_runs_again_leaves_nothing_behind(notebook_with: Notebooks) -> None:
    notebook = notebook_with([SETUP, RUNS, BROWSE, "from agentkit.notebook.browser import handle\nlen(handle._open)"])
    for index in (0, 1):
        notebook.run_cell(index)
    for _ in range(10):
        notebook.run_cell(2)
        browser_in(notebook, 2)
    assert notebook.page.locator(".agk-browser").count() == 1
    notebook.run_cell(3)
    assert int(notebook.text(3)) <= 8
