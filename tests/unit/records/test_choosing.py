"""What the frames are asked for, and what joins them: filters are checked, limits count rows, keys are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import agentkit
from agentkit import Agent, Runner, UserError, custom_span, function_tool, trace
from agentkit.records import export_parquet, frames, messages, traces, turns
from agentkit.testing import ScriptedModel, call
from agentkit.tracing import generation_span


@function_tool
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def run(name: str = "adder", question: str = "What is 1 and 2?", model: str = "scripted") -> Any:
    scripted = ScriptedModel().reply(call("add", a=1, b=2), call("add", a=3, b=4)).reply("Three, and seven.")
    scripted.model = model
    return Runner.run_sync(Agent(name=name, instructions="Add.", tools=[add], model=scripted), question)


def contents(**options: Any) -> list[str]:
    return list(agentkit.messages(**options)["content"])


def test_a_limit_of_messages_counts_messages_after_all_filters() -> None:
    run(question="One?")
    last = run(question="Two?")
    assert contents(role="user", limit=1) == ["Two?"]
    assert contents(role="user", limit=2) == contents(role="user") == ["Two?", "One?"]
    assert contents(text="One", limit=1) == ["One?"]  # beyond the newest trace
    every = contents()
    whole = contents(trace_id=last)
    assert contents(limit=3) == whole[-3:]
    assert contents(limit=len(whole) + 1) == [*whole, every[-1]]
    assert contents(limit=0) == []
    assert contents(trace_id=last, limit=2) == whole[-2:]


def test_messages_and_turns_take_the_filters_of_their_model_calls() -> None:
    run("one", model="m-1")
    model = ScriptedModel(RuntimeError("no luck"))
    with pytest.raises(Exception, match="no luck"):
        Runner.run_sync(Agent(name="two", model=model), "Try.")
    assert set(agentkit.messages(model="m-1")["agent"]) == {"one"}
    assert contents(status="error") == contents(error=True) == ["Try."]
    assert "Try." not in contents(error=False)
    assert len(agentkit.turns(status="ok")) == 2
    assert list(agentkit.turns(status="error")["agent"]) == ["two"]
    assert len(agentkit.turns(text="SEVEN")) == 1


def test_tools_join_the_turn_and_the_messages_that_asked_for_them() -> None:
    run()
    run("other")
    tools = agentkit.tools()
    joined = tools.merge(agentkit.turns(), left_on="turn_id", right_on="span_id", suffixes=("", "_of_turn"))
    assert list(joined["turn"]) == [1] * 4
    assert (joined["trace_id"] == joined["trace_id_of_turn"]).all()
    said = agentkit.messages()
    outputs = said[said["type"] == "function_call_output"]
    for trace_id, own in tools.groupby("trace_id"):
        answers = own.merge(outputs[outputs["trace_id"] == trace_id], on="call_id")
        assert list(answers["output"]) == list(answers["content"]) == ["7", "3"]


def test_a_tool_that_nobody_asked_for_has_no_turn() -> None:
    from agentkit import function_span

    with trace("by hand"), function_span("alone", "{}"):
        pass
    assert agentkit.tools()[["call_id", "turn_id"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("frame", "options", "told"),
    [
        ("traces", {"status": "banana"}, "no status 'banana'. There are: ok, error, cancelled, running"),
        ("traces", {"status": "max_turn"}, "Did you mean 'max_turns'"),
        ("calls", {"status": "eror"}, "no status 'eror'. Did you mean 'error'"),
        ("turns", {"status": 3}, "no status 3"),
        ("spans", {"kind": "functoin"}, "no kind 'functoin'. Did you mean 'function'"),
        ("messages", {"role": "asistant"}, "no role 'asistant'. Did you mean 'assistant'"),
        ("traces", {"rating": "meh"}, "no rating 'meh'. There are: up, down"),
        ("traces", {"error": "yes"}, "error is True, False or None, not 'yes'"),
        ("spans", {"error": 1}, "error is True, False or None, not 1"),
        ("tools", {"text": 5}, "text is a text, not int 5"),
        ("messages", {"text": 5}, "text is a text, not int 5"),
        ("tools", {"session": 5}, "session is a session's id, or a session, not int 5"),
        ("calls", {"model": ["m"]}, "model is a text, not list"),
    ],
)
def test_filters_that_choose_nothing_by_mistake_are_told(frame: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as caught:
        getattr(agentkit, frame)(**options)
    assert told in str(caught.value)


def test_kinds_and_statuses_of_the_users_own_are_known_once_there_are_any() -> None:
    with pytest.raises(UserError, match="no status 'postponed'"):
        agentkit.traces(status="postponed")
    with trace("mine") as made, custom_span("step"):
        pass
    assert len(agentkit.spans(kind="custom")) == len(agentkit.traces(status="ok")) == 1
    assert len(agentkit.spans(kind="speech")) == len(agentkit.traces(status="waiting")) == 0
    with trace("later") as made:
        made.status = "postponed"
    assert list(agentkit.traces(status="postponed")["workflow"]) == ["later"]
    with pytest.raises(UserError, match="Did you mean 'postponed'"):
        agentkit.traces(status="postpond")


def test_tokens_written_to_the_cache_are_in_every_frame() -> None:
    usage = {"requests": 1, "input_tokens": 10, "output_tokens": 2, "total_tokens": 12, "cache_write_tokens": 4}
    with trace("cached") as made, generation_span(model="m", usage=usage):
        pass
    for frame in (agentkit.traces(), agentkit.spans(), agentkit.calls(), agentkit.turns()):
        assert list(frame["cache_write_tokens"]) == [4]
        assert list(frame["total_tokens"]) == [12]
    assert agentkit.open_trace(made).cache_write_tokens == 4


@pytest.mark.parametrize("row", [2, -3, "x", None, 1.5, True])
def test_a_row_that_is_none_is_told(row: Any) -> None:
    run()
    run()
    with pytest.raises(UserError, match=r"There is no row|A row is told by its position"):
        agentkit.traces().open(row)
    assert agentkit.traces().open(-1).trace_id == agentkit.traces()["trace_id"].iloc[1]


def test_no_rows_have_none_to_open() -> None:
    with pytest.raises(UserError, match="There is no row 0: the frame has none"):
        agentkit.traces().open()


def test_what_is_exported_of_some_traces_is_what_the_frames_have_of_them(tmp_path: Path) -> None:
    results = [run(name) for name in ("one", "two", "three")]
    chosen = {results[0].trace_id, results[2].trace_id}
    files = agentkit.traces.export_parquet(tmp_path, [results[0], results[2]])
    for name in ("traces", "spans", "calls", "tools", "turns", "messages"):
        frame = pd.DataFrame(getattr(agentkit, name)())
        frame = frame[frame["trace_id"].isin(chosen)].reset_index(drop=True)
        for column in frame.columns[frame.dtypes == "category"]:
            frame[column] = frame[column].cat.remove_unused_categories()
        pd.testing.assert_frame_equal(pd.read_parquet(files[name]), frame)


def test_one_run_is_exported_without_reading_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = [run(name) for name in ("one", "two")]

    def not_read(*args: Any, **options: Any) -> Any:
        raise AssertionError("the whole store was read")

    for module in (frames, messages, traces, turns):
        for name in ("spans", "calls", "tools", "messages", "traces", "turns"):
            if module.__name__.endswith(("frames", name)) and hasattr(module, name):
                monkeypatch.setattr(module, name, not_read)
    files = export_parquet.export_parquet(tmp_path, results[0])
    assert set(pd.read_parquet(files["spans"])["trace_id"]) == {results[0].trace_id}


def test_categories_are_read_back_as_they_are(tmp_path: Path) -> None:
    run()
    files = agentkit.traces.export_parquet(tmp_path)
    for name in ("traces", "spans", "messages"):
        pd.testing.assert_frame_equal(pd.read_parquet(files[name]), pd.DataFrame(getattr(agentkit, name)()))


def test_files_that_cannot_be_are_told(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"export_jsonl needs path\. It takes path, of, \*\*filters"):
        agentkit.traces.export_jsonl()  # type: ignore[call-arg]
    with pytest.raises(UserError) as caught:
        agentkit.traces.export_jsonl(str(tmp_path))
    assert str(caught.value).endswith(f"Name one in it: {str(tmp_path / 'runs.jsonl')!r}.")
    with pytest.raises(UserError, match="The path of the file is empty"):
        agentkit.traces.export_jsonl("")


def test_kinds_by_other_words_are_led_to_their_own() -> None:
    for word, kind in {"tool": "function", "Model": "response", "agnet": "agent"}.items():
        with pytest.raises(UserError, match=f"There is no kind '{word}'. Did you mean '{kind}'"):
            agentkit.spans(kind=word)


def test_messages_are_found_by_what_the_arguments_of_a_call_say() -> None:
    model = ScriptedModel(call("say", text='She said "no".\nÜber'), "Done.")

    @function_tool
    def say(text: str) -> str:
        """Say."""
        return "said"

    Runner.run_sync(Agent(name="a", model=model, tools=[say]), "Go.")
    for wanted in ('said "NO"', ".\nüber", "text"):
        assert (wanted, list(agentkit.messages(text=wanted)["type"])) == (wanted, ["function_call"])
    assert list(agentkit.messages(text="said", role="tool")["content"]) == ["said"]


def test_a_dataframe_is_no_single_trace() -> None:
    run()
    with pytest.raises(UserError, match=r"A dataframe is no single trace\. .*agentkit\.open_trace\(df\.iloc\[0\]\)"):
        agentkit.open_trace(agentkit.traces())
