"""Whole responses: what the engine is asked, what comes back, and what is kept."""

from __future__ import annotations

import re
from typing import Any

import openai
import pytest
from openai.types.responses import Response, ResponseItemList

ADD = {
    "type": "function",
    "name": "add",
    "description": "Adds.",
    "parameters": {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    },
    "strict": True,
}


async def wire(client: openai.AsyncOpenAI, path: str) -> Any:
    """Return the JSON at a path."""
    return (await client.get(path, cast_to=object)) if path else None


async def test_a_response_has_every_documented_field(engine: Any, client: openai.AsyncOpenAI, strictly: Any) -> None:
    engine.will_say("Hello there, friend!")
    raw = await client.responses.with_raw_response.create(
        model="rehearsal-1",
        input="Hi you",
        instructions="Be brief.",
        max_output_tokens=100,
        max_tool_calls=3,
        metadata={"run": "7"},
        parallel_tool_calls=False,
        prompt_cache_key="p",
        reasoning={"effort": "low"},
        safety_identifier="u1",
        temperature=0.5,
        text={"format": {"type": "text"}, "verbosity": "low"},
        tool_choice="auto",
        tools=[ADD],
        top_logprobs=2,
        top_p=0.9,
        truncation="auto",
        user="u",
        service_tier="auto",
        include=["reasoning.encrypted_content"],
        stream=False,
    )
    body = raw.http_response.json()
    strictly(Response, body)
    message = body["output"][0]
    assert re.fullmatch(r"resp_[0-9a-f]{48}", body["id"])
    assert body == {
        "id": body["id"],
        "object": "response",
        "created_at": body["created_at"],
        "status": "completed",
        "background": False,
        "completed_at": body["completed_at"],
        "error": None,
        "incomplete_details": None,
        "instructions": "Be brief.",
        "max_output_tokens": 100,
        "max_tool_calls": 3,
        "model": "rehearsal-1",
        "output": [
            {
                "id": message["id"],
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Hello there, friend!", "annotations": [], "logprobs": []}],
            }
        ],
        "parallel_tool_calls": False,
        "reasoning": {"effort": "low", "summary": None},
        "text": {"format": {"type": "text"}, "verbosity": "low"},
        "tool_choice": "auto",
        "tools": [ADD],
        "truncation": "auto",
        "previous_response_id": None,
        "prompt_cache_key": "p",
        "safety_identifier": "u1",
        "service_tier": "default",
        "temperature": 0.5,
        "top_logprobs": 2,
        "top_p": 0.9,
        "usage": body["usage"],
        "user": "u",
        "metadata": {"run": "7"},
    }


async def test_usage_counts_input_tools_and_output(engine: Any, client: openai.AsyncOpenAI, strictly: Any) -> None:
    engine.will_say("Hello there, friend!")  # 5 tokens
    plain = await client.responses.create(model="rehearsal-1", input="one two three")
    assert plain.usage is not None
    assert plain.usage.to_dict() == {
        "input_tokens": 6,  # and 3 for the message
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 11,
    }
    with_tool = await client.responses.create(model="rehearsal-1", input="one two three", tools=[ADD])
    assert with_tool.usage is not None
    assert with_tool.usage.input_tokens > plain.usage.input_tokens


async def test_input_tokens_are_what_usage_will_say(client: openai.AsyncOpenAI) -> None:
    params: Any = {"model": "rehearsal-1", "input": "one two three", "instructions": "Be brief.", "tools": [ADD]}
    counted = await client.responses.input_tokens.count(**params)
    answered = await client.responses.create(**params)
    assert answered.usage is not None
    assert (counted.object, counted.input_tokens) == ("response.input_tokens", answered.usage.input_tokens)


