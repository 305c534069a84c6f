from collections.abc import Callable
from typing import Any

import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from agentkit import (
    Agent,
    ModelBehaviorError,
    ModelServerError,
    ModelSettings,
    OpenAIChatCompletionsModel,
    Runner,
    UserError,
    function_tool,
)

from .conftest import Wire

USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


def completion(finish: str = "stop", **message: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": None} | message
    return {"id": "cc1", "choices": [{"index": 0, "finish_reason": finish, "message": message}], "usage": USAGE}


def tool_call(call_id: str | None = "call_1", city: str = "Oslo") -> dict[str, Any]:
    function = {"name": "get_weather", "arguments": f'{{"city": "{city}"}}'}
    return {"id": call_id, "type": "function", "function": function}


@function_tool
def get_weather(city: str) -> str:
    """Get the weather."""
    return f"Sunny in {city}."


def agent(wire: Wire, **fields: Any) -> Agent[Any]:
    return Agent(**{"name": "a", "model": OpenAIChatCompletionsModel("m1", wire.client()), **fields})


async def test_a_run_with_tools_speaks_the_chat_format(wire: Wire) -> None:
    wire.json(completion("tool_calls", content="Let me look.", tool_calls=[tool_call(), tool_call("call_2", "Rome")]))
    wire.json(completion(content="Sunny in both."))
    settings = ModelSettings(temperature=0.5, max_tokens=100, frequency_penalty=0.1, reasoning={"effort": "low"})
    result = await Runner.run(agent(wire, instructions="Help.", tools=[get_weather], model_settings=settings), "Hi")
    assert wire.requests[0].url.path == "/v1/chat/completions"
    function = {"name": "get_weather", "description": "Get the weather.", "strict": True}
    assert wire.body(0) == {
        "model": "m1",
        "messages": [{"role": "system", "content": "Help."}, {"role": "user", "content": "Hi"}],
        "temperature": 0.5,
        "max_tokens": 100,
        "frequency_penalty": 0.1,
        "reasoning_effort": "low",
        "tools": [{"type": "function", "function": {**function, "parameters": get_weather.params_json_schema}}],
    }
    assert wire.body(1)["messages"][2:] == [
        {"role": "assistant", "content": "Let me look.", "tool_calls": [tool_call(), tool_call("call_2", "Rome")]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Sunny in Oslo."},
        {"role": "tool", "tool_call_id": "call_2", "content": "Sunny in Rome."},
    ]
    assert (result.final_output, result.usage.total_tokens) == ("Sunny in both.", 30)
    assert result.usage.input_tokens_details.cached_tokens == 8


class Answer(BaseModel):
    ok: bool


async def test_the_output_type_is_sent_as_response_format(wire: Wire) -> None:
    wire.json(completion(content='{"ok": true}'))
    result = await Runner.run(agent(wire, output_type=Answer), "Hi")
    sent = wire.body()["response_format"]
    assert (sent["type"], sent["json_schema"]["name"], sent["json_schema"]["strict"]) == (
        "json_schema",
        "final_output",
        True,
    )
    assert result.final_output == Answer(ok=True)


async def test_input_items_become_messages(wire: Wire) -> None:
    wire.json(completion(content="ok"))
    items = [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": [
            {"type": "input_text", "text": "What is this?"},
            {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
        ]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"role": "assistant", "content": [{"type": "output_text", "text": "A dot."}]},
        {"role": "user", "content": "Sure?"},
    ]  # fmt: skip
    await Runner.run(agent(wire), items)
    assert wire.body()["messages"] == [
        {"role": "developer", "content": "Be kind."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "auto"}},
            ],
        },
        {"role": "assistant", "content": "A dot."},
        {"role": "user", "content": "Sure?"},
    ]


async def test_an_item_without_a_chat_form_is_named(wire: Wire) -> None:
    with pytest.raises(UserError, match="can't carry an item of type 'computer_call'"):
        await Runner.run(agent(wire), [{"type": "computer_call", "id": "x"}])


