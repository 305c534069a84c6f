"""What `text=` finds, and what filters take."""

from __future__ import annotations

from typing import Any

import pytest

from agentkit.exceptions import UserError
from agentkit.records.frames import calls, spans
from agentkit.records.messages import messages
from agentkit.records.traces import traces
from agentkit.tracing import custom_span, function_span, generation_span, trace
from agentkit.tracing.filters import SpanFilter, TraceFilter
from agentkit.tracing.reader import read_span_chunks, read_spans, read_traces


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("Grüße aus ZÜRICH", "zürich"),
        ("straße", "STRASSE"),
        ("one\ntwo", "E\nT"),
        ('she said "no"', 'said "No"'),
        ("a\\b", "A\\B"),
        ("tab\tbed", "tab\tbed"),
        ("half an emoji \ud83d in Köln", "KÖLN"),
        ({"city": "Ōsaka"}, "ōsaka"),
        ([{"deep": ["Tōkyō"]}], "TŌKYŌ"),
        ({"order": 4711}, "4711"),
        ("100% of_it", "% OF_"),
    ],
)
def test_a_text_is_found_as_people_read_it(said: Any, wanted: str) -> None:
    with trace("w") as t:
        t.output = said
        with function_span("f", output=said):
            pass
        with function_span("g", output="something else"):
            pass
    assert list(spans(text=wanted)["name"]) == ["f"]
    assert len(traces(text=wanted)) == 1


@pytest.mark.parametrize("wanted", ["city", "\\n", "\\u", '"', '":"', "nb"])
def test_names_and_escapes_of_json_are_not_found(wanted: str) -> None:
    with trace("w") as t:
        t.output = {"city": "a\nb"}
        with function_span("f", input={"city": "a\nb"}, output="a\nb\x01 \ud83d"):
            pass
    assert len(spans(text=wanted)) == 0
    assert len(traces(text=wanted)) == 0


def test_model_calls_are_found_by_what_messages_shows() -> None:
    asked = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Weißt du es?"}]}]
    answered = [{"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "content": "Nein."}]
    with trace("w"), generation_span(input=asked, output=answered, model="m"):
        pass
    for wanted, count in {"WEISST": 1, "nein": 1, "user": 0, "message": 0, "input_text": 0, "completed": 0}.items():
        assert (len(calls(text=wanted)), len(messages(text=wanted))) == (count, count)


def test_what_json_in_a_text_says_is_found() -> None:
    arguments = '{"city": "K\\u00f6ln \\"Mitte\\"", "notes": ["a\\nb"], "of": "{\\"deep\\": \\"x\\\\ty\\"}"}'
    item = {"type": "function_call", "name": "look", "call_id": "call_1", "arguments": arguments}
    with trace("w"):
        with generation_span(input=[], output=[item], model="m"):
            pass
        with function_span("look", input=arguments, output="{broken"):
            pass
    for wanted, count in {'KÖLN "mitte"': 2, "a\nb": 2, "x\ty": 2, "city": 2, "{BROKEN": 1, "call_1": 0}.items():
        assert (wanted, len(spans(text=wanted))) == (wanted, count)


WRONG: list[tuple[Any, dict[str, Any], str]] = [
    (spans, {"kind": ["a"]}, r"kind is a text, not \['a'\]"),
    (spans, {"session": ["a"]}, r"session is a text, not \['a'\]"),
    (spans, {"model": object}, "model is a text, not <class 'object'>"),
    (spans, {"text": 5}, "text is a text, not 5"),
    (spans, {"name": 5}, "name is a text, not 5"),
    (spans, {"error": "yes"}, "error is True, False or None, not 'yes'"),
    (traces, {"status": ["ok"]}, r"status is a text, not \['ok'\]"),
    (traces, {"group": 1}, "group is a text, not 1"),
    (traces, {"rating": ["up"]}, r"rating is a text, not \['up'\]"),
    (traces, {"text": 5}, "text is a text, not 5"),
    (traces, {"text": "\ud83d"}, "text is .* only half there"),
    (calls, {"status": 1}, "status is a text, not 1"),
]


def told(use: Any, given: dict[str, Any]) -> str:
    with pytest.raises(UserError) as refused:
        use(**given)
    return str(refused.value)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (TraceFilter(status=["ok"]), r"status is a text, not \['ok'\].*isin"),  # type: ignore[arg-type]
        (TraceFilter(text=5), "text is a text, not 5"),  # type: ignore[arg-type]
        (TraceFilter(group="\ud83d"), "group is .* only half there"),
        (TraceFilter(error="yes"), "error is True, False or None, not 'yes'"),  # type: ignore[arg-type]
        (SpanFilter(kinds=(["a"],)), r"kind is a text, not \['a'\]"),  # type: ignore[arg-type]
        (SpanFilter(session=["a"]), r"session is a text, not \['a'\]"),  # type: ignore[arg-type]
        (SpanFilter(model=object), "model is a text, not <class 'object'>"),  # type: ignore[arg-type]
        (SpanFilter(name=5), "name is a text, not 5"),  # type: ignore[arg-type]
    ],
)
@pytest.mark.parametrize("is_there", [True, False])
def test_a_value_that_is_no_text_is_told_by_its_name_whether_there_is_a_store_or_not(
    wanted: TraceFilter | SpanFilter, message: str, is_there: bool
) -> None:
    if is_there:
        with trace("w"), custom_span("c"):
            pass
        assert len(traces()) == 1
    with pytest.raises(UserError, match=message):
        wanted.sql()
    with pytest.raises(UserError, match=message):
        if isinstance(wanted, TraceFilter):
            read_traces(wanted, None)
        else:
            read_spans(wanted=wanted)
    if isinstance(wanted, SpanFilter):
        with pytest.raises(UserError, match=message):
            list(read_span_chunks(None, wanted, None))


@pytest.mark.parametrize(("read", "given", "message"), WRONG)
def test_a_wrong_value_never_tells_to_move_a_healthy_store_away(read: Any, given: dict[str, Any], message: str) -> None:
    with trace("w"), custom_span("c"):
        pass
    said = told(read, given)
    assert next(iter(given)) in said
    assert "damaged" not in said
    assert "move it away" not in said
