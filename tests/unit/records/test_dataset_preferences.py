"""`traces().to_dataset("preferences")`: a liked and a disliked answer to one prompt."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from agentkit import Agent, Runner, UserError, function_tool
from agentkit.records.traces import traces
from agentkit.testing import ScriptedModel, call
from agentkit.tracing.feedback import rate

temperatures = itertools.count(20)


@function_tool
def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sunny in {city}"


@function_tool
def measure() -> str:
    """Return another value each time."""
    return str(next(temperatures))


def run(asked: Any, rating: Any, *replies: Any, **options: Any) -> Any:
    options = {"name": "guide", "instructions": "Be brief.", **options}
    result = Runner.run_sync(Agent(model=ScriptedModel(*replies), **options), asked)
    if rating is not None:
        rate(result, rating)
    return result


def said(content: str) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def reasons() -> list[str]:
    return list(traces().to_dataset("preferences").skipped["reason"])


def test_answers_to_one_prompt_are_a_pair() -> None:
    bad = run("When?", "down", "No idea.")
    good = run("When?", "up", "In June.")
    dataset = traces().to_dataset("preferences")
    assert dataset.examples == [
        {
            "input": {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "When?"}]},
            "preferred_output": [said("In June.")],
            "non_preferred_output": [said("No idea.")],
        }
    ]
    columns = ["trace_id", "other_trace_id", "agent", "rating", "reason", "messages", "tokens"]
    tokens = good.usage.total_tokens + bad.usage.total_tokens
    assert dataset.frame[columns].values.tolist() == [
        [good.trace_id, bad.trace_id, "guide", "up", "rated up", 3, tokens]
    ]
    assert list(dataset.validate()["problem"]) == ["1 example"]
    assert repr(dataset).splitlines()[0] == "Dataset for preference pairs: 1 example of guide, from 2 traces"


def test_what_has_no_counterpart_is_left_out() -> None:
    run("When?", "up", "In June.")
    run("Where?", "down", "No idea.")
    run("When?", "down", "No idea.", instructions="Be long.")
    run("When?", None, "Hm.")
    assert reasons() == ["not rated", "no counterpart", "no counterpart", "no counterpart"]
    assert set(traces().to_dataset("preferences").skipped["detail"].dropna()) == {
        "No answer to the same prompt was rated down.",
        "No answer to the same prompt was rated up.",
    }


def test_each_answer_is_in_a_pair() -> None:
    for number in range(3):
        run("When?", "up", f"good {number}")
    for number in range(2):
        run("When?", "down", f"bad {number}")
    pairs = [
        (pair["preferred_output"][0]["content"], pair["non_preferred_output"][0]["content"])
        for pair in traces().to_dataset("preferences")
    ]
    assert pairs == [("good 2", "bad 1"), ("good 1", "bad 0"), ("good 0", "bad 1")]


def test_the_same_pair_is_in_it_once() -> None:
    for _ in range(2):
        run("When?", "up", "In June.")
        run("When?", "down", "No idea.")
    assert (len(traces().to_dataset("preferences")), reasons()) == (1, ["duplicate"])


def test_the_same_answer_liked_and_disliked_is_no_pair() -> None:
    run("When?", "up", "In June.")
    run("When?", "down", "In June.")
    assert reasons() == ["same answer"] * 2


def test_tools_that_were_used_alike_are_part_of_the_prompt() -> None:
    weather = call("get_weather", city="Rome")
    run("Rome?", "up", weather, "Sunny.", tools=[get_weather])
    run("Rome?", "down", weather, "It rains.", tools=[get_weather])
    dataset = traces().to_dataset("preferences")
    (pair,) = dataset
    assert [message["role"] for message in pair["input"]["messages"]] == ["system", "user", "assistant", "tool"]
    assert [tool["function"]["name"] for tool in pair["input"]["tools"]] == ["get_weather"]
    assert (pair["preferred_output"], pair["non_preferred_output"]) == ([said("Sunny.")], [said("It rains.")])
    assert list(dataset.validate()["problem"]) == ["1 example"]


def test_runs_that_took_other_ways_are_no_pairs() -> None:
    run("Rome?", "up", call("get_weather", city="Rome"), "Sunny.", tools=[get_weather])
    run("Rome?", "down", call("get_weather", city="Oslo"), "Sunny.", tools=[get_weather])
    run("How warm?", "up", call("measure"), "Warm.", tools=[measure])
    run("How warm?", "down", call("measure"), "Cold.", tools=[measure])
    assert reasons() == ["other tool results"] * 2 + ["other tool calls"] * 2


def test_pairs_are_of_texts() -> None:
    picture = {"type": "input_image", "image_url": "https://a.test/b.png"}
    asked = [{"role": "user", "content": [{"type": "input_text", "text": "What?"}, picture]}]
    run(asked, "up", "A dot.")
    run(asked, "down", "A line.")
    assert reasons() == ["images"] * 2


def test_a_rating_makes_no_sense_for_pairs() -> None:
    with pytest.raises(UserError, match="Preference pairs need answers rated up and such rated down"):
        traces().to_dataset("preferences", rating="down")
