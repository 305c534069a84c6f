"""Chat completions: what the engine is asked, what comes back, whole and streamed; and what is refused."""

# ruff: noqa: E501  (one case a line)

from __future__ import annotations

import re
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion

from agentkit.local.chat.stop import StopFilter
from agentkit.local.engines.base import FunctionCall, TextDelta

HI: list[Any] = [{"role": "user", "content": "Hi"}]
ADD: Any = {
    "type": "function",
    "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {}}},
}


def call(call_id: str, name: str = "add", arguments: str = "{}") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


async def test_a_completion_has_every_documented_field(engine: Any, client: openai.AsyncOpenAI, strictly: Any) -> None:
    engine.will_say("Hello there, friend!")
    raw = await client.chat.completions.with_raw_response.create(
        model="rehearsal-1",
        messages=HI,
        frequency_penalty=0.1,
        max_completion_tokens=50,
        metadata={"a": "b"},
        n=1,
        presence_penalty=-1,
        reasoning_effort="low",
        seed=7,
        stop=["\n"],
        store=False,
        temperature=1,
        top_p=0.5,
        user="u",
        verbosity="low",
        modalities=["text"],
    )
    body = raw.http_response.json()
    strictly(ChatCompletion, body)
    assert re.fullmatch(r"chatcmpl-[0-9a-f]{48}", body["id"])
    assert body == {
        "id": body["id"],
        "object": "chat.completion",
        "created": body["created"],
        "model": "rehearsal-1",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hello there, friend!",
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 4,
            "completion_tokens": 5,
            "total_tokens": 9,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": None,
    }


async def test_calls_come_back_as_tool_calls(engine: Any, client: openai.AsyncOpenAI, strictly: Any) -> None:
    engine.will_call(("add", '{"a": 1}'), ("add", '{"a": 2}'))
    raw = await client.chat.completions.with_raw_response.create(model="rehearsal-1", messages=HI, tools=[ADD])
    strictly(ChatCompletion, raw.http_response.json())
    choice = raw.http_response.json()["choices"][0]
    calls = choice["message"]["tool_calls"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    assert [(each["type"], each["function"]) for each in calls] == [
        ("function", {"name": "add", "arguments": '{"a": 1}'}),
        ("function", {"name": "add", "arguments": '{"a": 2}'}),
    ]
    assert calls[0]["id"] != calls[1]["id"]


async def test_text_beside_a_call_is_kept(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.pieces = [TextDelta("Adding."), FunctionCall("add", "{}")]
    made = await client.chat.completions.create(model="rehearsal-1", messages=HI, tools=[ADD])
    message = made.choices[0].message
    assert (message.content, len(message.tool_calls or [])) == ("Adding.", 1)


async def test_messages_of_all_roles_reach_the_engine_as_items(engine: Any, client: openai.AsyncOpenAI) -> None:
    messages: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Speak English."}], "name": "dev"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "file", "file": {"filename": "a.bin", "file_data": "AAAA"}},
            ],
        },
        {"role": "assistant", "content": "Adding.", "tool_calls": [call("c1"), call("c2", arguments='{"a": 2}')]},
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "one"}]},
        {"role": "assistant", "content": None, "function_call": {"name": "old", "arguments": "{}"}},
        {"role": "function", "name": "old", "content": "done"},
        {"role": "assistant", "content": [{"type": "text", "text": "So."}], "refusal": "I won't."},
    ]
    await client.chat.completions.create(model="rehearsal-1", messages=messages)
    assert engine.prompt.items == [
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be brief."}]},
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Speak English."}]},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look:"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
                {"type": "input_file", "file_data": "AAAA", "filename": "a.bin"},
            ],
        },
        {
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Adding.", "annotations": []}],
        },
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{}", "status": "completed"},
        {"type": "function_call", "call_id": "c2", "name": "add", "arguments": '{"a": 2}', "status": "completed"},
        {"type": "function_call_output", "call_id": "c2", "output": "two", "status": "completed"},
        {
            "type": "function_call_output",
            "call_id": "c1",
            "output": [{"type": "input_text", "text": "one"}],
            "status": "completed",
        },
        {"type": "function_call", "call_id": "call_6_old", "name": "old", "arguments": "{}", "status": "completed"},
        {"type": "function_call_output", "call_id": "call_6_old", "output": "done", "status": "completed"},
        {
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "So.", "annotations": []},
                {"type": "refusal", "refusal": "I won't."},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "function": {"name": "add"}}, {"type": "function", "name": "add"}),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "add"}}]},
            },
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "add"}]},
        ),
    ],
)
async def test_tools_and_choices_are_brought_into_the_responses_shape(
    engine: Any, client: openai.AsyncOpenAI, choice: Any, expected: Any
) -> None:
    await client.chat.completions.create(
        model="rehearsal-1", messages=HI, tools=[ADD], tool_choice=choice, parallel_tool_calls=False
    )
    flat = {"type": "function", **ADD["function"], "strict": False}
    assert (engine.prompt.tools, engine.prompt.tool_choice) == ([flat], expected)
    assert engine.prompt.parallel_tool_calls is False


