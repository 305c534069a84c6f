"""The events of a streamed response."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from agentkit.local.engines.base import FunctionCall, TextDelta

TOOL = {
    "type": "function",
    "name": "add",
    "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
    "strict": False,
}


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


async def test_text_comes_in_the_documented_order(engine: Any, wire_events: Any) -> None:
    engine.will_say("Hello there, friend!")
    events = await wire_events()
    assert kinds(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(11))


async def test_deltas_add_up_to_the_text_everywhere(engine: Any, wire_events: Any) -> None:
    engine.will_say("Hello there, friend!")
    all_events = await wire_events()
    events = {event["type"]: event for event in all_events}
    deltas = [event["delta"] for event in all_events if event["type"] == "response.output_text.delta"]
    assert deltas == ["Hello", " there,", " friend!"]
    part = {"type": "output_text", "text": "Hello there, friend!", "annotations": [], "logprobs": []}
    assert events["response.output_text.done"]["text"] == part["text"]
    assert events["response.content_part.done"]["part"] == part
    item = events["response.output_item.done"]["item"]
    assert item == {
        "id": item["id"],
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [part],
    }
    assert events["response.completed"]["response"]["output"] == [item]


async def test_the_first_events_show_an_empty_response(wire_events: Any) -> None:
    created, in_progress, added, *_ = await wire_events()
    assert (created["response"]["status"], created["response"]["output"], created["response"]["usage"]) == (
        "in_progress",
        [],
        None,
    )
    assert in_progress["response"] == created["response"]
    assert (added["item"]["status"], added["item"]["content"]) == ("in_progress", [])


async def test_a_call_comes_in_the_documented_order(engine: Any, wire_events: Any) -> None:
    engine.will_call(("add", '{"a": 12}'))
    events = await wire_events(tools=[TOOL])
    assert kinds(events) == [
        "created",
        "in_progress",
        "output_item.added",
        *["function_call_arguments.delta"] * 5,
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert "".join(event.get("delta", "") for event in events) == '{"a": 12}'
    assert events[-3]["arguments"] == '{"a": 12}'
    item = events[-2]["item"]
    assert item == {
        "id": item["id"],
        "type": "function_call",
        "status": "completed",
        "call_id": item["call_id"],
        "name": "add",
        "arguments": '{"a": 12}',
    }
    assert events[2]["item"] == {**item, "status": "in_progress", "arguments": ""}


async def test_items_of_one_answer_have_their_own_ids_and_indexes(engine: Any, wire_events: Any) -> None:
    engine.pieces = [TextDelta("Both:"), FunctionCall("add", "{}"), FunctionCall("add", "{}"), TextDelta("Done")]
    events = await wire_events(tools=[TOOL])
    done = [event for event in events if event["type"] == "response.output_item.done"]
    assert [(event["output_index"], event["item"]["type"]) for event in done] == [
        (0, "message"),
        (1, "function_call"),
        (2, "function_call"),
        (3, "message"),
    ]
    assert len({event["item"]["id"] for event in done}) == 4
    assert len({event["item"].get("call_id") for event in done}) == 3  # one of them None: messages have none
    places = {(event["item_id"], event["output_index"]) for event in events if "item_id" in event}
    assert places == {(event["item"]["id"], event["output_index"]) for event in done}
    assert events[-1]["response"]["output"] == [event["item"] for event in done]


async def test_only_one_call_is_made_where_parallel_calls_are_off(engine: Any, wire_events: Any) -> None:
    engine.will_call(("add", "{}"), ("add", "{}"))
    events = await wire_events(tools=[TOOL], parallel_tool_calls=False)
    assert [item["name"] for item in events[-1]["response"]["output"]] == ["add"]


async def test_an_answer_of_nothing_is_an_empty_message(engine: Any, wire_events: Any) -> None:
    engine.pieces = []
    events = await wire_events()
    assert kinds(events)[2:] == [
        "output_item.added",
        "content_part.added",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == ""


async def test_text_is_cut_at_the_token_limit(engine: Any, wire_events: Any) -> None:
    engine.will_say("word " * 40)
    *_, item_done, last = await wire_events(max_output_tokens=16)
    assert last["type"] == "response.incomplete"
    response = last["response"]
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert response["usage"]["output_tokens"] == 16
    assert response["completed_at"] is None
    assert item_done["item"]["status"] == "incomplete"
    assert item_done["item"]["content"][0]["text"] == " ".join(["word"] * 16)


async def test_a_piece_that_is_too_long_is_cut_inside(engine: Any, wire_events: Any) -> None:
    engine.pieces = [TextDelta("word " * 40)]
    *_, last = await wire_events(max_output_tokens=16)
    assert last["response"]["output"][0]["content"][0]["text"].split() == ["word"] * 16


async def test_an_answer_of_exactly_the_limit_is_complete(engine: Any, wire_events: Any) -> None:
    engine.will_say("word " * 16)
    *_, last = await wire_events(max_output_tokens=16)
    assert last["type"] == "response.completed"


async def test_arguments_are_cut_at_the_token_limit(engine: Any, wire_events: Any) -> None:
    engine.will_call(("add", "[" + "1, " * 40 + "1]"), ("add", "{}"))
    *_, item_done, last = await wire_events(max_output_tokens=16, tools=[TOOL])
    assert last["type"] == "response.incomplete"
    assert (item_done["item"]["status"], item_done["item"]["arguments"]) == ("incomplete", "[" + "1, " * 7 + "1")
    assert len(last["response"]["output"]) == 1


async def test_an_engine_that_fails_in_mid_answer_fails_the_response(engine: Any, wire_events: Any) -> None:
    engine.pieces = [TextDelta("Half an"), ValueError("out of words")]
    events = await wire_events()
    assert kinds(events)[-2:] == ["output_text.delta", "failed"]
    response = events[-1]["response"]
    assert response["status"] == "failed"
    assert response["error"] == {
        "code": "server_error",
        "message": "The model 'rehearsal-1' failed while answering: ValueError: out of words",
    }
    assert [(item["status"], item["content"][0]["text"]) for item in response["output"]] == [("incomplete", "Half an")]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


async def test_an_engine_that_fails_at_once_is_an_error_before_the_stream(
    engine: Any, client: openai.AsyncOpenAI
) -> None:
    engine.pieces = [ValueError("no words")]
    with pytest.raises(openai.InternalServerError, match="ValueError: no words") as caught:
        await client.responses.create(model="rehearsal-1", input="Hi", stream=True)
    assert (caught.value.status_code, caught.value.type, caught.value.code) == (500, "server_error", "server_error")


async def test_an_engine_that_fails_is_not_asked_again_by_the_client(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.pieces = [ValueError("no words")]
    with pytest.raises(openai.InternalServerError):
        await client.with_options(max_retries=2).responses.create(model="rehearsal-1", input="Hi")
    assert len(engine.prompts) == 1


async def test_half_an_emoji_gets_through_and_is_stored(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.pieces = [TextDelta("\ud83d"), TextDelta("\ude00")]
    events = [event async for event in await client.responses.create(model="rehearsal-1", input="Hi", stream=True)]
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert deltas == ["\ud83d", "\ude00"]
    assert events[-1].type == "response.completed"
    assert (await client.responses.retrieve(events[-1].response.id)).output_text == "\U0001f600"


async def test_the_clients_own_stream_reader_understands_it(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.will_say("Hello there")
    async with client.responses.stream(model="rehearsal-1", input="Hi") as stream:
        final = await stream.get_final_response()
    assert (final.status, final.output_text) == ("completed", "Hello there")
