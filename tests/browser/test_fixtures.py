"""The browser fixtures that agentkit offers its users."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agentkit.testing.browser import NotebookPage

OpenNotebook = Callable[[Sequence[str]], NotebookPage]


def test_a_cell_runs_and_its_output_is_read(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(["print(6 * 7)", "'last'"])
    notebook.run_cell(0)
    notebook.run_cell(1)
    assert [notebook.text(0), notebook.text(1)] == ["42", "'last'"]


def test_each_state_of_an_output_is_seen(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(["h = display('one', display_id=True)\ninput()\nh.update('two')"])
    before = notebook.start_cell(0)
    notebook.output(0).get_by_text("one").wait_for()
    watched = notebook.watch(0)
    notebook.page.keyboard.type("go")
    notebook.page.keyboard.press("Enter")
    notebook.wait_until_done(0, before=before)
    assert "'two'" in watched.texts[-1]


def test_the_stop_button_interrupts_a_cell(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(["print('running')\nimport time\ntime.sleep(600)", "'still here'"])
    before = notebook.start_cell(0)
    notebook.output(0).get_by_text("running").wait_for()
    notebook.press_stop()
    notebook.wait_until_done(0, before=before)
    assert [output.get("ename") for output in notebook.outputs(0)][-1] == "KeyboardInterrupt"
    notebook.run_cell(1)
    assert notebook.text(1) == "'still here'"


def test_a_request_beyond_this_machine_is_refused_and_noted(open_notebook: OpenNotebook) -> None:
    code = "from IPython.display import HTML\nHTML('<img src=\"http://192.0.2.7/x.png\">')"
    notebook = open_notebook([code])
    notebook.run_cell(0)
    notebook.page.wait_for_function("document.querySelector('.jp-OutputArea img')?.complete")
    assert notebook.outside_requests == ["http://192.0.2.7/x.png"]
    notebook.outside_requests.clear()  # the fixture fails a test that leaves any