async def test_a_response_format_is_brought_into_the_responses_shape(engine: Any, client: openai.AsyncOpenAI) -> None:
    schema = {"name": "point", "schema": {"type": "object"}, "description": "A point."}
    await client.chat.completions.create(
        model="rehearsal-1",
        messages=HI,
        response_format={"type": "json_schema", "json_schema": schema},  # type: ignore[typeddict-item]
    )
    assert engine.prompt.text_format == {"type": "json_schema", **schema}
    await client.chat.completions.create(
        model="rehearsal-1",
        messages=[{"role": "user", "content": "As JSON"}],
        response_format={"type": "json_object"},
    )
    assert engine.prompt.text_format == {"type": "json_object"}


async def test_structured_output_is_parsed_by_the_client(engine: Any, client: openai.AsyncOpenAI) -> None:
    from pydantic import BaseModel

    class Point(BaseModel):
        x: int

    engine.will_say('{"x": 3}')
    made = await client.chat.completions.parse(model="rehearsal-1", messages=HI, response_format=Point)
    assert made.choices[0].message.parsed == Point(x=3)


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
async def test_text_is_cut_at_the_token_limit(engine: Any, client: openai.AsyncOpenAI, limit: str) -> None:
    engine.will_say("one two three four")
    made = await client.chat.completions.create(model="rehearsal-1", messages=HI, **{limit: 2})  # type: ignore[call-overload]
    assert (made.choices[0].message.content, made.choices[0].finish_reason) == ("one two", "length")
    assert made.usage.completion_tokens == 2


