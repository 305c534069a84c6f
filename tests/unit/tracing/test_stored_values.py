from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

from agentkit.records.frames import spans
from agentkit.records.traces import traces
from agentkit.tracing import (
    SpanData,
    agent_span,
    custom_span,
    flush_traces,
    function_span,
    generation_span,
    response_span,
    store_path,
    trace,
)
from agentkit.tracing.create import make_span
from agentkit.tracing.redaction import Redactor

KEY = "sk-proj-Ab12_cdEF-3456789012345678901234567890"


class City(BaseModel):
    name: str


@dataclass
class Point:
    x: int


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def circular() -> list[Any]:
    values: list[Any] = []
    values.append(values)
    return values


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", ""),
        ("line\nnext", "line\nnext"),
        ('{"a": 1}', '{"a": 1}'),
        (True, "true"),
        (0, "0"),
        (float("nan"), "null"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        (City(name="Ōsaka"), '{"name":"Ōsaka"}'),
        (Point(1), '{"x":1}'),
        ("half an emoji: \ud83d", "half an emoji: \ud83d"),
        ({"f": len}, '{"f":"<built-in function len>"}'),
        ([1, "x" * 3 and {"o": Unprintable()}], '[1,{"o":"<Unprintable whose repr raises RuntimeError>"}]'),
        (circular(), "[[...]]"),
    ],
)
def test_any_value_is_stored_and_read_back(value: Any, shown: str) -> None:
    with trace("w") as t:
        t.output = value
        with function_span("f", output=value):
            pass
    assert traces()["output"][0].encode("utf-8", "surrogatepass") == shown.encode("utf-8", "surrogatepass")
    assert spans()["output"][0].encode("utf-8", "surrogatepass") == shown.encode("utf-8", "surrogatepass")


def test_the_repr_of_what_has_no_json_form_is_cut() -> None:
    class Long:
        def __repr__(self) -> str:
            return "z" * 1_000_000

    with trace("w"), function_span("f", output=Long()):
        pass
    assert spans()["output"][0] == "z" * 2000 + "… (1,000,000 characters)"


def test_names_that_sqlite_refuses_are_stored_in_another_form() -> None:
    with trace("w \udc00", group_id=5), agent_span("a \udc00"), generation_span(model="m \udc00"):  # type: ignore[arg-type]
        pass
    row = traces().iloc[0]
    assert (row["workflow"], row["agent"], row["model"], row["group_id"]) == (
        "w \\udc00",
        "a \\udc00",
        "m \\udc00",
        "5",
    )


class Search(SpanData):
    """A kind of a user's own."""

    type = "search"

    def __init__(self, hits: Any) -> None:
        self.hits = hits

    def export(self) -> dict[str, Any]:
        return {"type": self.type, "name": "find", "input": "q", "hits": self.hits + 1}


def test_a_kind_of_ones_own_is_stored_by_its_export_and_a_broken_one_costs_only_itself(caplog) -> None:
    with trace("w") as t:
        for hits in (2, "not a number"):
            make_span(Search(hits), None, t, False).start()
        with custom_span("c"):
            pass
    frame = spans()
    assert list(zip(frame["kind"], frame["name"], frame["data"].fillna("-"), strict=True)) == [
        ("search", "find", '{"hits":3}'),
        ("custom", "c", "-"),
    ]
    assert [record.getMessage().split(": ")[1].split(" (")[0] for record in caplog.records] == [
        "some spans can't be turned into rows, and aren't kept"
    ]


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"input_tokens": 3, "output_tokens": 4}, (1, 3, 4, 7)),
        ({"requests": 2, "input_tokens": 3, "output_tokens": 4, "total_tokens": 9}, (2, 3, 4, 9)),
        ({"input_tokens": "many", "output_tokens": None}, (1, 0, 0, 0)),
        ({}, (1, 0, 0, 0)),
        (None, (0, 0, 0, 0)),
    ],
)
def test_usage_of_any_shape_is_counted_as_far_as_it_goes(usage: Any, counts: tuple[int, ...]) -> None:
    with trace("w"), generation_span(usage=usage):
        pass
    row = traces().iloc[0]
    assert (row["requests"], row["input_tokens"], row["output_tokens"], row["total_tokens"]) == counts


def test_a_response_of_the_client_tells_model_usage_and_output() -> None:
    class Response(BaseModel):
        id: str = "resp_1"
        model: str = "gpt"
        usage: dict[str, Any]
        output: list[dict[str, Any]]

    answer = Response(
        model="gpt",
        usage={"input_tokens": 8, "output_tokens": 2, "total_tokens": 10, "input_tokens_details": {"cached_tokens": 5}},
        output=[{"type": "message"}],
    )
    with trace("w"), response_span(answer):
        pass
    row = spans().iloc[0]
    assert (row["model"], row["input_tokens"], row["output"], row["data"]) == (
        "gpt",
        8,
        '[{"type":"message"}]',
        '{"response_id":"resp_1"}',
    )
    with sqlite3.connect(store_path()) as connection:
        assert connection.execute("SELECT cached_tokens FROM traces").fetchall() == [(5,)]
    connection.close()


def stored_bytes() -> bytes:
    """Everything in the store's folder."""
    flush_traces()
    return b"".join(path.read_bytes() for path in store_path().parent.iterdir())


def record_everywhere(secret: str) -> None:
    with pytest.raises(ValueError, match="key"), trace(f"w {secret}", metadata={"k": secret}) as t:
        t.input, t.output = f"my key is {secret}", [secret]
        with agent_span(f"a {secret}"), function_span("f", f'{{"key":"{secret}"}}', {"out": f"\n{secret}\n"}) as span:
            span.set_error({"message": secret, "data": {"why": secret}})
        with generation_span([{"content": secret}], [{"content": f"at\t{secret}."}], model_config={"key": secret}):
            pass
        raise ValueError(f"bad key {secret}")


def test_api_keys_are_nowhere_in_the_store() -> None:
    record_everywhere(KEY)
    stored = stored_bytes()
    assert KEY.encode() not in stored
    assert stored.count(b"sk-[redacted]") >= 10
    assert traces()["error"][0] == "ValueError: bad key sk-[redacted]"


def test_keys_of_the_environment_are_nowhere_in_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "topsecretvalue")
    monkeypatch.setenv("GROQ_API_KEY", "topsecretvalue-longer")
    record_everywhere("topsecretvalue")
    record_everywhere("topsecretvalue-longer")
    assert b"topsecret" not in stored_bytes()
    assert traces()["input"][0] == "my key is [redacted]"


@pytest.mark.parametrize(
    "text",
    [
        "task-1234567890abcdefghij",
        "sk-learn-contrib-project-names",
        "sk-…",
        "risk-20261121-assessment-of-q3",
        "an embedded server",
    ],
)
def test_what_only_looks_like_a_key_is_left_alone(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "embedded")
    assert Redactor().clean(text) == text


@pytest.mark.parametrize("before", ["", " ", '"', "\\n", "\\t", "\\u0000", "=", ":", "Bearer "])
def test_a_key_is_found_after_whatever_json_puts_before_it(before: str) -> None:
    assert Redactor().clean(f"{before}{KEY}.") == f"{before}sk-[redacted]."