async def test_the_engine_gets_the_request_as_it_was_meant(engine: Any, client: openai.AsyncOpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"x": {"type": "integer"}},
        "required": ["x"],
        "additionalProperties": False,
    }
    text_format: Any = {"type": "json_schema", "name": "point", "schema": schema, "strict": True}
    await client.responses.create(
        model="rehearsal-1",
        instructions="Be brief.",
        input=[
            {"role": "developer", "content": "Speak English."},
            {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"role": "assistant", "content": "Hello."},
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Look:"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
                    {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,AAAA"},
                ],
            },
        ],
        tools=[ADD],
        tool_choice="required",
        parallel_tool_calls=False,
        text={"format": text_format},
        max_output_tokens=50,
    )
    prompt = engine.prompt
    assert prompt.items[0] == {"type": "message", "role": "system", "content": "Be brief."}
    contents = [(item["role"], item["content"]) for item in prompt.items[1:]]
    assert contents == [
        ("developer", [{"type": "input_text", "text": "Speak English."}]),
        ("user", [{"type": "input_text", "text": "Hi"}]),
        ("assistant", [{"type": "output_text", "text": "Hello.", "annotations": []}]),
        (
            "user",
            [
                {"type": "input_text", "text": "Look:"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
                {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,AAAA"},
            ],
        ),
    ]
    assert (prompt.model, prompt.tools, prompt.tool_choice) == ("rehearsal-1", [ADD], "required")
    assert (prompt.parallel_tool_calls, prompt.text_format, prompt.max_output_tokens) == (False, text_format, 50)


@pytest.mark.parametrize(
    "choice",
    [
        "none",
        "auto",
        "required",
        {"type": "function", "name": "add"},
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "add"}]},
    ],
)
async def test_every_tool_choice_reaches_the_engine_and_is_repeated(
    engine: Any, client: openai.AsyncOpenAI, choice: Any
) -> None:
    response = await client.responses.create(model="rehearsal-1", input="Hi", tools=[ADD], tool_choice=choice)
    assert engine.prompt.tool_choice == choice
    repeated = response.tool_choice if isinstance(response.tool_choice, str) else response.tool_choice.to_dict()
    assert repeated == choice


async def test_structured_output_is_parsed_by_the_client(engine: Any, client: openai.AsyncOpenAI) -> None:
    from pydantic import BaseModel

    class Point(BaseModel):
        x: int
        y: list[int] = []

    engine.will_say('{"x": 3, "y": [4]}')
    response = await client.responses.parse(model="rehearsal-1", input="Where?", text_format=Point)
    assert response.output_parsed == Point(x=3, y=[4])


async def test_json_object_is_offered_where_the_prompt_says_json(engine: Any, client: openai.AsyncOpenAI) -> None:
    text: Any = {"format": {"type": "json_object"}}
    await client.responses.create(model="rehearsal-1", input="As JSON, please", text=text)
    assert engine.prompt.text_format == {"type": "json_object"}


async def test_a_stored_response_can_be_retrieved(client: openai.AsyncOpenAI) -> None:
    made = await client.responses.create(model="rehearsal-1", input="Hi")
    assert await client.responses.retrieve(made.id) == made


async def test_a_streamed_response_is_stored_too(client: openai.AsyncOpenAI, wire_events: Any, strictly: Any) -> None:
    *_, last = await wire_events()
    assert await wire(client, f"/responses/{last['response']['id']}") == last["response"]


async def test_a_response_that_failed_while_streaming_is_stored_as_failed(
    engine: Any, client: openai.AsyncOpenAI, wire_events: Any
) -> None:
    engine.pieces = [*engine.pieces, ValueError("no")]
    *_, last = await wire_events()
    assert await wire(client, f"/responses/{last['response']['id']}") == last["response"]


async def test_a_response_that_is_not_to_be_stored_is_not(client: openai.AsyncOpenAI, tmp_path: Any) -> None:
    made = await client.responses.create(model="rehearsal-1", input="Hi", store=False)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(openai.NotFoundError, match=f"Response with id '{made.id}' not found."):
        await client.responses.retrieve(made.id)


async def test_a_deleted_response_is_gone(client: openai.AsyncOpenAI) -> None:
    made = await client.responses.create(model="rehearsal-1", input="Hi")
    reply = await client.responses.with_raw_response.delete(made.id)
    assert reply.http_response.json() == {"id": made.id, "object": "response", "deleted": True}
    for again in (client.responses.retrieve, client.responses.delete, client.responses.input_items.list):
        with pytest.raises(openai.NotFoundError, match=made.id):
            await again(made.id)