async def test_text_ends_at_a_stop_sequence(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.pieces = [TextDelta(text) for text in ("one EN", "two E", "ND three", " four")]
    made = await client.chat.completions.create(model="rehearsal-1", messages=HI, stop="END")
    assert (made.choices[0].message.content, made.choices[0].finish_reason) == ("one ENtwo ", "stop")
    assert (engine.given, engine.closed) == (3, 1)  # the engine is not asked for the rest


@pytest.mark.parametrize(
    ("pieces", "stops", "out"),
    [
        (["abc"], [], "abc"),
        (["ab", "c"], ["c"], "ab"),
        (["a", "a", "b", "c"], ["ab"], "a"),
        (["aab"], ["aac"], "aab"),
        (["x1", "2y"], ["2", "12"], "x"),
        (["12", "1", "3"], ["1213"], ""),
    ],
)
def test_a_stop_sequence_is_found_across_pieces(pieces: list[str], stops: list[str], out: str) -> None:
    stop = StopFilter(stops)
    text = ""
    for piece in pieces:
        text += stop.feed(piece)
        if stop.stopped:
            break
    assert (text if stop.stopped else text + stop.end()) == out


def deltas(chunks: list[dict[str, Any]]) -> list[Any]:
    return [(chunk["choices"][0]["delta"], chunk["choices"][0]["finish_reason"]) for chunk in chunks]


async def test_text_streams_in_chunks(engine: Any, wire_chunks: Any) -> None:
    engine.will_say("Hello there")
    chunks = await wire_chunks()
    assert deltas(chunks) == [
        ({"role": "assistant", "content": "", "refusal": None}, None),
        ({"content": "Hello"}, None),
        ({"content": " there"}, None),
        ({}, "stop"),
    ]
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    assert all("usage" not in chunk for chunk in chunks)


async def test_usage_comes_last_where_it_is_wanted(engine: Any, wire_chunks: Any) -> None:
    engine.will_say("Hello there")
    *chunks, last = await wire_chunks(stream_options={"include_usage": True})
    assert [chunk["usage"] for chunk in chunks] == [None] * 4
    assert last["choices"] == []
    assert (last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"]) == (4, 2)


async def test_calls_stream_in_chunks(engine: Any, wire_chunks: Any) -> None:
    engine.will_call(("add", "{}"), ("add", '{"a":1}'))
    chunks = await wire_chunks(tools=[ADD])
    first, *middle, last = deltas(chunks)
    assert first == ({"role": "assistant", "content": None, "refusal": None}, None)
    assert last == ({}, "tool_calls")
    calls: dict[int, dict[str, Any]] = {}
    for delta, _ in middle:
        (part,) = delta["tool_calls"]
        if "id" in part:
            assert part == {
                "index": len(calls),
                "id": part["id"],
                "type": "function",
                "function": {"name": "add", "arguments": ""},
            }
            calls[part["index"]] = {"id": part["id"], "arguments": ""}
        else:
            calls[part["index"]]["arguments"] += part["function"]["arguments"]
    assert [each["arguments"] for each in calls.values()] == ["{}", '{"a":1}']


async def test_an_empty_answer_streams_its_role_and_end(engine: Any, wire_chunks: Any) -> None:
    engine.pieces = []
    assert deltas(await wire_chunks()) == [
        ({"role": "assistant", "content": "", "refusal": None}, None),
        ({}, "stop"),
    ]


async def test_what_might_have_been_a_stop_sequence_streams_at_the_end(engine: Any, wire_chunks: Any) -> None:
    engine.pieces = [TextDelta("a"), TextDelta("b")]
    assert deltas(await wire_chunks(stop=["bc"]))[1:] == [
        ({"content": "a"}, None),
        ({"content": "b"}, None),
        ({}, "stop"),
    ]


async def test_an_engine_that_fails_in_mid_stream_is_an_error_of_the_stream(
    engine: Any, client: openai.AsyncOpenAI
) -> None:
    engine.pieces = [TextDelta("Half"), ValueError("out of words")]
    stream = await client.chat.completions.create(model="rehearsal-1", messages=HI, stream=True)
    texts = []
    with pytest.raises(openai.APIError, match="ValueError: out of words"):
        async for chunk in stream:
            texts.append(chunk.choices[0].delta.content)
    assert texts == ["", "Half"]


@pytest.mark.parametrize("stream", [False, True])
async def test_an_engine_that_fails_at_once_is_a_server_error(
    engine: Any, client: openai.AsyncOpenAI, stream: bool
) -> None:
    engine.pieces = [ValueError("no words")]
    with pytest.raises(openai.InternalServerError, match="ValueError: no words"):
        await client.chat.completions.create(model="rehearsal-1", messages=HI, stream=stream)


async def test_openais_models_are_stood_in_for_and_it_says_so(client: openai.AsyncOpenAI) -> None:
    raw = await client.chat.completions.with_raw_response.create(model="gpt-5.4-mini", messages=HI)
    assert raw.parse().model == "rehearsal-1"
    assert raw.headers["x-agentkit-notice"].startswith("gpt-5.4-mini was asked for")


def user(content: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}]}


