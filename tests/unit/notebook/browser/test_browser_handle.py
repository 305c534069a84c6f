"""The browser as one holds it: in a terminal, in a notebook that runs by itself, and live."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from agentkit import UserError
from agentkit.notebook.browser import TraceBrowser, browse, handle
from tests.unit.notebook.browser.recorded import START_NS, put, span, trace_row
from tests.unit.notebook.conftest import Mistake, Run


@pytest.fixture(autouse=True)
def _none_left_open() -> Iterator[None]:
    yield
    for browser in list(handle._open):
        browser.close()


@pytest.fixture
def two_traces() -> None:
    """Oslo, and later Rome, which failed."""
    put(trace_row(1, agents="weather", input="Rain in Oslo?"), [span(0, "agent", name="weather")])
    error = {"message": "Dry.", "data": None}
    put(trace_row(2, agents="weather", input="Rain in Rome?", status="error", error=error, started_ns=START_NS + 1))


@pytest.mark.usefixtures("two_traces")
def test_in_a_terminal_it_is_a_table(run: Run) -> None:
    lines = run("%traces --browse").stdout.splitlines()
    assert lines[:2] == ["Out[1]: ", "2 traces"]
    assert "Rain in Rome? ✗ Dry." in lines[3]
    assert "Rain in Oslo?" in lines[4]


@pytest.mark.usefixtures("two_traces")
def test_where_nobody_sits_there_is_one_output_that_can_be_read(run: Run) -> None:
    run("%config AgentKit.render = 'static'")
    cell = run("%traces --browse --text oslo")
    (output,) = cell.outputs
    assert output["text/plain"].splitlines()[0] == "1 trace: with 'oslo'"
    assert set(output) == {"text/html", "text/plain"}
    run("from agentkit.notebook.browser import browse\nbrowser = browse()")
    (opened,) = run(f"browser.open('trace_{1:032x}')\nbrowser").outputs
    assert opened["text/plain"].splitlines()[1] == "  ✓ agent weather · 1.00 s"


@pytest.mark.usefixtures("two_traces")
def test_live_there_is_what_is_kept_and_beneath_it_the_widget(run: Run) -> None:
    run("%config AgentKit.render = 'live'")
    kept, widget = run("from agentkit.notebook.browser import browse\nbrowser = browse(error=True)\nbrowser").outputs
    assert kept["text/plain"].splitlines()[0] == "1 trace: failed"
    assert "agk-kept" in kept["text/html"]
    assert set(widget) == {"application/vnd.jupyter.widget-view+json"}
    again = run("browser").outputs[1]
    assert again == widget
    assert run(f"browser.open('trace_{1:032x}')\nbrowser.trace.input").value == "Rain in Oslo?"
    assert "agent weather" in run("browser").outputs[0]["text/plain"]


@pytest.mark.usefixtures("two_traces")
def test_it_tells_what_is_in_it() -> None:
    browser = browse(agent="weather", error=True)
    assert repr(browser) == "TraceBrowser(1 trace: agent weather, failed)"
    assert browser.trace is None
    assert list(browser.frame()["input"]) == ["Rain in Rome?"]
    assert list(browse(error=False).frame()["input"]) == ["Rain in Oslo?"]
    assert list(browse(until="2026-11-18T11:06:40Z").frame()["input"]) == []
    browser.open(f"trace_{1:032x}")
    assert browser.trace is not None
    assert browser.trace.input == "Rain in Oslo?"


@pytest.mark.usefixtures("two_traces")
def test_a_closed_one_says_so() -> None:
    browser = browse()
    browser.close()
    browser.close()
    assert repr(browser) == "TraceBrowser(closed)"
    with pytest.raises(UserError, match="This browser is closed"):
        browser.open(f"trace_{1:032x}")


def test_no_more_than_eight_live_ones_are_kept(run: Run) -> None:
    run("%config AgentKit.render = 'live'\nfrom agentkit.notebook.browser import browse")
    assert run("first = browse()\nfirst").error is None
    for _ in range(9):
        assert run("browse()").error is None
    assert len(handle._open) == 8
    assert run("repr(first)").value == "TraceBrowser(closed)"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("%traces --browse --limit 5", "%traces: --browse shows all, page by page: it takes no --limit."),
        ("%traces --browse --since soon", "%traces: since is a time or how long ago, not 'soon'."),
        ("%traces --status odd", "%traces: --status can't be 'odd'."),
        ("%traces --rating best", "%traces: --rating can't be 'best'."),
    ],
)
def test_mistakes_are_one_line(mistake: Mistake, code: str, message: str) -> None:
    assert mistake(code).startswith(message)


@pytest.mark.usefixtures("two_traces")
@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("", ["Rain in Rome?", "Rain in Oslo?"]),
        ("--error", ["Rain in Rome?"]),
        ("--status ok", ["Rain in Oslo?"]),
        ('--text "in oslo"', ["Rain in Oslo?"]),
        ("--model gpt-5", []),
        ("--group trip", []),
        ("--session s-1", []),
        ("--rating up", []),
        ("--since 2100-01-01", []),
        ("--until 2000-01-01", []),
        ("--agent weather --limit 1", ["Rain in Rome?"]),
    ],
)
def test_traces_takes_the_filters_of_the_frame(run: Run, options: str, found: list[str]) -> None:
    assert list(run(f"%traces {options}").value["input"]) == found


def test_a_session_and_an_agent_may_be_given_by_their_variables(run: Run, loaded: InteractiveShell) -> None:
    put(trace_row(1, agents="The weather", session_id="s-7", input="Oslo?"))
    run("from agentkit import Agent, SQLiteSession\nforecast = Agent(name='The weather')\nmine = SQLiteSession('s-7')")
    assert list(run("%traces --session mine").value["input"]) == ["Oslo?"]
    assert list(run("%traces --agent forecast").value["input"]) == ["Oslo?"]


@pytest.mark.usefixtures("two_traces")
def test_trace_shows_the_run_and_its_steps_as_a_frame(run: Run) -> None:
    run("%config AgentKit.render = 'static'")
    cell = run(f"%trace trace_{1:032x}")
    trace: Any = cell.value
    assert trace.trace_id == f"trace_{1:032x}"
    assert list(run(f"%trace trace_{1:032x} --frame").value["kind"]) == ["agent"]
    assert list(run(f"%trace trace_{1:032x} --kind function").value["kind"]) == []


@pytest.mark.usefixtures("two_traces")
def test_an_opened_trace_shows_itself_as_a_picture(loaded: InteractiveShell) -> None:
    from agentkit import open_trace

    formatter: Any = loaded.display_formatter
    data, _ = formatter.format(open_trace(f"trace_{1:032x}"))
    assert data["text/plain"].splitlines()[1] == "  ✓ agent weather · 1.00 s"
    assert 'class="agk agk-trace"' in data["text/html"]


def test_what_browse_takes_is_said_when_it_is_misspelt() -> None:
    with pytest.raises(UserError, match=r"agentkit.traces.browse has no argument 'agnet'. Did you mean agent\?"):
        browse(agnet="weather")  # type: ignore[call-arg]


def test_it_is_what_browse_returns() -> None:
    assert isinstance(browse(), TraceBrowser)
