"""Servers of the Chat Completions API that differ from OpenAI's."""

import json
import logging
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from agentkit import ModelSettings, ModelStatusError, OpenAIChatCompletionsModel, OpenAIResponsesModel, function_tool
from agentkit.models import AgentOutputSchema, ChatQuirks, History
from agentkit.models.chat_quirks import known_quirks

from .conftest import COMPLETION, RESPONSE, Wire, ask, ask_streamed

NUMBERS = count()


class Answer(BaseModel):
    ok: bool


SCHEMA = AgentOutputSchema(Answer)


@function_tool
def look(place: str) -> str:
    """Look."""
    return place


def fresh(wire: Wire, quirks: ChatQuirks | None = None, **options: Any) -> OpenAIChatCompletionsModel:
    """A model of which nothing has been learned: what is, is kept for the process, by server and name."""
    return OpenAIChatCompletionsModel(f"fresh-{next(NUMBERS)}", wire.client(**options), quirks=quirks)


def completion(**message: Any) -> dict[str, Any]:
    return {"id": "cc1", "choices": [{"finish_reason": "stop", "message": {"role": "assistant"} | message}]}


def call(call_id: Any = "call_1", arguments: Any = '{"place": "here"}') -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "look", "arguments": arguments}}


def piece(call_id: Any = None, arguments: Any = "", name: str | None = "look", index: Any = 0) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {"index": index, "function": function} | ({} if call_id is None else {"id": call_id})


@pytest.fixture
def chunks(sse: Callable[..., bytes]) -> Callable[..., bytes]:
    def encode(*deltas: dict[str, Any], finish: str | None = "stop", **fields: Any) -> bytes:
        made = [{"id": "cc1", "choices": [{"delta": delta}], **fields} for delta in deltas]
        end = [{"id": "cc1", "choices": [{"delta": {}, "finish_reason": finish}]}] if finish else []
        return sse(*made, *end, named=False) + b"data: [DONE]\n\n"

    return encode


async def streamed_items(model: OpenAIChatCompletionsModel, **fields: Any) -> list[dict[str, Any]]:
    events = await ask_streamed(model, **fields)
    for event in events:
        TypeAdapter(ResponseStreamEvent).validate_python(event)
    items: list[dict[str, Any]] = events[-1]["response"]["output"]
    return items


# --- ids and pieces of calls ---


@pytest.mark.parametrize("call_id", [None, ""])
async def test_calls_without_ids_get_ones_that_no_other_call_of_the_conversation_has(
    wire: Wire, chunks: Any, call_id: str | None
) -> None:
    model, ids = fresh(wire), []
    for _ in range(2):
        wire.json(completion(tool_calls=[call(call_id), call(call_id)]))
        ids += [item["call_id"] for item in (await ask(model)).raw_output]
        wire.stream(chunks({"tool_calls": [piece(call_id, "{}"), piece(call_id, "{}", index=1)]}))
        ids += [item["call_id"] for item in await streamed_items(model)]
    assert len(set(ids)) == 8
    assert all(len(made) >= 20 for made in ids)


async def test_an_id_given_twice_becomes_two(wire: Wire, chunks: Any) -> None:
    model = fresh(wire)
    wire.json(completion(tool_calls=[call("x", '{"place": "a"}'), call("x", '{"place": "b"}')]))
    wire.stream(chunks({"tool_calls": [piece("x", '{"place": "a"}')]}, {"tool_calls": [piece("x", '{"place": "b"}')]}))
    wire.stream(chunks({"tool_calls": [piece("x", '{"place": "a"}'), piece("x", '{"place": "b"}', index=1)]}))
    for items in ((await ask(model)).raw_output, await streamed_items(model), await streamed_items(model)):
        assert [item["arguments"] for item in items] == ['{"place": "a"}', '{"place": "b"}']
        assert items[0]["call_id"] == "x"
        assert len({item["call_id"] for item in items}) == len({item["id"] for item in items}) == 2


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([piece("a", '{"place": '), piece("a", '"here"}')], id="id and name with each piece"),
        pytest.param([piece("a", "", "lo"), piece(None, "", "ok"), piece(None, '{"place": "here"}', None)], id="name"),
        pytest.param([piece("a", '{"place": "here"}'), piece("a", "")], id="an empty piece at the end"),
        pytest.param([piece("a", {"place": "here"})], id="an object"),
    ],
)
async def test_a_call_in_odd_pieces_is_one_call(wire: Wire, chunks: Any, pieces: list[dict[str, Any]]) -> None:
    wire.stream(chunks(*[{"tool_calls": [part]} for part in pieces]))
    (item,) = await streamed_items(fresh(wire))
    assert (item["call_id"], item["name"], json.loads(item["arguments"])) == ("a", "look", {"place": "here"})


