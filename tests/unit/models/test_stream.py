import pytest

from agentkit.models.stream import RawResponsesStreamEvent, ServerSentEvents

CASES = [
    (b"event: a\ndata: 1\n\n", [(b"a", b"1")]),
    (b"data: 1\n\ndata: 2\n\n", [(b"", b"1"), (b"", b"2")]),
    (b"event:a\ndata:1\n\n", [(b"a", b"1")]),
    (b"data: one\ndata: two\n\n", [(b"", b"one\ntwo")]),
    (b": a comment\n\ndata: 1\n\n", [(b"", b"1")]),
    (b"id: 7\nevent: a\nretry: 5\ndata: 1\n\n", [(b"a", b"1")]),
    (b"event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", [(b"a", b"1"), (b"", b"2")]),
    (b"\n\n\ndata: 1\n\n", [(b"", b"1")]),
    (b"event: a\n\n", []),
    (b"data: the end", [(b"", b"the end")]),
    ("data: wörd\n\n".encode(), [(b"", "wörd".encode())]),
]


@pytest.mark.parametrize(("data", "events"), CASES)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_events_are_the_same_however_the_bytes_are_cut(
    data: bytes, events: list[tuple[bytes, bytes]], size: int
) -> None:
    cutter = ServerSentEvents()
    got = [event for i in range(0, len(data), size) for event in cutter.feed(data[i : i + size])]
    assert got + cutter.end() == events


def test_an_event_is_parsed_only_when_looked_at() -> None:
    event = RawResponsesStreamEvent.from_bytes(b"{broken", "response.output_text.delta")
    assert event.wire_type == "response.output_text.delta"
    with pytest.raises(ValueError, match=r"Expecting|expected"):
        _ = event.json


def test_an_event_can_be_made_from_an_openai_object() -> None:
    from openai.types.responses import ResponseTextDeltaEvent

    data = ResponseTextDeltaEvent.construct(type="response.output_text.delta", delta="x", item_id="m")
    event = RawResponsesStreamEvent(data)
    assert event.data is data
    assert event.json == {"type": "response.output_text.delta", "delta": "x", "item_id": "m"}
