"""The browser fixtures that agentkit offers its users."""

from __future__ import annotations

import pytest
from surfaces import OTHER_THEME, App, Notebooks, Theme, on_both_surfaces

from agentkit.testing.fixtures import NotebookOpener

in_both_apps = pytest.mark.parametrize("app", ["lab", "notebook"])

HTML = "from IPython.display import HTML, display\n"


@in_both_apps
def test_a_cell_runs_and_its_output_is_read(open_notebook: NotebookOpener, app: App) -> None:
    notebook = open_notebook(["print(6 * 7)", "'last'"], app=app)
    notebook.run_cell(0)
    notebook.run_cell(1)
    assert [notebook.text(0), notebook.text(1)] == ["42", "'last'"]


def test_each_state_of_an_output_is_seen(notebook_with: Notebooks) -> None:
    notebook = notebook_with(["h = display('one', display_id=True)\ninput()\nh.update('two')"])
    before = notebook.start_cell(0)
    notebook.output(0).get_by_text("one").wait_for()
    watched = notebook.watch(0)
    notebook.page.keyboard.type("go")
    notebook.page.keyboard.press("Enter")
    notebook.wait_until_done(0, before=before)
    assert "'two'" in watched.texts[-1]


@on_both_surfaces
def test_the_stop_button_interrupts_a_cell(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    notebook = notebook_with(["print('running')\nimport time\ntime.sleep(600)", "'still here'"], app=app, theme=theme)
    before = notebook.start_cell(0)
    notebook.output(0).get_by_text("running").wait_for()
    notebook.press_stop()
    notebook.wait_until_done(0, before=before)
    assert [output.get("ename") for output in notebook.outputs(0)][-1] == "KeyboardInterrupt"
    notebook.run_cell(1)
    assert notebook.text(1) == "'still here'"


IMAGE = (
    "() => new Promise((failed) => Object.assign(new Image(), { onerror: () => failed(), src: 'http://192.0.2.7/x' }))"
)


def test_a_request_beyond_this_machine_is_refused_and_noted(notebook_with: Notebooks) -> None:
    notebook = notebook_with(["1"])
    notebook.page.evaluate(IMAGE)
    assert notebook.outside_requests == ["http://192.0.2.7/x"]
    assert notebook.console_errors == ["Failed to load resource: net::ERR_FAILED"]
    notebook.outside_requests.clear()  # the fixtures fail a test that leaves any
    notebook.console_errors.clear()


def test_errors_in_the_console_are_noted(notebook_with: Notebooks) -> None:
    notebook = notebook_with(["1"])
    notebook.page.evaluate(
        "console.warn('only this'); console.error('logged'); setTimeout(() => { throw Error('thrown') })"
    )
    notebook.page.wait_for_function("new Promise(done => setTimeout(() => done(true)))")
    assert notebook.console_errors == ["logged", "thrown"]
    notebook.console_errors.clear()


COLOR = """(() => {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = getComputedStyle(document.querySelector('.jp-Notebook')).getPropertyValue('--jp-layout-color0');
    return getComputedStyle(probe).color;
})()"""


@on_both_surfaces
def test_a_notebook_has_the_theme_that_was_asked_for(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    notebook = notebook_with(["1"], app=app, theme=theme)
    colors = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 17, 17)"}
    assert notebook.page.evaluate(COLOR) == colors[theme]
    notebook.set_theme(OTHER_THEME[theme])
    assert notebook.page.evaluate(COLOR) == colors[OTHER_THEME[theme]]
    notebook.set_theme(theme)


def test_a_notebook_is_reopened_without_a_kernel_as_ones_own_and_as_a_strangers(notebook_with: Notebooks) -> None:
    notebook = notebook_with([f"{HTML}HTML('<b onclick=\"1\">kept</b>')"])
    notebook.run_cell(0)
    has_handler = "document.querySelector('.jp-OutputArea b').hasAttribute('onclick')"
    seen = []
    for trusted in (True, False):
        notebook.reopen(trusted=trusted)
        notebook.output(0).get_by_text("kept").wait_for()
        seen.append((notebook.is_trusted, notebook.page.evaluate(has_handler)))
    assert seen == [(True, True), (False, False)]
    assert notebook.name not in [session["path"] for session in notebook.server.api("sessions")]


@on_both_surfaces
def test_a_kernel_is_restarted_and_the_page_reloaded(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    notebook = notebook_with(["x = 1", "'x' in globals()"], app=app, theme=theme)
    notebook.run_cell(0)
    notebook.run_cell(1)
    kept = notebook.saved()["cells"][1]["outputs"][0]["data"]["text/plain"]
    notebook.reload()
    notebook.run_cell(1)
    after_reload = notebook.text(1)
    notebook.restart_kernel()
    notebook.run_cell(1)
    assert [kept, after_reload, notebook.text(1)] == ["True", "True", "False"]


BUSY_FOR_200_MS = """() => new Promise((done) => setTimeout(() => {
    for (const end = performance.now() + 200; performance.now() < end; );
    done();
}))"""


@on_both_surfaces
def test_what_kernels_send_and_long_tasks_are_measured(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    notebook = notebook_with(["print('x' * 300_000)", "1"], app=app, theme=theme)
    with notebook.measured() as large:
        notebook.run_cell(0)
        notebook.page.evaluate(BUSY_FOR_200_MS)
    with notebook.measured() as small:
        notebook.run_cell(1)
    assert 300_000 < large.received_bytes < 330_000
    assert max(large.long_tasks_ms) >= 190
    assert 0 < small.received_bytes < 30_000
    assert small.messages >= 4  # busy, the input, the result, idle


GOOD = """<button style="outline-offset: 1px">Go</button> <label>Name <input></label>
<details><summary>More</summary>folded <button></button></details> <button disabled style="color: #ccc">No</button>"""
BAD = """<style>.it button:focus {outline: none}</style><p style="color: #999; background: #fff">Pale</p>
<button aria-label=" "></button><div role="button">Click</div><button tabindex="-1">Never</button>"""


def test_what_keeps_readers_out_is_found(notebook_with: Notebooks) -> None:
    notebook = notebook_with(
        [f"{HTML}HTML('''<div class=it>{GOOD}</div>''')", f"HTML('''<div class=it>{BAD}</div>''')"]
    )
    notebook.run_cell(0)
    assert notebook.accessibility_problems(".it") == []
    notebook.run_cell(1)
    assert sorted(notebook.accessibility_problems(".it:has([role])")) == [
        'Tab does not lead to <button> "Never"',
        'Tab does not lead to <div> "Click"',
        'contrast 2.85, needs 4.5: "Pale" rgb(153,153,153) on rgb(255,255,255) in <p>',
        "focus does not show on <button>",
        "no accessible name: <button>",
    ]
    with pytest.raises(ValueError, match=r"Nothing on the page matches '\.nowhere'"):
        notebook.accessibility_problems(".nowhere")