async def test_calls_without_ids_all_numbered_0_are_told_apart(wire: Wire, chunks: Any) -> None:
    parts = [piece(None, ""), piece(None, '{"place": "a"}', None), piece(None, ""), piece(None, '{"place": "b"}', None)]
    wire.stream(chunks(*[{"tool_calls": [part]} for part in parts]))
    items = await streamed_items(fresh(wire))
    assert [(item["name"], item["arguments"]) for item in items] == [
        ("look", '{"place": "a"}'),
        ("look", '{"place": "b"}'),
    ]


async def test_nulls_where_something_could_be_are_passed_over(wire: Wire, chunks: Any) -> None:
    empty = {"content": None, "tool_calls": None, "reasoning_content": None, "refusal": None}
    wire.json({"choices": [{"message": empty | {"content": "ok"}, "finish_reason": None}], "usage": None})
    response = await ask(fresh(wire))
    assert [part["text"] for part in response.raw_output[0]["content"]] == ["ok"]
    assert (response.usage.requests, response.usage.total_tokens) == (1, 0)
    wire.stream(chunks(empty, {"content": "ok"}, empty, usage=None))
    (item,) = await streamed_items(fresh(wire))
    assert item["content"][0]["text"] == "ok"
    wire.json({"choices": [{"message": None, "finish_reason": "stop"}]})
    assert (await ask(fresh(wire))).raw_output == []


# --- reasoning ---


def thought(text: str, model: str) -> dict[str, Any]:
    return {
        "type": "reasoning",
        "id": "rs_cc1",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": text}],
        "status": "completed",
        "provider_data": {"api": "chat_completions", "model": model},
    }


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_what_a_model_thinks_becomes_a_reasoning_item(wire: Wire, chunks: Any, field: str) -> None:
    model = fresh(wire)
    wire.json(completion(content="Yes.", **{field: "Hm. Well."}))
    plain = (await ask(model)).raw_output
    assert plain[0] == thought("Hm. Well.", model.model)
    assert plain[1]["content"][0]["text"] == "Yes."
    wire.stream(chunks({field: "Hm. "}, {field: "Well."}, {"content": "Yes."}))
    assert await streamed_items(model) == plain


async def test_streamed_thoughts_arrive_as_events(wire: Wire, chunks: Any) -> None:
    wire.stream(chunks({"reasoning_content": "Hm."}, {"content": "Yes."}))
    events = await ask_streamed(fresh(wire))
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]


async def test_thoughts_inside_the_text_are_left_there(wire: Wire) -> None:
    wire.json(completion(content="<think>Hm.</think>Yes."))
    (item,) = (await ask(fresh(wire))).raw_output
    assert item["content"][0]["text"] == "<think>Hm.</think>Yes."


CALLED = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "nothing"}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.deepseek.com/v1", "deepseek-chat"),
        ("https://api.moonshot.ai/v1", "moonshot-v1"),
        ("http://server.test/v1", "kimi-k2.5"),
        ("https://openrouter.ai/api/v1", "moonshotai/Kimi-K2.5"),
        ("http://server.test/v1", "deepseek-ai/DeepSeek-V3.2"),
    ],
)
async def test_models_that_want_their_thoughts_back_get_them(wire: Wire, url: str, name: str) -> None:
    model = OpenAIChatCompletionsModel(name, wire.client(base_url=url))
    wire.json(COMPLETION)
    await ask(model, [{"role": "user", "content": "Hi"}, thought("Let me look.", name), CALLED, OUTPUT])
    assert wire.body()["messages"][1] == {
        "role": "assistant",
        "content": None,
        "reasoning_content": "Let me look.",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
    }


async def test_a_call_that_came_without_thoughts_goes_back_with_empty_ones(wire: Wire) -> None:
    model = OpenAIChatCompletionsModel("kimi-k2.5", wire.client())
    wire.json(COMPLETION)
    await ask(model, [{"role": "user", "content": "Hi"}, thought("Not mine.", "deepseek-chat"), CALLED, OUTPUT])
    assert wire.body()["messages"][1]["reasoning_content"] == ""


async def test_other_models_are_not_sent_thoughts_unless_told_so(wire: Wire) -> None:
    model, told = fresh(wire), fresh(wire, ChatQuirks(reasoning_field="reasoning"))
    for asked in (model, told):
        wire.json(COMPLETION)
        await ask(asked, [thought("Hm.", asked.model), CALLED, OUTPUT, thought("Well.", asked.model)])
    assert set(wire.body(0)["messages"][0]) == {"role", "content", "tool_calls"}
    assert len(wire.body(0)["messages"]) == 2
    assert wire.body(1)["messages"][0]["reasoning"] == "Hm."
    assert wire.body(1)["messages"][2] == {"role": "assistant", "content": "", "reasoning": "Well."}


