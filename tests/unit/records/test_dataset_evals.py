"""`traces().to_dataset("evals")`: what was asked, with what is known of good and bad answers."""

from __future__ import annotations

from typing import Any

from agentkit import Agent, Runner, SQLiteSession, function_tool
from agentkit.records.traces import traces
from agentkit.testing import ScriptedModel, call
from agentkit.tracing.feedback import rate


@function_tool
def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sunny in {city}"


def run(asked: Any, rating: Any, *replies: Any, remark: str = "", session: Any = None, **options: Any) -> Any:
    options = {"name": "guide", "instructions": "Be brief.", **options}
    result = Runner.run_sync(Agent(model=ScriptedModel(*replies), **options), asked, session=session)
    if rating is not None:
        rate(result, rating, remark)
    return result


def test_a_liked_answer_is_expected() -> None:
    result = run("When?", "up", "In June.", remark="Right.")
    dataset = traces().to_dataset("evals")
    assert dataset.examples == [
        {
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "When?"}],
            "input": "When?",
            "expected": "In June.",
            "rejected": None,
            "tool_calls": [],
            "agent": "guide",
            "answered_by": "guide",
            "remark": "Right.",
            "trace_id": result.trace_id,
        }
    ]
    assert len(dataset.validate()) == 0


def test_a_disliked_answer_is_rejected() -> None:
    run("When?", "down", "No idea.", remark="In June!")
    (case,) = traces().to_dataset("evals", rating="down")
    assert (case["expected"], case["rejected"], case["remark"]) == (None, "No idea.", "In June!")


def test_what_is_known_of_one_prompt_is_one_case() -> None:
    run("When?", "up", "In June.")
    bad = run("When?", "down", "No idea.", remark="Guess.")
    unrated = run("When?", None, "In May.")
    run("Where?", None, "Here.")
    dataset = traces().to_dataset("evals", rating=None)
    told = [[case[key] for key in ("input", "expected", "rejected", "remark")] for case in dataset]
    assert told == [["Where?", "Here.", None, None], ["When?", "In June.", "No idea.", "Guess."]]
    assert list(dataset.skipped["reason"]) == ["duplicate"]
    assert list(dataset.skipped["trace_id"]) == [unrated.trace_id]
    assert dataset.frame["other_trace_id"].iloc[1] == bad.trace_id
    assert len(traces().to_dataset("evals", rating=None, dedupe=False)) == 4


def test_a_liked_answer_is_expected_rather_than_one_without_a_rating() -> None:
    run("When?", "up", "In June.")
    run("When?", None, "In May.")
    (case,) = traces().to_dataset("evals", rating=None)
    assert case["expected"] == "In June."


def test_a_case_is_a_whole_run_that_can_be_run_again() -> None:
    session = SQLiteSession("s")
    run("Hi", "up", "Hello.", session=session)
    model = ScriptedModel(call("get_weather", city="Rome"), call("transfer_to_second"), "Sunny.")
    second = Agent(name="second", model=model)
    first = Agent(name="first", instructions="Help.", tools=[get_weather], handoffs=[second], model=model)
    rate(Runner.run_sync(first, "Rome?", session=session), "up")

    case = traces().to_dataset("evals")[0]

    assert [message["content"] for message in case["messages"]] == ["Help.", "Hi", "Hello.", "Rome?"]
    assert case["tool_calls"] == [
        {"name": "get_weather", "arguments": {"city": "Rome"}},
        {"name": "transfer_to_second", "arguments": {}},
    ]
    assert [case["expected"], case["agent"], case["answered_by"]] == ["Sunny.", "first", "second"]
    again = ScriptedModel("Cloudy.")
    result = Runner.run_sync(Agent(name="first", model=again), case["input"])
    assert result.final_output == "Cloudy."
    assert [item["role"] for item in again.requests[0].input] == ["user", "assistant", "user"]


def test_calls_of_agents_used_as_tools_are_not_the_runs_own() -> None:
    inner = Agent(name="inner", model=ScriptedModel(call("get_weather", city="Rome"), "Sunny."), tools=[get_weather])
    run("Rome?", "up", call("ask", input="Rome?"), "Sun.", tools=[inner.as_tool("ask", "Ask.")])
    (case,) = traces().to_dataset("evals")
    assert case["tool_calls"] == [{"name": "ask", "arguments": {"input": "Rome?"}}]


def test_a_tools_output_may_be_the_answer() -> None:
    run("Rome?", "up", call("get_weather", city="Rome"), tools=[get_weather], tool_use_behavior="stop_on_first_tool")
    assert traces().to_dataset("evals")[0]["expected"] == "sunny in Rome"


def test_what_is_private_is_taken_out_of_all_texts() -> None:
    given = [
        {"role": "user", "content": [{"type": "input_text", "text": "I am Ada"}]},
        {"type": "function_call", "call_id": "c", "name": "get_weather", "arguments": '{"city": "Ada"}'},
        {"type": "function_call_output", "call_id": "c", "output": "Ada"},
    ]
    run(given, "up", call("get_weather", city="Ada"), "Hello Ada.", remark="To Ada", tools=[get_weather])
    (case,) = traces().to_dataset("evals", scrub=lambda text: text.replace("Ada", "…"))
    assert "Ada" not in str(case)
    assert case["input"][1]["arguments"] == '{"city":"…"}'
