"""Wrong requests for a response, as the client's exceptions: what was wrong, with the value and the place."""

# ruff: noqa: E501  (one case a line)

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai
import pytest

FUNCTION: dict[str, Any] = {
    "type": "function",
    "name": "f",
    "parameters": {"type": "object", "properties": {}},
    "strict": False,
}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


CASES: list[tuple[dict[str, Any], str, str | None, str | None]] = [
    # parameters of the wrong kind, missing or misspelt
    ({"input": None}, "Invalid type for 'input': expected a string or an array, but got null instead.", "input", "invalid_type"),
    ({"input": 5}, "Invalid type for 'input': expected a string or an array, but got an integer instead.", "input", "invalid_type"),
    ({"input": []}, "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead.", "input", "empty_array"),
    ({"model": 3}, "Invalid type for 'model': expected a string, but got an integer instead.", "model", "invalid_type"),
    ({"imput": "x"}, "Unknown parameter: 'imput'.", "imput", "unknown_parameter"),
    ({"store": "yes"}, "Invalid type for 'store': expected a boolean, but got a string instead.", "store", "invalid_type"),
    ({"temperature": 2.5}, "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.", "temperature", "decimal_above_max_value"),
    ({"temperature": -1}, "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1 instead.", "temperature", "decimal_below_min_value"),
    ({"temperature": "hot"}, "Invalid type for 'temperature': expected a decimal, but got a string instead.", "temperature", "invalid_type"),
    ({"top_p": 1.1}, "Invalid 'top_p': decimal above maximum value. Expected a value <= 1, but got 1.1 instead.", "top_p", "decimal_above_max_value"),
    ({"max_output_tokens": 15}, "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 15 instead.", "max_output_tokens", "integer_below_min_value"),
    ({"max_output_tokens": 20.5}, "Invalid type for 'max_output_tokens': expected an integer, but got a decimal instead.", "max_output_tokens", "invalid_type"),
    ({"top_logprobs": 21}, "Invalid 'top_logprobs': integer above maximum value. Expected a value <= 20, but got 21 instead.", "top_logprobs", "integer_above_max_value"),
    ({"truncation": "some"}, "Invalid value: 'some'. Supported values are: 'auto' and 'disabled'.", "truncation", "invalid_value"),
    ({"reasoning": {"effort": "huge"}}, "Invalid value: 'huge'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'.", "reasoning.effort", "invalid_value"),
    ({"include": ["logprobs"]}, None, "include[0]", "invalid_value"),
    ({"stream_options": {"include_obfuscation": True}}, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options", "invalid_value"),
    # metadata
    ({"metadata": {str(n): "x" for n in range(17)}}, "Invalid 'metadata': too many properties. Expected an object with at most 16, but got 17 instead.", "metadata", "object_above_max_properties"),
    ({"metadata": {"k": "v" * 513}}, "Invalid 'metadata.k': string too long. Expected a string with maximum length 512, but got one of 513 instead.", "metadata.k", "string_above_max_length"),
    ({"metadata": {"k" * 65: "v"}}, None, f"metadata.{'k' * 65}", "string_above_max_length"),
    ({"metadata": {"k": 1}}, "Invalid type for 'metadata.k': expected a string, but got an integer instead.", "metadata.k", "invalid_type"),
    # items
    ({"input": ["x"]}, "Invalid type for 'input[0]': expected an object, but got a string instead.", "input[0]", "invalid_type"),
    ({"input": [{"content": "x"}]}, "Missing required parameter: 'input[0].role'.", "input[0].role", "missing_required_parameter"),
    ({"input": [{"role": "user"}]}, "Missing required parameter: 'input[0].content'.", "input[0].content", "missing_required_parameter"),
    ({"input": [{"role": "robot", "content": "x"}]}, "Invalid value: 'robot'. Supported values are: 'user', 'system', 'developer', and 'assistant'.", "input[0].role", "invalid_value"),
    ({"input": [{**user("x"), "colour": 1}]}, "Unknown parameter: 'input[0].colour'.", "input[0].colour", "unknown_parameter"),
    ({"input": [user(3)]}, "Invalid type for 'input[0].content': expected a string or an array, but got an integer instead.", "input[0].content", "invalid_type"),
    ({"input": [user("x"), user([{"type": "text", "text": "x"}])]}, "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', and 'input_file'.", "input[1].content[0].type", "invalid_value"),
    ({"input": [user([{"text": "x"}])]}, "Missing required parameter: 'input[0].content[0].type'.", "input[0].content[0].type", "missing_required_parameter"),
    ({"input": [user([{"type": "input_text"}])]}, "Missing required parameter: 'input[0].content[0].text'.", "input[0].content[0].text", "missing_required_parameter"),
    ({"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]}, "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.", "input[0].content[0].type", "invalid_value"),
    ({"input": [{"type": "telegram", "text": "x"}]}, None, "input[0].type", "invalid_value"),
    ({"input": [{"type": 7}]}, "Invalid type for 'input[0].type': expected a string, but got an integer instead.", "input[0].type", "invalid_type"),
    ({"input": [{"type": "function_call", "call_id": "c", "name": "f"}]}, "Missing required parameter: 'input[0].arguments'.", "input[0].arguments", "missing_required_parameter"),
    # calls and their outputs
    ({"input": [{"type": "function_call_output", "call_id": "c1", "output": "x"}]}, "No tool call found for function call output with call_id c1.", "input", None),
    ({"input": [{"type": "function_call", "call_id": "c2", "name": "f", "arguments": "{}"}]}, "No tool output found for function call c2.", "input", None),
    # tools
    ({"tools": [{"type": "web_search"}]}, "The tool 'web_search' is not available on the embedded platform, which offers function tools and file_search. Leave it out, or connect to a platform that has it.", "tools[0].type", "unsupported_tool"),
    ({"tools": [FUNCTION, {"type": "computer"}]}, None, "tools[1].type", "unsupported_tool"),
    ({"tools": [{"type": "hammer"}]}, "Invalid value: 'hammer'. Supported values are: 'function' and 'file_search'.", "tools[0].type", "invalid_value"),
    ({"tools": [{"name": "f"}]}, "Missing required parameter: 'tools[0].type'.", "tools[0].type", "missing_required_parameter"),
    ({"tools": [{"type": "function"}]}, "Missing required parameter: 'tools[0].name'.", "tools[0].name", "missing_required_parameter"),
    ({"tools": [{**FUNCTION, "name": "my tool"}]}, "Invalid 'tools[0].name': string does not match pattern. Expected one that matches '^[a-zA-Z0-9_-]+$', but got 'my tool' instead.", "tools[0].name", "invalid_value"),
    ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "Missing required parameter: 'tools[0].name'.", "tools[0].name", "missing_required_parameter"),
    ({"tools": [FUNCTION, FUNCTION]}, "Duplicate tool name: 'f'.", "tools[1].name", "invalid_value"),
    ({"tools": [{**FUNCTION, "parameters": {"type": "array"}}]}, "Invalid schema for function 'f': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'.", "tools[0].parameters", "invalid_function_parameters"),
    ({"tools": [{**FUNCTION, "strict": True}]}, "Invalid schema for function 'f': In context=(), 'additionalProperties' is required to be supplied and to be false.", "tools[0].parameters", "invalid_function_parameters"),
    ({"tool_choice": "maybe"}, "Invalid value: 'maybe'. Supported values are: 'none', 'auto', and 'required'.", "tool_choice", "invalid_value"),
    ({"tool_choice": "required"}, "Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice", "invalid_value"),
    ({"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "g"}}, "Tool choice 'g' not found in 'tools' parameter.", "tool_choice", "invalid_value"),
    ({"tools": [FUNCTION], "tool_choice": {"type": "function"}}, "Missing required parameter: 'tool_choice.name'.", "tool_choice.name", "missing_required_parameter"),
    ({"tools": [FUNCTION], "tool_choice": {"type": "web_search_preview"}}, None, "tool_choice.type", "unsupported_tool"),
    ({"tools": [FUNCTION], "tool_choice": {"type": "file_search"}}, "Tool choice 'file_search' not found in 'tools' parameter.", "tool_choice", "invalid_value"),
    ({"tools": [FUNCTION], "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "g"}]}}, "Tool choice 'g' not found in 'tools' parameter.", "tool_choice", "invalid_value"),
    # formats
    ({"text": {"format": {"type": "xml"}}}, "Invalid value: 'xml'. Supported values are: 'text', 'json_schema', and 'json_object'.", "text.format.type", "invalid_value"),
    ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "Missing required parameter: 'text.format.name'.", "text.format.name", "missing_required_parameter"),
    ({"text": {"format": {"type": "json_schema", "name": "a"}}}, "Missing required parameter: 'text.format.schema'.", "text.format.schema", "missing_required_parameter"),
    (
        {"text": {"format": {"type": "json_schema", "name": "a", "strict": True, "schema": {"type": "object", "additionalProperties": False, "required": [], "properties": {"list": {"type": "string"}}}}}},
        "Invalid schema for response_format 'a': In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'list'.",
        "text.format.schema",
        "invalid_json_schema",
    ),
    (
        {"text": {"format": {"type": "json_schema", "name": "a", "strict": True, "schema": {"type": "object", "additionalProperties": False, "required": ["l"], "properties": {"l": {"type": "array", "items": {"type": "object"}}}}}}},
        "Invalid schema for response_format 'a': In context=('properties', 'l', 'items'), 'additionalProperties' is required to be supplied and to be false.",
        "text.format.schema",
        "invalid_json_schema",
    ),
    ({"text": {"format": {"type": "json_object"}}}, "Response input messages must contain the word 'json' in some form, to use 'text.format' of type 'json_object'.", "input", None),
]  # fmt: skip


@pytest.mark.parametrize(("params", "message", "param", "code"), CASES)
async def test_a_wrong_request_is_refused_with_what_was_wrong(
    client: openai.AsyncOpenAI, engine: Any, params: dict[str, Any], message: str | None, param: str, code: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.post("/responses", body={"model": "rehearsal-1", "input": "Hi", **params}, cast_to=object)
    error = caught.value
    assert (error.param, error.code, error.type) == (param, code, "invalid_request_error")
    assert error.body == {
        "message": message or error.body["message"],  # type: ignore[index]
        "type": error.type,
        "param": param,
        "code": code,
    }
    assert engine.prompts == []


@pytest.mark.parametrize("missing", ["model", "input"])
async def test_what_has_to_be_there_is_missed(client: openai.AsyncOpenAI, missing: str) -> None:
    body = {"model": "rehearsal-1", "input": "Hi"}
    del body[missing]
    with pytest.raises(openai.BadRequestError, match=f"Missing required parameter: '{missing}'"):
        await client.post("/responses", body=body, cast_to=object)


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("background", True),
        ("conversation", "conv_1"),
        ("conversation", {"id": "conv_1"}),
        ("prompt", {"id": "pmpt_1"}),
        ("context_management", [{"type": "compaction"}]),
        ("moderation", {"model": "omni-moderation-latest"}),
    ],
)
async def test_what_only_openai_has_cannot_be_processed(client: openai.AsyncOpenAI, param: str, value: Any) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match=f"'{param}' can't be processed") as caught:
        await client.responses.create(model="rehearsal-1", input="Hi", **{param: value})
    assert (caught.value.param, caught.value.code) == (param, "unsupported_feature")


async def test_what_is_switched_off_is_fine(client: openai.AsyncOpenAI) -> None:
    made = await client.responses.create(model="rehearsal-1", input="Hi", background=False, tools=[], metadata=None)
    assert made.status == "completed"


async def test_an_unknown_previous_response_is_a_bad_request(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="Previous response with id 'resp_none' not found.") as caught:
        await client.responses.create(model="rehearsal-1", input="Hi", previous_response_id="resp_none")
    assert (caught.value.param, caught.value.code) == ("previous_response_id", "previous_response_not_found")


async def test_a_conversation_with_a_deleted_response_is_a_bad_request(client: openai.AsyncOpenAI) -> None:
    first = await client.responses.create(model="rehearsal-1", input="Hi")
    second = await client.responses.create(model="rehearsal-1", input="Hi", previous_response_id=first.id)
    await client.responses.delete(first.id)
    with pytest.raises(openai.BadRequestError, match=f"Previous response with id '{first.id}' not found."):
        await client.responses.create(model="rehearsal-1", input="Hi", previous_response_id=second.id)


async def test_a_call_of_the_previous_response_needs_its_output(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.will_call(("f", "{}"))
    first = await client.responses.create(model="rehearsal-1", input="Hi", tools=[FUNCTION])  # type: ignore[list-item]
    with pytest.raises(openai.BadRequestError, match="No tool output found for function call call_"):
        await client.responses.create(model="rehearsal-1", input="Well?", previous_response_id=first.id)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"model": "reh', "We could not parse the JSON body of your request"),
        (b"", "We could not parse the JSON body of your request"),
        (b"[" * 100_000, "We could not parse the JSON body of your request"),
        (b"[1]", "expected an object, but got an array instead"),
    ],
)
@pytest.mark.parametrize("path", ["responses", "chat/completions", "responses/input_tokens"])
async def test_a_body_that_is_no_json_object_is_refused(transports: Any, path: str, body: bytes, message: str) -> None:
    async with httpx2.AsyncClient(transport=transports[0]) as http:
        reply = await http.post(f"http://agentkit.local/v1/{path}", content=body)
    assert reply.status_code == 400
    assert message in json.loads(reply.content)["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("POST", "/v1/moderations", 404, "Invalid URL (POST /v1/moderations)"),
        ("GET", "/", 404, "Invalid URL (GET /)"),
        ("GET", "/v1/models/", 404, "Invalid URL (GET /v1/models/)"),
        ("GET", "/v1/responses", 405, "Not allowed to GET on /v1/responses."),
        ("POST", "/v1/models", 405, "Not allowed to POST on /v1/models."),
    ],
)
async def test_a_path_that_is_not_there(transports: Any, method: str, path: str, status: int, message: str) -> None:
    async with httpx2.AsyncClient(transport=transports[0]) as http:
        reply = await http.request(method, f"http://agentkit.local{path}")
    assert (reply.status_code, reply.json()["error"]["message"]) == (status, message)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead."),
        ("limit=101", "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead."),
        ("order=up", "Invalid value: 'up'. Supported values are: 'asc' and 'desc'."),
        ("after=msg_x", "No item with id 'msg_x' in this list."),
    ],
)
async def test_a_wrong_query_is_refused(client: openai.AsyncOpenAI, query: str, message: str) -> None:
    made = await client.responses.create(model="rehearsal-1", input="Hi")
    with pytest.raises(openai.BadRequestError) as caught:
        await client.get(f"/responses/{made.id}/input_items?{query}", cast_to=object)
    assert caught.value.body["message"] == message  # type: ignore[index]