async def test_the_responses_api_is_not_sent_the_thoughts_of_chat_models(wire: Wire) -> None:
    said = {"role": "assistant", "content": "Yes.", "provider_data": {"api": "chat_completions"}}
    history = History([{"role": "user", "content": "Hi"}, thought("Hm.", "m"), said])
    for new in ([], [thought("Well.", "m")], [{"role": "user", "content": "Sure?"}]):
        history += new
        wire.json(RESPONSE)
        await ask(OpenAIResponsesModel("m1", wire.client()), history)
    first = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes."}]
    assert [wire.body(i)["input"] for i in range(3)] == [first, first, [*first, {"role": "user", "content": "Sure?"}]]


# --- what tools return besides text ---


async def test_pictures_from_tools_follow_the_tools_messages(wire: Wire) -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}
    second = {**CALLED, "call_id": "c2"}
    history = History([CALLED, second])
    history.append({**OUTPUT, "output": [{"type": "input_text", "text": "A plot."}, image]})
    history.append(
        {
            **OUTPUT,
            "call_id": "c2",
            "output": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}],
        }
    )
    model = fresh(wire)
    wire.json(COMPLETION)
    await ask(model, history)
    tools, pictures = wire.body()["messages"][1:3], wire.body()["messages"][3]
    note = "(What the tool returned besides text follows below, marked c1.)"
    assert tools == [
        {"role": "tool", "tool_call_id": "c1", "content": f"A plot.\n{note}"},
        {"role": "tool", "tool_call_id": "c2", "content": "a\nb"},
    ]
    assert pictures == {
        "role": "user",
        "content": [
            {"type": "text", "text": "Returned by the tool call c1:"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "auto"}},
        ],
    }
    before = wire.body()["messages"]
    history.append({"role": "assistant", "content": "Nice."})
    wire.json(COMPLETION)
    await ask(model, history)
    assert wire.body()["messages"] == [*before, {"role": "assistant", "content": "Nice."}]


# --- servers that refuse something ---

Refusal = dict[str, Any]


def refusal(message: str) -> Refusal:
    return {"error": {"message": message, "type": "invalid_request_error"}}