async def test_calls_without_ids_get_some(wire: Wire) -> None:
    wire.json(completion("tool_calls", tool_calls=[tool_call(None), tool_call(None, "Rome")]))
    wire.json(completion(content="ok"))
    await Runner.run(agent(wire, tools=[get_weather]), "Hi")
    messages = wire.body(1)["messages"]
    assert [m["tool_call_id"] for m in messages[2:]] == [c["id"] for c in messages[1]["tool_calls"]]
    assert len({c["id"] for c in messages[1]["tool_calls"]}) == 2


async def test_an_answer_without_a_choice_is_an_error(wire: Wire) -> None:
    wire.json({"id": "cc1", "choices": []})
    with pytest.raises(ModelBehaviorError, match="answered without a choice"):
        await Runner.run(agent(wire), "Hi")


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "cc1", "object": "chat.completion.chunk", "choices": choices, **fields}


@pytest.fixture
def chat_sse(sse: Callable[..., bytes]) -> Callable[..., bytes]:
    return lambda *chunks: sse(*chunks, named=False) + b"data: [DONE]\n\n"


async def streamed(wire: Wire, **fields: Any) -> tuple[Any, list[dict[str, Any]]]:
    result = Runner.run_streamed(agent(wire, **fields), "Hi")
    return result, [e.json async for e in result.stream_events() if e.type == "raw_response_event"]


async def test_a_streamed_text_arrives_as_the_events_of_the_responses_api(wire: Wire, chat_sse: Any) -> None:
    wire.stream(
        chat_sse(
            chunk({"role": "assistant", "content": ""}),
            chunk({"content": "Sun"}),
            chunk({"content": "ny."}),
            chunk({}, "stop"),
            chunk(usage=USAGE),
        )
    )
    result, events = await streamed(wire)
    assert [event["type"] for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(10))
    assert (result.final_output, result.usage.total_tokens) == ("Sunny.", 15)
    assert wire.body()["stream_options"] == {"include_usage": True}
    for event in events:
        TypeAdapter(ResponseStreamEvent).validate_python(event)


async def test_tool_calls_in_pieces_are_put_together(wire: Wire, chat_sse: Any) -> None:
    def piece(index: int, call_id: str | None, name: str | None, arguments: str) -> dict[str, Any]:
        function = {"arguments": arguments} | ({"name": name} if name else {})
        return {"index": index, "function": function} | ({"id": call_id, "type": "function"} if call_id else {})

    wire.stream(
        chat_sse(
            chunk({"tool_calls": [piece(0, "call_1", "get_weather", "")]}),
            chunk({"tool_calls": [piece(0, None, None, '{"city": ')]}),
            chunk({"tool_calls": [piece(1, "call_2", "get_weather", '{"city": "Rome"}')]}),
            chunk({"tool_calls": [piece(0, None, None, '"Oslo"}')]}),
            chunk({}, "tool_calls"),
        )
    )
    wire.stream(chat_sse(chunk({"content": "ok"}), chunk({}, "stop")))
    result, events = await streamed(wire, tools=[get_weather])
    assert [item.output for item in result.new_items if item.type == "tool_call_output_item"] == [
        "Sunny in Oslo.",
        "Sunny in Rome.",
    ]
    for event in events:
        TypeAdapter(ResponseStreamEvent).validate_python(event)