async def test_a_finished_response_cannot_be_streamed_again(client: openai.AsyncOpenAI) -> None:
    made = await client.responses.create(model="rehearsal-1", input="Hi")
    with pytest.raises(openai.BadRequestError, match="Only responses made in background mode"):
        await client.responses.retrieve(made.id, stream=True)


async def test_a_home_that_cannot_be_written_is_named(
    engine: Any, tmp_path: Any, client: openai.AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "platform.sqlite3").mkdir()
    with pytest.raises(openai.InternalServerError, match=r"platform\.sqlite3 can't be used: .*AGENTKIT_HOME"):
        await client.responses.create(model="rehearsal-1", input="Hi")
    made = await client.responses.create(model="rehearsal-1", input="Hi", store=False)
    assert made.status == "completed"


async def test_a_stream_that_cannot_be_stored_fails_at_its_end(tmp_path: Any, wire_events: Any) -> None:
    (tmp_path / "platform.sqlite3").mkdir()
    *_, last = await wire_events()
    assert last["type"] == "response.failed"
    assert "can't be used" in last["response"]["error"]["message"]


async def test_a_wrong_pace_is_named(client: openai.AsyncOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_REHEARSAL_TOKENS_PER_S", "fast")
    with pytest.raises(openai.InternalServerError, match="AGENTKIT_REHEARSAL_TOKENS_PER_S='fast' is not a number"):
        await client.responses.create(model="rehearsal-1", input="Hi", stream=True)
