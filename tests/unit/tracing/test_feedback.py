"""Ratings of answers, kept beside the traces."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from agentkit import Agent, AgentOutputSchema, RunConfig, Runner, UserError
from agentkit._sqlite import migrate
from agentkit.records.frames import spans
from agentkit.records.traces import traces
from agentkit.testing import ScriptedModel
from agentkit.tracing import store_path
from agentkit.tracing.database import MIGRATIONS, SCHEMA_VERSION, Database
from agentkit.tracing.feedback import add_feedback, feedback, rate, remove_feedback

DTYPES = {
    "trace_id": "string",
    "rating": "category",
    "remark": "string",
    "question": "string",
    "answer": "string",
    "agent": "string",
    "model": "string",
    "session_id": "string",
    "created_at": "datetime64[us, UTC]",
}


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(dtype) for name, dtype in frame.dtypes.items()}


def rows(**wanted: Any) -> list[dict[str, Any]]:
    frame = feedback(**wanted).drop(columns="created_at")
    return [
        {name: value for name, value in row.items() if not pd.isna(value)} for row in frame.to_dict(orient="records")
    ]


def agent(*answers: Any, **options: Any) -> Agent[Any]:
    return Agent(name="Guide", model=ScriptedModel(*answers), **options)


def test_without_any_rating_the_frame_is_empty_and_typed(home: Path) -> None:
    frame = feedback()
    assert (dtypes(frame), len(frame), home.exists()) == (DTYPES, 0, False)
    assert list(frame["rating"].cat.categories) == ["up", "down"]


def test_a_rating_has_all_that_was_given_and_the_time() -> None:
    before = datetime.now(UTC)
    add_feedback(
        "trace_1",
        "down",
        remark="Too long",
        question="Why?",
        answer="Because …",
        agent="Guide",
        model="small",
        session_id="chat-1",
    )
    frame = feedback()
    assert dtypes(frame) == DTYPES
    assert list(frame["rating"].cat.categories) == ["up", "down"]
    assert rows() == [
        {
            "trace_id": "trace_1",
            "rating": "down",
            "remark": "Too long",
            "question": "Why?",
            "answer": "Because …",
            "agent": "Guide",
            "model": "small",
            "session_id": "chat-1",
        }
    ]
    assert before - timedelta(milliseconds=1) <= frame["created_at"][0] <= datetime.now(UTC)


def test_a_later_rating_replaces_the_earlier_one_and_one_can_be_taken_back() -> None:
    add_feedback("trace_1", "down", remark="Wrong")
    add_feedback("trace_2", "up")
    add_feedback("trace_1", "up")
    assert rows() == [{"trace_id": "trace_1", "rating": "up"}, {"trace_id": "trace_2", "rating": "up"}]
    remove_feedback("trace_1")
    remove_feedback("trace_3")
    assert rows() == [{"trace_id": "trace_2", "rating": "up"}]


def test_taking_back_where_there_is_no_file_makes_none(home: Path) -> None:
    remove_feedback("trace_1")
    assert not home.exists()


def test_ratings_are_filtered_and_the_newest_comes_first() -> None:
    for number, (name, rating) in enumerate([("a", "up"), ("b", "down"), ("a", "down"), ("b", "up")]):
        add_feedback(f"trace_{number}", rating, agent=name)  # type: ignore[arg-type]

    def numbers(**wanted: Any) -> list[str]:
        return [row["trace_id"][-1] for row in rows(**wanted)]

    assert numbers() == ["3", "2", "1", "0"]
    assert numbers(limit=2) == ["3", "2"]
    assert numbers(agent="a") == ["2", "0"]
    assert numbers(agent=Agent(name="b"), rating="down") == ["1"]
    assert numbers(since="1h") == ["3", "2", "1", "0"]
    assert numbers(since=datetime.now(UTC) + timedelta(hours=1)) == []
    assert numbers(since=feedback()["created_at"][1].to_pydatetime()) == ["3", "2"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"rating": "good"}, "No answer is rated 'good'."),
        ({"agent": 3}, "agent is the name of an agent or an agent, not 3."),
        ({"since": "soon"}, "since is a time or how long ago, not 'soon'."),
        ({"limit": -1}, "limit is a number of rows, 0 or more, not -1."),
    ],
)
def test_a_filter_that_makes_no_sense_is_an_error(wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        feedback(**wanted)


def test_a_rating_that_there_is_not_is_an_error() -> None:
    with pytest.raises(UserError, match="An answer is rated 'great'"):
        add_feedback("trace_1", "great")  # type: ignore[arg-type]
    assert rows() == []


def test_keys_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "very-secret-value")
    add_feedback("trace_1", "up", remark="my very-secret-value", answer="sk-proj-1234567890abcdefghij")
    assert rows() == [
        {"trace_id": "trace_1", "rating": "up", "remark": "my [redacted]", "answer": "sk-[redacted]"},
    ]


def test_half_an_emoji_can_be_kept() -> None:
    add_feedback("trace_1", "up", remark="\ud83d half")
    assert rows()[0]["remark"] == "\\ud83d half"


async def test_rating_a_result_keeps_what_was_asked_and_answered() -> None:
    result = await Runner.run(agent("In June."), "When is the best time?")
    rate(result, "up", "Short and right")
    assert rows() == [
        {
            "trace_id": result.trace_id,
            "rating": "up",
            "remark": "Short and right",
            "question": "When is the best time?",
            "answer": "In June.",
            "agent": "Guide",
            "model": "scripted",
        }
    ]


async def test_rating_a_traces_id_finds_the_same_in_the_store() -> None:
    result = await Runner.run(agent("In June."), "When is the best time?")
    assert result.trace_id is not None
    rate(result, "up")
    of_result = rows()
    remove_feedback(result.trace_id)
    rate(result.trace_id[:14], "up")  # the beginning of an id will do
    assert rows() == of_result
    assert list(feedback()["trace_id"]) == list(traces()["trace_id"])


async def test_whatever_can_be_rated_can_have_its_rating_taken_back() -> None:
    import agentkit

    for way in (lambda run: run, lambda run: run.trace_id, lambda run: run.trace_id[:14], opened):
        result = await Runner.run(agent("In June."), "When is the best time?")
        agentkit.flush_traces()
        rate(opened(result), "up", remark="Short")
        assert [(row["trace_id"], row["question"], row["answer"]) for row in rows()] == [
            (result.trace_id, "When is the best time?", "In June.")
        ]
        remove_feedback(way(result))
        assert rows() == []


def opened(result: Any) -> Any:
    import agentkit

    return agentkit.open_trace(result.trace_id)


@pytest.mark.parametrize("given", [None, 7, object, "", "two words"])
def test_what_is_no_answer_has_no_rating_to_take_back(given: Any) -> None:
    with pytest.raises(UserError, match=r"What is rated is an answer.*agentkit\.remove_feedback\(agentkit\.last_run"):
        remove_feedback(given)


async def test_the_beginning_of_several_rated_answers_is_refused() -> None:
    add_feedback("trace_1", "up")
    add_feedback("trace_2", "up")
    with pytest.raises(UserError, match="2 rated answers begin with 'trace_'"):
        remove_feedback("trace_")
    remove_feedback("trace_1")
    assert [row["trace_id"] for row in rows()] == ["trace_2"]


async def test_a_remark_that_is_no_text_is_refused() -> None:
    with pytest.raises(UserError, match="A remark is a text, not 3."):
        rate(await Runner.run(agent("In June."), "When?"), "up", remark=3)  # type: ignore[arg-type]
    assert rows() == []


async def test_the_list_of_traces_says_how_they_were_rated() -> None:
    good, bad, _ = [await Runner.run(agent("In June."), "When is the best time?") for _ in range(3)]
    rate(good, "up")
    rate(bad, "down", remark="In May")
    found = traces().set_index("trace_id")[["rating", "remark"]].fillna({"remark": "none"})
    assert [tuple(found.loc[run.trace_id]) for run in (good, bad)] == [("up", "none"), ("down", "In May")]
    assert found["rating"].notna().sum() == 2


async def test_of_a_conversation_the_last_message_is_the_question() -> None:
    picture = {"type": "input_image", "image_url": "data:,"}
    items: list[Any] = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi!"},
        {"role": "user", "content": [{"type": "input_text", "text": "What is this?"}, picture]},
    ]
    result = await Runner.run(
        agent('{"response": {"kind": "cat"}}', output_type=AgentOutputSchema(dict[str, str], strict_json_schema=False)),
        items,
    )
    rate(result, "down")
    assert (rows()[0]["question"], rows()[0]["answer"]) == ("What is this?\n[input_image]", '{"kind":"cat"}')


async def test_a_conversations_id_is_kept() -> None:
    from agentkit import SQLiteSession

    result = await Runner.run(agent("Yes."), "Is it?", session=SQLiteSession("trip"))
    rate(result, "up")
    assert rows()[0]["session_id"] == "trip"


async def test_a_run_without_a_trace_can_not_be_rated() -> None:
    result = await Runner.run(agent("Yes."), "Is it?", run_config=RunConfig(tracing_disabled=True))
    with pytest.raises(UserError, match="That run left no trace"):
        rate(result, "up")


@pytest.mark.parametrize("given", [None, 7, object])
def test_only_results_and_ids_can_be_rated(given: Any) -> None:
    with pytest.raises(UserError, match="What is rated is an answer, not "):
        rate(given, "up")


def test_an_unknown_trace_can_not_be_rated() -> None:
    with pytest.raises(UserError, match="No trace 'trace_unknown'"):
        rate("trace_unknown", "up")


def test_a_file_of_an_earlier_agentkit_is_brought_up_to_date() -> None:
    store_path().parent.mkdir(parents=True)
    connection = sqlite3.connect(store_path())
    migrate(connection, MIGRATIONS[:1])
    connection.execute(
        "INSERT INTO traces VALUES (1, 'trace_older', 'before', NULL, 'ok', 1, 2, 'A', 'A', 'm',"
        " 1, 0, 0, 1, 10, 2, 12, 0, 0, NULL, '\"Hi\"', '\"Hello\"', NULL)"
    )
    connection.executemany(
        "INSERT INTO spans VALUES (?, 'trace_older', ?, ?, ?, ?, ?, 'ok', 1, 2, NULL, ?, ?, ?, ?, ?, ?, ?,"
        " NULL, NULL, NULL, NULL)",
        [
            (1, "span_0", None, 0, "agent", "A", None, None, None, None, None, None, None),
            (2, "span_1", "span_0", 1, "response", None, "m", 1, 10, 2, 12, 0, 0),
        ],
    )
    connection.commit()
    connection.close()
    assert rows() == []  # reading alone does it
    add_feedback("trace_1", "up")
    assert (len(rows()), list(traces()["workflow"])) == (1, ["before"])
    assert [list(spans("trace_older")[name]) for name in ("agent", "kind")] == [["A", "A"], ["agent", "response"]]


def test_a_file_of_a_later_agentkit_is_left_alone() -> None:
    Database(store_path()).close()
    connection = sqlite3.connect(store_path())
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(UserError, match="a newer agentkit wrote"):
        add_feedback("trace_1", "up")


def test_a_file_that_can_not_be_written_is_told() -> None:
    store_path().mkdir(parents=True)
    with pytest.raises(UserError, match="The rating isn't kept") as caught:
        add_feedback("trace_1", "up")
    assert "set AGENTKIT_HOME to a folder that can be written" in str(caught.value)


KILLED = """
import os, signal
from agentkit.tracing.feedback import add_feedback
add_feedback("trace_1", "down", remark="kept")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_rating_outlives_a_kernel_that_is_killed_at_once() -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED], env=os.environ, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert rows() == [{"trace_id": "trace_1", "rating": "down", "remark": "kept"}]


@pytest.mark.parametrize(("given", "said"), [("", "is empty"), ("It was good.", "'It was good.' is no trace_id")])
def test_a_text_that_is_no_id_is_told_apart_from_an_unknown_trace(given: str, said: str) -> None:
    with pytest.raises(UserError) as raised:
        rate(given, "up")
    assert str(raised.value) == (
        f"What is rated is an answer, by its trace; {said}. Pass a run's result, a chat or a trace_id: "
        'agentkit.rate(agentkit.last_run(), "up").'
    )