def call_piece(arguments: Any, **fields: Any) -> dict[str, Any]:
    name = {"name": "get_weather"} if "id" in fields or fields.get("first") else {}
    fields.pop("first", None)
    return {"function": {**name, "arguments": arguments}, **fields}


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param(
            [call_piece('{"city": "Oslo"}', index=0, id="a"), call_piece('{"city": "Rome"}', index=0, id="b")],
            id="all numbered 0",
        ),
        pytest.param(
            [call_piece('{"city": "Oslo"}', index=None, id="a"), call_piece('{"city": "Rome"}', id="b")],
            id="not numbered",
        ),
        pytest.param(
            [
                call_piece("", id="a"),
                call_piece('{"city": "Oslo"}'),
                call_piece("", id="b"),
                call_piece('{"city": '),
                call_piece('"Rome"}'),
            ],
            id="not numbered, in pieces without id",
        ),
        pytest.param(
            [
                call_piece('{"city": ', index=0, first=True),
                call_piece('{"city": "Rome"}', index=1, first=True),
                call_piece('"Oslo"}', index=0),
            ],
            id="without ids",
        ),
        pytest.param(
            [call_piece({"city": "Oslo"}, index=0, id="a"), call_piece({"city": "Rome"}, index=1, id="b")],
            id="arguments as objects",
        ),
    ],
)
async def test_calls_are_told_apart_however_a_server_numbers_them(wire: Wire, chat_sse: Any, pieces: Any) -> None:
    wire.stream(chat_sse(*[chunk({"tool_calls": [piece]}) for piece in pieces], chunk({}, "tool_calls")))
    wire.stream(chat_sse(chunk({"content": "ok"}), chunk({}, "stop")))
    result, _ = await streamed(wire, tools=[get_weather])
    assert [item.output for item in result.new_items if item.type == "tool_call_output_item"] == [
        "Sunny in Oslo.",
        "Sunny in Rome.",
    ]


async def test_content_in_parts_is_text(wire: Wire, chat_sse: Any) -> None:
    parts = [{"type": "text", "text": "Sun"}, {"type": "text", "text": "ny."}]
    wire.stream(chat_sse(chunk({"content": parts}), chunk({}, "stop")))
    wire.json(completion(content=parts))
    assert (await streamed(wire))[0].final_output == "Sunny."
    assert (await Runner.run(agent(wire), "Hi")).final_output == "Sunny."


async def test_what_comes_after_done_is_not_waited_for(wire: Wire, chat_sse: Any) -> None:
    wire.stream(chat_sse(chunk({"content": "Sunny."}), chunk({}, "stop")), RuntimeError("read on after [DONE]"))
    assert (await streamed(wire))[0].final_output == "Sunny."


async def test_a_stream_without_anything_is_an_error(wire: Wire) -> None:
    wire.stream(b": ping\n\n")
    with pytest.raises(ModelServerError, match="ended before anything had come"):
        await streamed(wire)


async def test_a_stream_cut_by_the_token_limit_is_incomplete(wire: Wire, chat_sse: Any) -> None:
    wire.stream(chat_sse(chunk({"content": "Sun"}), chunk({}, "length")))
    result, events = await streamed(wire)
    assert events[-1]["type"] == "response.incomplete"
    assert events[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert result.final_output == "Sun"


async def test_a_stream_without_finish_reason_is_accepted_with_a_warning(
    wire: Wire, chat_sse: Any, caplog: pytest.LogCaptureFixture
) -> None:
    wire.stream(chat_sse(chunk({"content": "Sunny."})))
    result, _ = await streamed(wire)
    assert result.final_output == "Sunny."
    assert "ended without a finish reason" in caplog.text


async def test_an_error_inside_the_stream_is_raised(wire: Wire) -> None:
    wire.stream(b'data: {"error": {"message": "Overloaded", "code": "busy"}}\n\n')
    with pytest.raises(ModelServerError, match=r"Overloaded \(busy\)"):
        await streamed(wire)


async def test_streamed_and_plain_runs_produce_the_same_items(wire: Wire, chat_sse: Any) -> None:
    wire.json(completion("tool_calls", content="Look.", tool_calls=[tool_call()]))
    wire.json(completion(content="Sunny."))
    plain = await Runner.run(agent(wire, tools=[get_weather]), "Hi")
    call = {"index": 0, **tool_call()}
    wire.stream(chat_sse(chunk({"content": "Look."}), chunk({"tool_calls": [call]}), chunk({}, "tool_calls")))
    wire.stream(chat_sse(chunk({"content": "Sunny."}), chunk({}, "stop")))
    result, _ = await streamed(wire, tools=[get_weather])
    assert result.to_input_list() == plain.to_input_list()
