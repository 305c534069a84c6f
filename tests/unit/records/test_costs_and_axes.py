"""Costs are the same wherever they are told, and axes say what they mean."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

import agentkit
from agentkit import Agent, Runner, UserError, function_tool, generation_span, set_price, trace
from agentkit.records.amounts import dollar_ticks, duration_step_s, duration_ticks, seconds
from agentkit.records.pictures.cost import plot_cost
from agentkit.records.pictures.latency import plot_latency
from agentkit.testing import ScriptedModel, call
from tests.unit.records.made_traces import MadeTrace

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _figures() -> Any:
    yield
    plt.close("all")


@function_tool
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def run(name: str = "adder", *, last_model: str | None = None) -> Any:
    model = ScriptedModel().reply(call("add", a=1, b=2)).reply("Three.")
    if last_model is None:
        return Runner.run_sync(Agent(name=name, tools=[add], model=model), "What is 1 and 2?")
    other = ScriptedModel("Three.")
    other.model = last_model
    first = Agent(name=name, model=ScriptedModel().reply(call("transfer_to_last")))
    first.handoffs = [Agent(name="last", model=other)]
    return Runner.run_sync(first, "What is 1 and 2?")


def labels(ax: Any) -> list[str]:
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    return [
        text.get_text().replace("\\", "")
        for place, text in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        if low <= place <= high
    ]


def test_an_opened_trace_costs_what_the_frames_say() -> None:
    result = run()
    opened = agentkit.open_trace(result)
    assert (opened.cost_usd, opened.unpriced, [each.cost_usd for each in opened.calls]) == (None, 2, [None, None])
    for factor in (1, 3):  # the first price, and a later one
        set_price("scripted", input=2.0 * factor, output=8.0 * factor)
        opened = opened.refresh()
        costs = list(agentkit.calls(result)["cost_usd"])
        assert [each.cost_usd for each in opened.calls] == costs
        assert opened.cost_usd == pytest.approx(sum(costs))
        assert opened.cost_usd == pytest.approx(agentkit.traces(result)["cost_usd"].iloc[0])
        assert opened.cost_usd == pytest.approx(result.usage.cost_usd)
        assert opened.unpriced == 0
        assert opened.diff(opened).totals()["cost_usd"] == (opened.cost_usd, opened.cost_usd)
        assert sum(bar.get_width() for bar in opened.plot_cost().containers[0]) == pytest.approx(opened.cost_usd)


def test_a_trace_with_a_call_of_unknown_price_has_no_cost() -> None:
    set_price("scripted", input=2.0, output=8.0)
    result = run(last_model="nobody-knows")
    opened = agentkit.open_trace(result)
    assert agentkit.traces(result)["cost_usd"].isna().all()
    assert (opened.cost_usd, opened.unpriced) == (None, 1)
    assert [each.cost_usd is None for each in opened.calls] == [False, True]


def test_a_trace_without_calls_cost_nothing() -> None:
    with agentkit.trace("no model") as made:
        pass
    assert agentkit.open_trace(made).cost_usd == agentkit.traces()["cost_usd"].iloc[0] == 0


def test_pictures_take_a_frame_of_traces() -> None:
    set_price("scripted", input=2.0, output=8.0)
    for name in ("one", "two", "three"):
        run(name)
    frame = agentkit.traces()
    wanted = frame[frame["agent"] != "three"]
    for ax in (wanted.plot_cost(by="agent"), plot_cost(wanted)):
        assert sorted(text.get_text() for text in ax.get_yticklabels()) == ["one", "two"]
    assert len(wanted.plot_tokens().containers[0]) == 4
    assert [text.get_text() for text in wanted.plot_latency().get_yticklabels()] == ["scripted", "add"]
    assert plot_latency(frame).get_title(loc="left").endswith("6 model calls · 3 tool calls")
    assert frame.iloc[:0].plot_cost().texts[0].get_text() == "No model was called."
    with pytest.raises(UserError, match=r"There is no cost by 'colour'"):
        frame.plot_cost("colour")
    with pytest.raises(UserError, match=r"agentkit\.tools\(\)"):
        plot_cost(frame[["agent"]])


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([0, 0.0025, 0.005, 0.0075, 0.01], ["0 ms", "2.5 ms", "5.0 ms", "7.5 ms", "10.0 ms"]),
        ([0.01, 0.02, 0.03], ["10 ms", "20 ms", "30 ms"]),
        ([0, 0.00002, 0.00004], ["0 µs", "20 µs", "40 µs"]),
        ([0.5, 1.0, 1.5], ["0.5 s", "1.0 s", "1.5 s"]),
        ([0, 60, 120], ["0 min", "1 min", "2 min"]),
        ([0.001], ["1 ms"]),
        ([0], ["0 µs"]),
        ([], []),
    ],
)
def test_ticks_of_durations_are_exact_and_in_one_unit(values: list[float], told: list[str]) -> None:
    assert duration_ticks(values) == told


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([0, 0.00008, 0.00016], ["$0", "$0.00008", "$0.00016"]),
        ([0, 0.5, 1.0], ["$0", "$0.50", "$1.00"]),
        ([0, 0.005, 0.01], ["$0", "$0.005", "$0.010"]),
        ([0, 1000, 2000], ["$0", "$1,000", "$2,000"]),
    ],
)
def test_ticks_of_costs_are_exact(values: list[float], told: list[str]) -> None:
    assert dollar_ticks(values) == told


@pytest.mark.parametrize(("most_s", "step"), [(90, None), (150, 30), (600, 120), (7200, 1800), (90_000, 21_600)])
def test_ticks_of_minutes_are_round(most_s: float, step: int | None) -> None:
    assert duration_step_s(most_s) == step


@pytest.mark.parametrize(("value", "told"), [(0.000042, "42 µs"), (0.0000004, "0.4 µs"), (0.0001, "0.1 ms")])
def test_what_took_next_to_no_time_is_told_in_microseconds(value: float, told: str) -> None:
    assert seconds(value) == told


def made(*durations: float, **columns: Any) -> Any:
    trace = MadeTrace()
    for number, duration_s in enumerate(durations):
        trace.add("response", number * 1000.0, duration_s, agent="a", model="m", **columns)
    return trace.open()


@pytest.mark.parametrize("durations", [(0.011, 0.017), (0.00003, 0.00005), (0.001, 0.9), (100.0, 300.0)])
def test_no_two_ticks_of_a_latency_axis_say_the_same(durations: tuple[float, float]) -> None:
    told = labels(made(*durations).plot_latency())
    assert len(set(told)) == len(told) > 1
    assert "0.0 ms" not in told


def test_ticks_of_a_latency_axis_say_where_they_are() -> None:
    ax = made(0.011, 0.0175).plot_latency()
    assert [float(text.removesuffix(" ms")) / 1000 for text in labels(ax)] == pytest.approx(
        [tick for tick in ax.get_xticks() if ax.get_xlim()[0] <= tick <= ax.get_xlim()[1]]
    )


def test_ticks_of_a_cost_axis_have_no_powers_of_ten() -> None:
    told = labels(made(1.0, cost_usd=0.00016).plot_cost())
    assert not any("e-" in text for text in told)
    assert len({len(text) for text in told if text != "$0"}) == 1


def test_a_cost_axis_without_any_price_has_no_numbers() -> None:
    ax = made(1.0).plot_cost()
    assert labels(ax) == []
    assert ax.get_xlabel() == "agentkit.set_price(…) says what a model costs"
    assert labels(made(1.0, cost_usd=0.0).plot_cost()) == ["$0"]


def test_a_call_that_told_no_tokens_has_no_price_in_frames_and_opened_traces_alike() -> None:
    with trace("w") as its:
        with generation_span(model="gpt-4.1", input=[], output=[]):
            pass
        with generation_span(model="gpt-4.1", input=[], output=[], usage={"input_tokens": 10, "output_tokens": 5}):
            pass
    opened = agentkit.open_trace(its)
    assert (opened.cost_usd, opened.unpriced) == (None, 1)
    assert agentkit.traces(its)["cost_usd"].isna().all()
    assert [call.cost_usd is None for call in opened.calls] == [True, False]