async def test_a_finished_response_cannot_be_cancelled(client: openai.AsyncOpenAI) -> None:
    made = await client.responses.create(model="rehearsal-1", input="Hi")
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        await client.responses.cancel(made.id)
    with pytest.raises(openai.NotFoundError, match="resp_none"):
        await client.responses.cancel("resp_none")


async def test_a_conversation_goes_on_from_a_response(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.will_say("Hello Ann.")
    first = await client.responses.create(model="rehearsal-1", input="I am Ann", instructions="Be kind.")
    second = await client.responses.create(model="rehearsal-1", input="And I?", previous_response_id=first.id)
    third = await client.responses.create(
        model="rehearsal-1", input="Bye", previous_response_id=second.id, instructions="Be brief."
    )
    said = [
        (item["role"], item["content"] if isinstance(item["content"], str) else item["content"][0]["text"])
        for item in engine.prompt.items
    ]
    assert said == [
        ("system", "Be brief."),  # and not "Be kind.": instructions are not carried over
        ("user", "I am Ann"),
        ("assistant", "Hello Ann."),
        ("user", "And I?"),
        ("assistant", "Hello Ann."),
        ("user", "Bye"),
    ]
    assert third.previous_response_id == second.id


async def test_a_tools_output_goes_on_from_its_call(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.will_call(("add", '{"a": 1}'))
    first = await client.responses.create(model="rehearsal-1", input="Add 1", tools=[ADD])
    call = first.output[0]
    assert call.type == "function_call"
    engine.will_say("It is 1.")
    await client.responses.create(
        model="rehearsal-1",
        previous_response_id=first.id,
        tools=[ADD],
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "1"}],
    )
    assert [item["type"] for item in engine.prompt.items] == ["message", "function_call", "function_call_output"]
    assert engine.prompt.items[1]["call_id"] == engine.prompt.items[2]["call_id"] == call.call_id


async def test_a_call_that_was_cut_needs_no_output(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.will_call(("add", "[" + "1, " * 40 + "1]"))
    first = await client.responses.create(model="rehearsal-1", input="Add", tools=[ADD], max_output_tokens=16)
    assert first.status == "incomplete"
    engine.will_say("Again?")
    second = await client.responses.create(model="rehearsal-1", input="Well?", previous_response_id=first.id)
    assert second.output_text == "Again?"


async def test_output_goes_back_in_as_input(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.will_call(("add", '{"a": 1}'))
    first = await client.responses.create(model="rehearsal-1", input="Add 1", tools=[ADD], store=False)
    history: list[Any] = [{"role": "user", "content": "Add 1"}, *first.output]
    history.append({"type": "function_call_output", "call_id": first.output[0].call_id, "output": "1"})  # type: ignore[union-attr]
    engine.will_say("It is 1.")
    second = await client.responses.create(model="rehearsal-1", input=history, tools=[ADD], store=False)
    third = await client.responses.create(model="rehearsal-1", input=[*history, *second.output], store=False)
    assert third.output_text == "It is 1."
    assert engine.prompt.items[-1]["content"][0]["text"] == "It is 1."


async def test_items_of_tools_that_are_not_here_are_taken_along(engine: Any, client: openai.AsyncOpenAI) -> None:
    search: Any = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "x"},
    }
    reasoning: Any = {"type": "reasoning", "id": "rs_1", "summary": []}
    await client.responses.create(model="rehearsal-1", input=[{"role": "user", "content": "Hi"}, reasoning, search])
    assert engine.prompt.items[1:] == [reasoning, search]


async def test_an_item_can_be_referred_to(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.will_say("Hello Ann.")
    first = await client.responses.create(model="rehearsal-1", input="I am Ann")
    reference: Any = {"type": "item_reference", "id": first.output[0].id}
    await client.responses.create(model="rehearsal-1", input=[reference, {"role": "user", "content": "Well?"}])
    assert engine.prompt.items[0] == first.output[0].to_dict()
    with pytest.raises(openai.NotFoundError, match="Item with id 'msg_none' not found"):
        await client.responses.create(model="rehearsal-1", input=[{"id": "msg_none"}])  # type: ignore[list-item]


async def test_input_items_are_all_that_a_response_was_made_from(
    engine: Any, client: openai.AsyncOpenAI, strictly: Any
) -> None:
    first = await client.responses.create(model="rehearsal-1", input="One", instructions="Be brief.")
    second = await client.responses.create(
        model="rehearsal-1",
        previous_response_id=first.id,
        input=[{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]}],
    )
    page = await wire(client, f"/responses/{second.id}/input_items?order=asc")
    strictly(ResponseItemList, page)
    assert [(item["role"], item["content"][0]["type"]) for item in page["data"]] == [
        ("user", "input_text"),
        ("assistant", "output_text"),
        ("user", "input_image"),
    ]
    assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][2]["id"])