async def test_where_there_are_no_schemas_json_is_asked_for_and_the_schema_told(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    model = fresh(wire)
    wire.json(refusal("This response_format type is unavailable now"), 400)
    wire.json(completion(content='{"ok": true}'))
    wire.json(completion(content='{"ok": true}'))
    await ask(model, system_instructions="Be brief.", output_schema=SCHEMA)
    await ask(model, output_schema=SCHEMA)
    assert [body.get("response_format", {}).get("type") for body in map(wire.body, range(3))] == [
        "json_schema",
        "json_object",
        "json_object",
    ]
    told = wire.body(1)["messages"][0]
    assert told["role"] == "system"
    assert told["content"].startswith("Be brief.\n\nWhen you give your final answer, give it as one JSON object")
    assert json.loads(told["content"].rpartition("\n")[2]) == SCHEMA.json_schema()
    assert [record.message for record in caplog.records if record.name == "agentkit"] == [
        f"http://server.test/v1/ takes no JSON schemas: they go into the instructions (model {model.model})."
    ]


async def test_where_there_is_no_json_mode_either_the_instructions_alone_ask(wire: Wire) -> None:
    model = fresh(wire)
    invalid = {"detail": [{"loc": ["body", "response_format", "type"], "msg": "Input should be 'text'"}]}
    wire.json(invalid, 422)
    wire.json(invalid, 422)
    wire.json(completion(content='```json\n{"ok": true}\n```'))
    response = await ask(model, output_schema=SCHEMA)
    assert "response_format" not in wire.body()
    assert "JSON schema" in wire.body()["messages"][0]["content"]
    assert SCHEMA.validate_json(response.raw_output[0]["content"][0]["text"]) == Answer(ok=True)


async def test_a_schema_that_is_at_fault_is_an_error_and_no_lesson(wire: Wire) -> None:
    wire.json(refusal("Invalid schema for response_format 'final_output': 'oneOf' is not permitted."), 400)
    with pytest.raises(ModelStatusError, match="'oneOf' is not permitted"):
        await ask(fresh(wire), output_schema=SCHEMA)


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize(
    ("said", "settings", "gone", "now"),
    [
        ("Unknown field: parallel_tool_calls", {"parallel_tool_calls": False}, "parallel_tool_calls", {}),
        ("max_tokens is not supported. Use 'max_completion_tokens' instead.", {"max_tokens": 9}, "max_tokens",
         {"max_completion_tokens": 9}),
    ],
)  # fmt: skip
async def test_a_field_that_is_refused_by_name_is_left_out_from_then_on(
    wire: Wire, chunks: Any, streamed: bool, said: str, settings: Any, gone: str, now: dict[str, Any]
) -> None:
    model = fresh(wire)
    wire.json(refusal(said), 400)
    for _ in range(2):
        if streamed:
            wire.stream(chunks({"content": "ok"}))
            await ask_streamed(model, model_settings=ModelSettings(**settings))
        else:
            wire.json(COMPLETION)
            await ask(model, model_settings=ModelSettings(**settings))
    assert [gone in body for body in map(wire.body, range(3))] == [True, False, False]
    assert now.items() <= wire.body(2).items()


async def test_stream_options_and_strict_that_are_refused_are_left_out(wire: Wire, chunks: Any) -> None:
    model, history = fresh(wire), History([{"role": "user", "content": "Hi"}])
    tools = [look]
    wire.json(refusal("Extra inputs are not permitted: stream_options"), 422)
    wire.json(refusal("tools.0.function.strict: Extra inputs are not permitted"), 422)
    wire.stream(chunks({"content": "ok"}))
    await ask_streamed(model, history, tools=tools)
    function = {"name": "look", "description": "Look.", "parameters": look.params_json_schema}
    assert wire.body(0)["tools"] == [{"type": "function", "function": {**function, "strict": True}}]
    assert wire.body(2)["tools"] == [{"type": "function", "function": function}]
    assert "stream_options" not in wire.body(1)


async def test_a_server_that_demands_thoughts_gets_them_from_then_on(wire: Wire) -> None:
    model = fresh(wire)
    wire.json(refusal("thinking is enabled but reasoning_content is missing in assistant tool call message"), 400)
    wire.json(COMPLETION)
    await ask(model, History([thought("Hm.", model.model), CALLED, OUTPUT]))
    assert wire.body(1)["messages"][0]["reasoning_content"] == "Hm."


async def test_a_server_that_wants_a_field_and_refuses_it_is_not_asked_for_ever(wire: Wire) -> None:
    wire.json(refusal("'max_tokens' is not supported"), 400)
    wire.json(refusal("'max_completion_tokens' is not supported"), 400)
    with pytest.raises(ModelStatusError, match="'max_completion_tokens' is not supported"):
        await ask(fresh(wire), model_settings=ModelSettings(max_tokens=9))
    assert len(wire.requests) == 2


@pytest.mark.parametrize(
    ("status", "said", "settings"),
    [
        (400, "max_tokens is too large: 9. It must be at most 4.", {"max_tokens": 9}),
        (400, "Unknown field: temperature", {"temperature": 1}),
        (400, "Unknown field: parallel_tool_calls", {}),
        (401, "parallel_tool_calls is not supported", {"parallel_tool_calls": True}),
    ],
)
async def test_other_refusals_are_errors_at_once(wire: Wire, status: int, said: str, settings: Any) -> None:
    wire.json(refusal(said), status)
    with pytest.raises(ModelStatusError, match=said):
        await ask(fresh(wire), model_settings=ModelSettings(**settings))
    assert len(wire.requests) == 1


async def test_learning_can_be_switched_off(wire: Wire) -> None:
    wire.json(refusal("response_format is not supported"), 400)
    with pytest.raises(ModelStatusError, match="response_format is not supported"):
        await ask(fresh(wire, ChatQuirks(learn=False)), output_schema=SCHEMA)


async def test_quirks_can_be_told_beforehand(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    quirks = ChatQuirks(
        structured_output="instructions",
        parallel_tool_calls=False,
        strict_tools=False,
        stream_options=False,
        token_limit="max_completion_tokens",
    )
    wire.stream(b'data: {"choices": [{"delta": {"content": "{}"}, "finish_reason": "stop"}]}\n\n')
    settings = ModelSettings(parallel_tool_calls=True, max_tokens=5)
    model = fresh(wire, quirks)
    await ask_streamed(model, tools=[look], output_schema=SCHEMA, model_settings=settings)
    body = wire.body()
    assert body["messages"].pop(0)["role"] == "system"
    assert body == {
        "model": model.model,
        "messages": [{"role": "user", "content": "Hi"}],
        "max_completion_tokens": 5,
        "stream": True,
        "tools": [
            {
                "type": "function",
                "function": {"name": "look", "description": "Look.", "parameters": look.params_json_schema},
            }
        ],
    }
    assert caplog.text == ""


def test_what_is_known_beforehand() -> None:
    assert known_quirks("server.test", "llama") == ChatQuirks()
    assert known_quirks("api.openai.com", "gpt-6-astra") == ChatQuirks(token_limit="max_completion_tokens", learn=False)
    assert known_quirks("api.deepseek.com", "deepseek-chat") == ChatQuirks(
        structured_output="json_object", reasoning_field="reasoning_content"
    )
