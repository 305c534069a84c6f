"""What is in the pictures: bars, marks, names; where they are drawn."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib import font_manager
from matplotlib.collections import PolyCollection

import agentkit
from agentkit import Agent, Runner, UserError
from agentkit.records.amounts import dollars, seconds
from agentkit.records.opened import RecordedTrace, open_trace
from agentkit.records.pictures import fonts
from agentkit.records.pictures.cost import plot_cost
from agentkit.records.pictures.lanes import MOST_LANES, lanes_of
from agentkit.records.pictures.latency import plot_latency
from agentkit.records.pictures.rows import rows_of
from agentkit.records.pictures.timeline import plot_timeline
from agentkit.records.pictures.tokens import plot_tokens
from agentkit.testing import ScriptedModel
from tests.unit.records.made_traces import MadeTrace, large, small

Picture = Callable[..., Any]
PICTURES: list[Picture] = [
    RecordedTrace.timeline,
    RecordedTrace.plot_tokens,
    lambda trace, ax=None: trace.plot_cost(ax=ax),
    RecordedTrace.plot_latency,
]
each_picture = pytest.mark.parametrize("picture", PICTURES, ids=["timeline", "tokens", "cost", "latency"])


@pytest.fixture(autouse=True)
def without_a_screen() -> Iterator[None]:
    """Draw into memory, and leave no figure open."""
    with mpl.rc_context({"backend": "agg"}):
        yield
    plt.close("all")


def bars(ax: Any) -> dict[str, int]:
    """Return how many bars a timeline has of each look."""
    found = [each for each in ax.collections if isinstance(each, PolyCollection)]
    return {str(each.get_label()): len(each.get_paths()) for each in found if not str(each.get_label()).startswith("_")}


def names(ax: Any) -> list[str]:
    ax.figure.canvas.draw()
    return [label.get_text() for label in ax.get_yticklabels()]


def legend(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_timeline_has_a_band_for_each_agent_and_lines_for_what_runs_in_parallel() -> None:
    ax = small().timeline()
    assert names(ax) == ["first", "m-1", "search", "read", "second", "m-2"]
    assert bars(ax) == {"agent": 2, "call": 3, "tool": 2, "tool error": 1, "until the first token": 1}
    places = list(ax.get_yticks())
    assert places[3] - places[2] == 2  # two searches at once
    assert legend(ax) == ["agent at work", "model call", "tool", "until its first token", "error", "handoff"]
    assert ax.get_title(loc="left") == "Two agents · ok · 6.00 s · 3 model calls · 3 tool calls · 1 error"
    assert [text.get_position()[0] for text in ax.texts if text.get_text() == ""] == [4.0]  # the handoff's arrow


def test_unfinished_spans_stay_open_to_the_end() -> None:
    made = MadeTrace(status="unfinished")
    agent = made.add("agent", 0, None, "a", agent="a", status="unfinished")
    made.add("response", 0, 1, agent="a", parent=agent, model="m")
    made.add("function", 1, None, "slow", agent="a", parent=agent, status="unfinished")
    ax = made.open().timeline()
    assert bars(ax) == {"agent open": 1, "call": 1, "tool open": 1}
    right = ax.get_xlim()[1]
    open_bars = next(each for each in ax.collections if each.get_label() == "tool open")
    assert open_bars.get_paths()[0].vertices[:, 0].max() == right
    assert open_bars.get_hatch()
    assert "not finished" in legend(ax)


@pytest.mark.parametrize("only", ["error", "cancelled"])
def test_what_went_wrong_is_told_by_more_than_colour(only: str) -> None:
    made = MadeTrace()
    made.add("function", 0, 1, "tool", agent="a", status=only)
    ax = made.open().timeline()
    (bar,) = [each for each in ax.collections if each.get_label() == f"tool {only}"]
    assert bar.get_hatch()
    assert only in legend(ax)


def test_a_large_timeline_keeps_to_its_lines_and_draws_every_span() -> None:
    trace = large()
    ax = trace.timeline()
    found = bars(ax)
    assert sum(count for name, count in found.items() if name not in ("until the first token", "error")) == len(trace)
    assert len(ax.get_yticks()) <= MOST_LANES
    assert sum(len(lane.rows) for group in lanes_of(rows_of(trace)) for lane in group.all_lanes) <= MOST_LANES
    assert any(name.endswith("more agents") for name in names(ax))
    assert ax.figure.get_size_inches()[1] < 12


def test_labels_of_a_timeline_do_not_lie_on_each_other() -> None:
    for trace in (small(), large(500)):
        ax = trace.timeline()
        ax.figure.canvas.draw()
        texts = [text for text in ax.texts if text.get_text()]
        boxes = [text.get_window_extent() for text in texts]
        crossing = [
            (texts[a].get_text(), texts[b].get_text())
            for a in range(len(boxes))
            for b in range(a)
            if boxes[a].overlaps(boxes[b])
        ]
        assert crossing == []
        labels = [label.get_window_extent() for label in ax.get_yticklabels()]
        assert not any(a.overlaps(b) for a, b in pairwise(labels))


@each_picture
def test_the_callers_axes_are_drawn_on_and_returned(picture: Picture) -> None:
    figure, (left, right) = plt.subplots(1, 2)
    assert picture(small(), ax=left) is left
    assert plt.get_fignums() == [figure.number]
    assert left.has_data()
    assert not right.has_data()


@each_picture
def test_without_axes_one_figure_of_pyplots_is_made(picture: Picture) -> None:
    ax = picture(small())
    assert plt.get_fignums() == [ax.figure.number]
    assert ax.figure.get_facecolor() == (1, 1, 1, 1)


@each_picture
def test_texts_are_light_on_dark_axes(picture: Picture) -> None:
    _, ax = plt.subplots(facecolor="black")
    ax.set_facecolor("black")
    picture(small(), ax=ax)
    assert mpl.colors.to_hex(ax.title.get_color() if ax.get_title() else ax._left_title.get_color()) == "#eeeeee"


@each_picture
def test_axes_that_are_none_are_refused(picture: Picture) -> None:
    with pytest.raises(UserError, match="ax has to be matplotlib's Axes, not Figure"):
        picture(small(), ax=plt.figure())


@each_picture
def test_a_trace_without_spans_is_said_to_have_none(picture: Picture) -> None:
    ax = picture(MadeTrace().open())
    assert [text.get_text() for text in ax.texts] in (
        ["No spans were recorded."],
        ["No model was called."],
        ["No model call and no tool has finished."],
    )


def test_tokens_are_stacked_for_each_call() -> None:
    ax = small().plot_tokens()
    heights = {each.get_label(): [bar.get_height() for bar in each] for each in ax.containers}
    assert heights == {
        "input": [40, 50, 50],
        "input from the cache": [60, 0, 0],
        "output": [-20, -20, -5],
        "reasoning": [-10, 0, 0],
    }
    assert ax.get_title(loc="left") == "Tokens · 3 model calls · 200 tokens sent, 30% from the cache · 55 received"
    assert [text.get_text() for text in ax.texts] == ["first", "second"]


def test_many_calls_share_bars() -> None:
    trace = large()
    ax = trace.plot_tokens()
    assert all(len(container) <= 100 for container in ax.containers)
    assert sum(bar.get_height() for bar in ax.containers[0]) == trace.calls[0].input_tokens * len(trace.calls)  # type: ignore[operator]
    assert "each bar: 8 calls" in ax.get_xlabel()


def test_cost_is_told_by_agent_and_model_and_tool() -> None:
    trace = small()
    assert names(trace.plot_cost()) == ["first", "second"]
    ax = trace.plot_cost("model")
    assert names(ax) == ["m-1", "m-2"]
    assert [bar.get_width() for bar in ax.containers[0]] == [0.02, 0.01]
    assert ax.get_title(loc="left") == r"Cost by model · \$0.0300 · 3 model calls · 1 without a known price"
    assert [text.get_text() for text in ax.texts] == [r"\$0.0200 · 1 call", r"\$0.0100 · 2 calls, 1 without a price"]
    assert names(trace.plot_cost("tool")) == ["(no tool)"]
    with pytest.raises(UserError, match="no cost by 'colour'"):
        trace.plot_cost("colour")


def test_cost_by_tool_is_that_of_the_agents_in_it() -> None:
    made = MadeTrace()
    outer = made.add("agent", 0, 9, "outer", agent="outer")
    made.add("response", 0, 1, agent="outer", parent=outer, model="m", cost_usd=0.5)
    tool = made.add("function", 1, 5, "ask", agent="outer", parent=outer)
    inner = made.add("agent", 1, 5, "inner", agent="inner", parent=tool)
    made.add("response", 2, 1, agent="inner", parent=inner, model="m", cost_usd=0.25)
    ax = made.open().plot_cost("tool")
    assert dict(zip(names(ax), [bar.get_width() for bar in ax.containers[0]], strict=True)) == {
        "(no tool)": 0.5,
        "ask": 0.25,
    }


def test_shares_of_models_add_up() -> None:
    made = MadeTrace()
    for number in range(9):
        made.add("response", number, 1, agent=f"a{number % 2}", model=f"m-{number}", cost_usd=0.1)
    ax = made.open().plot_cost()
    assert len(ax.containers) == 6
    assert legend(ax)[-1] == "4 more"
    assert sum(bar.get_width() for container in ax.containers for bar in container) == pytest.approx(0.9)


def test_percentiles_are_those_of_the_durations() -> None:
    made = MadeTrace()
    for number in range(1, 102):
        made.add("function", number, number / 100, "tool", agent="a")
    ax = made.open().plot_latency()
    marks = {
        str(each.get_label()): float(each.get_offsets()[0][0])
        for each in ax.collections
        if str(each.get_label())[0] == "p"
    }
    assert marks == pytest.approx({"p50 tool": 0.51, "p90 tool": 0.91, "p99 tool": 1.0})
    assert ax.texts[0].get_text() == "510 ms · 910 ms · 1.00 s (n=101)"
    assert ax.get_xscale() == "log"


def test_latency_tells_the_first_tokens_apart() -> None:
    assert names(small().plot_latency()) == ["m-2", "m-1", "m-1, first token", "search", "read"]


async def test_frames_are_drawn_as_traces_are() -> None:
    model = ScriptedModel("One.", "Two.", "Three.")
    agent = Agent(name="a", model=model)
    results = [await Runner.run(agent, "Hi") for _ in range(3)]
    calls, spans = agentkit.calls(), agentkit.spans()
    assert len(plot_tokens(calls).containers[0]) == 3
    assert plot_cost(calls, by="trace").containers
    assert names(plot_latency(calls)) == ["scripted"]
    assert bars(plot_timeline(spans)) == {"agent": 3, "call": 3}
    assert bars(plot_timeline(results)) == {"agent": 3, "call": 3}
    row = agentkit.traces().iloc[0]
    assert bars(plot_timeline(row)) == bars(plot_timeline(dict(row))) == {"agent": 1, "call": 1}
    assert bars(plot_timeline([row, results[0]])) == bars(plot_timeline(agentkit.traces()["trace_id"][:2]))
    assert bars(plot_timeline(open_trace(results[0]), title="Mine")) == {"agent": 1, "call": 1}
    with pytest.raises(UserError, match="Pictures need plain axes, with a left and a lower side, not PolarAxes"):
        plot_timeline(spans, ax=plt.figure().add_subplot(projection="polar"))
    with pytest.raises(UserError, match="The dataframe has no spans: its columns are a, b"):
        plot_timeline(calls.iloc[:, :2].set_axis(["a", "b"], axis=1))


def test_names_are_drawn_as_they_are() -> None:
    made = MadeTrace("$x^2$ and \\alpha\nsecond line")
    made.add("function", 0, 1, "cost_$5_$6", agent="a" * 80)
    ax = made.open().timeline()
    ax.figure.canvas.draw()
    assert ax.get_title(loc="left").startswith(r"\$x^2\$ and \alpha second line")
    assert names(ax) == ["a" * 25 + "…", r"cost_\$5_\$6"]


def test_signs_that_no_font_has_are_squares_and_said_once(
    caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fonts, "_CJK", ())  # as on a machine that has none
    fonts._say_once.cache_clear()
    made = MadeTrace("研究助手")
    for number, name in enumerate(("规划师", "研究员", "规划师")):
        made.add("agent", number, 1, name, agent=name)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            ax = made.open().timeline()
            ax.figure.canvas.draw()
    assert names(ax) == ["□□□", "□□□"]
    assert [record.message.split(".")[0] for record in caplog.records] == [
        "Pictures show □ for signs that no font on this machine has"
    ]
    assert not list(recwarn)


def test_an_installed_font_is_taken_for_signs_that_the_first_lacks() -> None:
    """DejaVu Sans Display has few signs: the fonts after it are asked for the others."""
    with mpl.rc_context({"font.family": ["DejaVu Sans Display"]}):
        assert fonts.families()[:2] == ["DejaVu Sans Display", "DejaVu Sans"]
        assert fonts.drawable("ж") == "ж"


def test_a_font_that_was_installed_after_matplotlib_made_its_list_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    listed = [entry for entry in font_manager.fontManager.ttflist if entry.name == "DejaVu Sans Display"]
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    installed = [listed[0].fname, str(broken)]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", listed)  # what it has read from its file
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: installed)
    for cached in (fonts._found_more, fonts._files):
        cached.cache_clear()
    assert fonts.drawable("ж") == "□"
    installed.append(str(Path(listed[0].fname).with_name("DejaVuSans.ttf")))
    fonts._found_more.cache_clear()  # as in another process
    assert fonts.families("ж") == ["DejaVu Sans"]
    assert fonts.drawable("ж") == "ж"
    for cached in (fonts._found_more, fonts._files):
        cached.cache_clear()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 ms"), (0.00042, "0.4 ms"), (0.0123, "12 ms"), (0.9999, "1.00 s"), (1.25, "1.25 s"), (59.96, "60.0 s"),
        (119.7, "2 min"), (200, "3 min 20 s"), (7500, "2 h 5 min"),
    ],
)  # fmt: skip
def test_durations_are_told_for_people(value: float, text: str) -> None:
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0"), (0.0000123, "$0.000012"), (0.0012, "$0.0012"), (0.0123, "$0.0123"), (0.5, "$0.5000"),
        (1234.5, "$1,234.50"),
    ],
)  # fmt: skip
def test_dollars_are_told_for_people(value: float, text: str) -> None:
    assert dollars(value) == text