async def test_input_items_come_a_page_at_a_time_newest_first(client: openai.AsyncOpenAI) -> None:
    texts = [f"m{number}" for number in range(5)]
    made = await client.responses.create(
        model="rehearsal-1", input=[{"role": "user", "content": text} for text in texts]
    )
    page = await client.responses.input_items.list(made.id, limit=2)
    assert page.has_more
    found = [item.content[0].text async for item in page]  # type: ignore[union-attr]
    assert found == texts[::-1]


async def test_input_items_with_calls_are_strictly_right(
    engine: Any, client: openai.AsyncOpenAI, strictly: Any
) -> None:
    items: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Add"},
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "1"}]},
        {"role": "assistant", "content": "1", "phase": "final_answer"},
        {"role": "user", "content": "Thanks"},
    ]
    made = await client.responses.create(model="rehearsal-1", input=items)
    page = await wire(client, f"/responses/{made.id}/input_items?order=asc&limit=100")
    strictly(ResponseItemList, page)
    assert [item["type"] for item in page["data"]] == [item.get("type", "message") for item in items]


async def test_models_are_listed(client: openai.AsyncOpenAI, strictly: Any) -> None:
    from openai.types import Model

    listed = await wire(client, "/models")
    assert [model["id"] for model in listed["data"]] == ["rehearsal-1", "tiny-1"]
    strictly(Model, listed["data"][0])
    assert (await client.models.retrieve("rehearsal-1")).owned_by == "agentkit"
    with pytest.raises(openai.NotFoundError, match="'gpt-6-astra' does not exist"):
        await client.models.retrieve("gpt-6-astra")


@pytest.mark.parametrize("name", ["gpt-6-astra", "gpt-4.1-mini", "o1", "o3-pro", "o4-mini", "chatgpt-image-latest"])
async def test_openais_models_are_stood_in_for_and_it_says_so(client: openai.AsyncOpenAI, name: str) -> None:
    raw = await client.responses.with_raw_response.create(model=name, input="Hi")
    assert raw.parse().model == "rehearsal-1"
    assert raw.headers["x-agentkit-notice"].startswith(f"{name} was asked for")


async def test_rehearsal_needs_no_notice(client: openai.AsyncOpenAI) -> None:
    raw = await client.responses.with_raw_response.create(model="rehearsal-1", input="Hi")
    assert "x-agentkit-notice" not in raw.headers


@pytest.mark.parametrize("name", ["llama-3", "rehearsal-2", "o2", "o10", "gptx", "gpt-6\nx: y", "ft:gpt-6:me"])
async def test_other_models_do_not_exist(client: openai.AsyncOpenAI, name: str) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        await client.responses.create(model=name, input="Hi")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


async def test_every_answer_has_an_id_of_its_own(client: openai.AsyncOpenAI) -> None:
    first = await client.responses.create(model="rehearsal-1", input="Hi")
    second = await client.responses.create(model="rehearsal-1", input="Hi")
    assert re.fullmatch(r"req_[0-9a-f]{48}", str(first._request_id))
    assert first._request_id != second._request_id


def test_the_blocking_client_is_answered_alike(engine: Any, sync_client: openai.OpenAI) -> None:
    engine.will_say("Hello there")
    made = sync_client.responses.create(model="rehearsal-1", input="Hi")
    assert made.output_text == "Hello there"
    assert sync_client.responses.retrieve(made.id) == made
    deltas = [
        event.delta
        for event in sync_client.responses.create(model="rehearsal-1", input="Hi", stream=True)
        if event.type == "response.output_text.delta"
    ]
    assert deltas == ["Hello", " there"]