CASES: list[tuple[dict[str, Any], str, str | None, str | None]] = [
    ({"messages": []}, "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.", "messages", "empty_array"),
    ({"messages": "Hi"}, "Invalid type for 'messages': expected an array, but got a string instead.", "messages", "invalid_type"),
    ({"messages": [{"content": "x"}]}, "Missing required parameter: 'messages[0].role'.", "messages[0].role", "missing_required_parameter"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "Invalid value: 'robot'. Supported values are: 'developer', 'system', 'user', 'assistant', 'tool', and 'function'.", "messages[0].role", "invalid_value"),
    ({"messages": [{"role": "user"}]}, "Missing required parameter: 'messages[0].content'.", "messages[0].content", "missing_required_parameter"),
    ({"messages": [{"role": "assistant"}]}, "Missing required parameter: 'messages[0].content'.", "messages[0].content", "missing_required_parameter"),
    (user([{"type": "input_text", "text": "x"}]), "Invalid value: 'input_text'. Supported values are: 'text', 'image_url', and 'file'.", "messages[0].content[0].type", "invalid_value"),
    (user([{"type": "image_url", "image_url": "http://x"}]), "Invalid type for 'messages[0].content[0].image_url': expected an object, but got a string instead.", "messages[0].content[0].image_url", "invalid_type"),
    ({"messages": [{"role": "tool", "tool_call_id": "c", "content": "x"}]}, "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.", "messages[0].role", None),
    (
        {"messages": [{"role": "assistant", "tool_calls": [call("c1"), call("c2")]}, {"role": "tool", "tool_call_id": "c1", "content": "x"}, *HI]},
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. These have none: c2.",
        "messages[0].tool_calls",
        None,
    ),
    ({"n": 2}, "Unsupported value: 'n' does not support 2 with this model. Only 1 is supported.", "n", "unsupported_value"),
    ({"max_tokens": 0}, "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.", "max_tokens", "integer_below_min_value"),
    ({"max_tokens": 5, "max_completion_tokens": 5}, "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", "max_tokens", "invalid_parameter_combination"),
    ({"stream_options": {"include_usage": True}}, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options", "invalid_value"),
    ({"stop": ["a", "b", "c", "d", "e"]}, "Invalid 'stop': too many elements. Expected an array with at most 4, but got 5 instead.", "stop", "array_above_max_length"),
    ({"stop": 3}, "Invalid type for 'stop': expected a string or an array, but got an integer instead.", "stop", "invalid_type"),
    ({"presence_penalty": 3}, "Invalid 'presence_penalty': decimal above maximum value. Expected a value <= 2, but got 3 instead.", "presence_penalty", "decimal_above_max_value"),
    ({"functions": [{"name": "f"}]}, "Unsupported parameter: 'functions' is not supported with this model. Use 'tools' instead.", "functions", "unsupported_parameter"),
    ({"logprobs": True}, "Unsupported parameter: 'logprobs' is not supported with this model. Leave it out: the embedded platform tells no probabilities.", "logprobs", "unsupported_parameter"),
    ({"modalities": ["audio", "text"]}, "Unsupported parameter: 'modalities' is not supported with this model. The embedded platform speaks in text only.", "modalities", "unsupported_parameter"),
    ({"instructions": "x"}, "Unknown parameter: 'instructions'.", "instructions", "unknown_parameter"),
    ({"tool_choice": "auto"}, "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.", "tool_choice", "invalid_value"),
    ({"tools": [ADD], "tool_choice": {"type": "function", "function": {"name": "g"}}}, "Tool choice 'g' not found in 'tools' parameter.", "tool_choice", "invalid_value"),
    ({"tools": [ADD], "tool_choice": {"type": "function", "name": "add"}}, "Missing required parameter: 'tool_choice.function'.", "tool_choice.function", "missing_required_parameter"),
    ({"tools": [{"type": "function", "name": "add"}]}, "Missing required parameter: 'tools[0].function'.", "tools[0].function", "missing_required_parameter"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "Invalid 'tools[0].function.name': string does not match pattern. Expected one that matches '^[a-zA-Z0-9_-]+$', but got 'a b' instead.", "tools[0].function.name", "invalid_value"),
    ({"tools": [ADD, ADD]}, "Duplicate tool name: 'add'.", "tools[1].function.name", "invalid_value"),
    ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "The tool 'custom' is not available on the embedded platform, which offers function tools only. Leave it out, or connect to a platform that has it.", "tools[0].type", "unsupported_tool"),
    ({"response_format": {"type": "json_schema"}}, "Missing required parameter: 'response_format.json_schema'.", "response_format.json_schema", "missing_required_parameter"),
    ({"response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": {"type": "object"}}}}, "Invalid schema for response_format 'a': In context=(), 'additionalProperties' is required to be supplied and to be false.", "response_format.json_schema.schema", "invalid_json_schema"),
    ({"response_format": {"type": "json_object"}}, "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.", "messages", None),
]  # fmt: skip


@pytest.mark.parametrize(("params", "message", "param", "code"), CASES)
async def test_a_wrong_request_is_refused_with_what_was_wrong(
    client: openai.AsyncOpenAI, engine: Any, params: dict[str, Any], message: str, param: str | None, code: str | None
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.post("/chat/completions", body={"model": "rehearsal-1", "messages": HI, **params}, cast_to=object)
    assert caught.value.body == {
        "message": message,
        "type": "invalid_request_error",
        "param": param,
        "code": code,
    }
    assert engine.prompts == []


async def test_an_unknown_model_is_not_found(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="The model 'llama-3' does not exist"):
        await client.chat.completions.create(model="llama-3", messages=HI)


async def test_moderation_cannot_be_processed(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match="'moderation' can't be processed"):
        await client.chat.completions.create(model="rehearsal-1", messages=HI, moderation={"model": "m"})
