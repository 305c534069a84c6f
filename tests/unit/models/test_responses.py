from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest
from openai.types.responses import ResponseTextDeltaEvent
from pydantic import BaseModel

from agentkit import (
    Agent,
    ModelConnectionError,
    ModelServerError,
    ModelSettings,
    ModelStatusError,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    UnknownModelError,
    UserError,
    function_tool,
    spans,
)

from .conftest import Wire

MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Sunny.", "annotations": []}],
}
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "get_weather",
    "arguments": '{"city": "Oslo"}',
    "status": "completed",
}
USAGE = {
    "input_tokens": 10,
    "output_tokens": 5,
    "total_tokens": 15,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 2},
}


def response(*output: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "output": list(output),
        "usage": USAGE,
    } | fields


@function_tool
def get_weather(city: str) -> str:
    """Get the weather."""
    return f"Sunny in {city}."


def agent(wire: Wire, **fields: Any) -> Agent[Any]:
    return Agent(**{"name": "a", "model": OpenAIResponsesModel("m1", wire.client()), **fields})


async def test_the_request_holds_what_agent_and_settings_say(wire: Wire) -> None:
    wire.json(response(MESSAGE))
    settings = ModelSettings(temperature=0.5, max_tokens=100, verbosity="low", extra_body={"service_tier": "flex"})
    await Runner.run(agent(wire, instructions="Be brief.", model_settings=settings, tools=[get_weather]), "Hi")
    assert wire.requests[0].url.path == "/v1/responses"
    assert wire.requests[0].headers["authorization"] == "Bearer sk-test"
    assert wire.body() == {
        "model": "m1",
        "instructions": "Be brief.",
        "input": [{"role": "user", "content": "Hi"}],
        "temperature": 0.5,
        "max_output_tokens": 100,
        "text": {"verbosity": "low"},
        "service_tier": "flex",
        "tools": [
            {
                "type": "function",
                "name": "get_weather",
                "description": "Get the weather.",
                "strict": True,
                "parameters": get_weather.params_json_schema,
            }
        ],
    }


async def test_output_items_go_back_as_they_came(wire: Wire) -> None:
    wire.json(response(CALL))
    wire.json(response(MESSAGE))
    result = await Runner.run(agent(wire, tools=[get_weather]), "Oslo?")
    assert wire.body(1)["input"] == [
        {"role": "user", "content": "Oslo?"},
        CALL,
        {"type": "function_call_output", "call_id": "call_1", "output": "Sunny in Oslo."},
    ]
    assert result.final_output == "Sunny."
    assert (result.usage.input_tokens, result.usage.input_tokens_details.cached_tokens) == (20, 8)
    assert result.usage.output_tokens_details.reasoning_tokens == 4
    assert result.last_response_id == "resp_1"


async def test_the_trace_names_the_model_that_answered(wire: Wire) -> None:
    wire.json(
        response(MESSAGE, model="another", status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    )
    result = await Runner.run(agent(wire), "Hi")
    assert [(r.model, r.incomplete) for r in result.raw_responses] == [("another", "max_output_tokens")]
    assert spans(result.trace_id)["model"].dropna().tolist() == ["another"]


async def test_handoffs_are_sent_as_tools(wire: Wire) -> None:
    wire.json(response(MESSAGE))
    other = Agent(name="History Tutor", handoff_description="For history.")
    await Runner.run(agent(wire, handoffs=[other]), "Hi")
    assert wire.body()["tools"] == [
        {
            "type": "function",
            "name": "transfer_to_history_tutor",
            "description": "Handoff to the History Tutor agent to handle the request. For history.",
            "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
            "strict": True,
        }
    ]


class Answer(BaseModel):
    ok: bool


async def test_the_output_type_is_sent_as_a_schema(wire: Wire) -> None:
    content = [{"type": "output_text", "text": '{"ok": true}', "annotations": []}]
    wire.json(response({**MESSAGE, "content": content}))
    result = await Runner.run(agent(wire, output_type=Answer), "Hi")
    assert wire.body()["text"]["format"] == {
        "type": "json_schema",
        "name": "final_output",
        "strict": True,
        "schema": {
            "properties": {"ok": {"title": "Ok", "type": "boolean"}},
            "required": ["ok"],
            "title": "Answer",
            "type": "object",
            "additionalProperties": False,
        },
    }
    assert result.final_output == Answer(ok=True)


@pytest.mark.parametrize(
    ("choice", "sent"), [("required", "required"), ("get_weather", {"type": "function", "name": "get_weather"})]
)
async def test_tool_choice_may_be_a_tools_name(wire: Wire, choice: str, sent: Any) -> None:
    wire.json(response(MESSAGE))
    await Runner.run(agent(wire, tools=[get_weather], model_settings=ModelSettings(tool_choice=choice)), "Hi")
    assert wire.body()["tool_choice"] == sent


STREAM: list[dict[str, Any]] = [
    {"type": "response.created", "sequence_number": 0, "response": response(status="in_progress")},
    {"type": "response.output_text.delta", "sequence_number": 1, "item_id": "msg_1", "output_index": 0,
     "content_index": 0, "delta": "Sun", "logprobs": []},
    {"type": "response.output_text.delta", "sequence_number": 2, "item_id": "msg_1", "output_index": 0,
     "content_index": 0, "delta": "ny.", "logprobs": []},
    {"type": "response.completed", "sequence_number": 3, "response": response(MESSAGE)},
]  # fmt: skip


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_a_stream_is_the_same_however_it_is_cut(
    wire: Wire, sse: Callable[..., bytes], named: bool, size: int
) -> None:
    data = sse(*STREAM, named=named)
    wire.stream(*[data[i : i + size] for i in range(0, len(data), size)])
    result = Runner.run_streamed(agent(wire), "Hi")
    events = [event async for event in result.stream_events()]
    raw = [event for event in events if event.type == "raw_response_event"]
    assert [event.json for event in raw] == STREAM
    assert [e.data.delta for e in raw if isinstance(e.data, ResponseTextDeltaEvent)] == ["Sun", "ny."]
    assert (result.final_output, result.usage.total_tokens) == ("Sunny.", 15)
    assert wire.body()["stream"] is True


async def test_unknown_events_and_items_are_no_wrong_class(wire: Wire, sse: Callable[..., bytes]) -> None:
    odd = {"type": "response.telepathy.delta", "sequence_number": 9, "thought": "hm"}
    wire.stream(sse(odd, {**STREAM[-1], "response": response({"type": "telepathy", "id": "t1"}, MESSAGE)}))
    result = Runner.run_streamed(agent(wire), "Hi")
    data = [event.data async for event in result.stream_events() if event.type == "raw_response_event"]
    assert (type(data[0]), data[0].thought) == (openai.BaseModel, "hm")  # type: ignore[attr-defined]
    assert type(result.new_items[0].raw_item) is openai.BaseModel


async def test_a_stream_that_breaks_keeps_what_had_come(wire: Wire, sse: Callable[..., bytes]) -> None:
    body = wire.stream(sse(*STREAM[:3]), httpx2.RemoteProtocolError("peer closed connection"))
    result = Runner.run_streamed(agent(wire), "Hi")
    with pytest.raises(ModelConnectionError, match=r"http://server.test/v1/ broke off: peer closed") as caught:
        async for _ in result.stream_events():
            pass
    assert isinstance(caught.value, openai.APIConnectionError)
    assert (result.text, result.status, body.closed) == ("Sunny.", "error", True)
    assert caught.value.run_data is not None
    assert caught.value.run_data.to_input_list()[-1]["status"] == "incomplete"


async def test_a_stream_without_an_end_is_an_error(wire: Wire, sse: Callable[..., bytes]) -> None:
    wire.stream(sse(*STREAM[:2]))
    result = Runner.run_streamed(agent(wire), "Hi")
    with pytest.raises(ModelServerError, match="ended before its answer was complete"):
        async for _ in result.stream_events():
            pass


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "server_error", "message": "Out of memory", "param": None, "sequence_number": 1},
        {"type": "response.failed", "response": response(
            status="failed", error={"code": "server_error", "message": "Out of memory"})},
    ],
)  # fmt: skip
async def test_an_error_inside_the_stream_is_raised(wire: Wire, sse: Callable[..., bytes], event: Any) -> None:
    wire.stream(sse(STREAM[0], event))
    result = Runner.run_streamed(agent(wire), "Hi")
    with pytest.raises(ModelServerError, match=r"gave up on the answer: Out of memory \(server_error\)"):
        async for _ in result.stream_events():
            pass


async def test_an_error_without_type_inside_the_stream_is_raised(wire: Wire) -> None:
    wire.stream(b'data: {"error": {"message": "Overloaded", "code": "busy"}}\n\n')
    result = Runner.run_streamed(agent(wire), "Hi")
    with pytest.raises(ModelServerError, match=r"Overloaded \(busy\)"):
        async for _ in result.stream_events():
            pass


async def test_a_failed_response_is_raised(wire: Wire) -> None:
    wire.json(response(status="failed", error={"code": "server_error", "message": "Out of memory"}))
    with pytest.raises(ModelServerError, match="Out of memory"):
        await Runner.run(agent(wire), "Hi")


async def test_leaving_a_stream_closes_the_connection(wire: Wire, sse: Callable[..., bytes]) -> None:
    body = wire.stream(sse(*STREAM[:2]), *[sse(STREAM[2])] * 1000)
    result = Runner.run_streamed(agent(wire), "Hi")
    events = result.stream_events()
    async for event in events:
        if event.type == "raw_response_event" and event.wire_type.endswith("delta"):
            break
    await events.aclose()
    assert (body.closed, result.is_complete) == (True, True)


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (401, openai.AuthenticationError, "http://server.test/v1/ answered 401: Bad key. Check the API key"),
        (429, openai.RateLimitError, "answered 429: Bad key. The rate limit or the quota is used up"),
        (500, openai.InternalServerError, "answered 500: Bad key. The server failed; try again"),
        (404, openai.NotFoundError, "answered 404: Bad key. Check the model's name"),
        (400, openai.BadRequestError, "answered 400: Bad key."),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_error_statuses_are_ours_and_the_clients(
    wire: Wire, status: int, kind: type[Exception], text: str, streamed: bool
) -> None:
    wire.json({"error": {"message": "Bad key.", "type": "x", "code": "y", "param": None}}, status)
    with pytest.raises(ModelStatusError) as caught:
        if streamed:
            async for _ in Runner.run_streamed(agent(wire), "Hi").stream_events():
                pass
        else:
            await Runner.run(agent(wire), "Hi")
    assert isinstance(caught.value, kind)
    assert text in str(caught.value)
    assert (caught.value.status_code, caught.value.run_data is not None) == (status, True)


async def test_nobody_is_told_to_try_again_what_the_server_says_is_no_use(wire: Wire) -> None:
    error = {"message": "No such embedder.", "type": "server_error", "code": "storage_error", "param": None}
    wire.json({"error": error}, 500, headers={"x-should-retry": "false"})
    with pytest.raises(ModelStatusError, match=r"answered 500: No such embedder\.$"):
        await Runner.run(agent(wire), "Hi")


async def test_the_client_retries_as_it_is_told_to(wire: Wire) -> None:
    wire.json({"error": {"message": "Slow down."}}, 429, {"retry-after-ms": "1"})
    wire.json(response(MESSAGE))
    model = OpenAIResponsesModel("m1", wire.client(max_retries=1))
    assert (await Runner.run(agent(wire, model=model), "Hi")).final_output == "Sunny."


async def test_a_server_that_is_down_is_named(wire: Wire) -> None:
    wire.fail(httpx2.ConnectError("Connection refused"))
    with pytest.raises(ModelConnectionError, match=r"No connection to http://server.test/v1/: Connection refused"):
        await Runner.run(agent(wire), "Hi")


async def test_a_server_that_is_slow_is_named(wire: Wire) -> None:
    wire.fail(httpx2.ReadTimeout("too slow"))
    with pytest.raises(ModelConnectionError, match="http://server.test/v1/ did not answer in time") as caught:
        await Runner.run(agent(wire), "Hi")
    assert isinstance(caught.value, openai.APITimeoutError)


async def test_a_stream_cut_inside_an_event_keeps_what_had_come(wire: Wire, sse: Callable[..., bytes]) -> None:
    wire.stream(sse(*STREAM[:2]) + sse(STREAM[3])[:60])
    result = Runner.run_streamed(agent(wire), "Hi")
    with pytest.raises(ModelConnectionError, match="closed in the middle of an event") as caught:
        async for _ in result.stream_events():
            pass
    assert caught.value.run_data is not None
    assert caught.value.run_data.text == "Sun"


@pytest.mark.parametrize("content", [b"<html>login</html>", b"[]", b'"x"', b""])
@pytest.mark.parametrize("streamed", [False, True])
async def test_an_answer_that_is_no_object_is_shown(wire: Wire, content: bytes, streamed: bool) -> None:
    wire.answers.append(httpx2.Response(200, content=content, headers={"content-type": "text/html"}))
    with pytest.raises(ModelServerError, match="something that is no JSON object: .* It most often ends in /v1"):
        if streamed:
            async for _ in Runner.run_streamed(agent(wire), "Hi").stream_events():
                pass
        else:
            await Runner.run(agent(wire), "Hi")


async def test_an_error_in_place_of_a_stream_is_said(wire: Wire) -> None:
    wire.json({"error": {"message": "Overloaded", "code": "busy"}})
    with pytest.raises(ModelServerError, match=r"Overloaded \(busy\)"):
        async for _ in Runner.run_streamed(agent(wire), "Hi").stream_events():
            pass


async def test_a_key_that_the_server_quotes_is_not_shown(wire: Wire) -> None:
    wire.json({"error": {"message": "Incorrect key: sk-test-secret"}}, 401)
    model = OpenAIResponsesModel("m1", wire.client().with_options(api_key="sk-test-secret"))
    with pytest.raises(ModelStatusError) as caught:
        await Runner.run(agent(wire, model=model), "Hi")
    assert "sk-test-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("embedded", "The model 'm1' does not exist on the embedded platform."),
        ("embedded-4711", "The model 'm1' does not exist on the embedded platform."),
        ("platform", "The model 'm1' does not exist on the embedded …."),
    ],
)
async def test_a_word_that_stands_for_a_key_is_not_taken_out_of_errors(wire: Wire, key: str, said: str) -> None:
    wire.json({"error": {"message": "The model 'm1' does not exist on the embedded platform."}}, 404)
    model = OpenAIResponsesModel("m1", wire.client().with_options(api_key=key))
    with pytest.raises(ModelStatusError) as caught:
        await Runner.run(agent(wire, model=model), "Hi")
    assert said in str(caught.value)


async def test_an_unknown_model_is_named(wire: Wire) -> None:
    wire.json({"error": {"message": "The model 'm1' does not exist.", "code": "model_not_found"}}, 404)
    with pytest.raises(UnknownModelError, match="'m1' does not exist") as caught:
        await Runner.run(agent(wire), "Hi")
    assert isinstance(caught.value, openai.NotFoundError)


async def test_a_server_without_the_responses_api_is_told_apart(wire: Wire) -> None:
    wire.json({"detail": "Not Found"}, 404)
    with pytest.raises(ModelStatusError, match='api="chat_completions"'):
        await Runner.run(agent(wire), "Hi")


async def test_half_an_emoji_survives(wire: Wire) -> None:
    half = {**MESSAGE, "content": [{"type": "output_text", "text": "\ud83d", "annotations": []}]}
    wire.json(response(half, CALL))
    wire.json(response(MESSAGE))
    await Runner.run(agent(wire, tools=[get_weather]), "Hi")
    assert wire.body(1)["input"][1]["content"][0]["text"] == "\ud83d"


async def test_a_tool_that_cannot_be_carried_is_named(wire: Wire) -> None:
    with pytest.raises(UserError, match="OpenAIResponsesModel can't carry the tool 'web_search' of type Hosted"):

        class Hosted:
            name = "web_search"

        await OpenAIResponsesModel("m", wire.client()).get_response(None, "Hi", ModelSettings(), [Hosted()], None, [])  # type: ignore[list-item]


async def test_the_model_can_be_used_by_itself(wire: Wire, sse: Callable[..., bytes]) -> None:
    wire.stream(sse(*STREAM))
    model = OpenAIResponsesModel("m1", wire.client())
    kinds = [event.type async for event in model.stream_response(None, "Hi", ModelSettings(), [], None, [])]
    assert kinds == [event["type"] for event in STREAM]


async def test_a_subclass_with_its_own_stream_is_heard(wire: Wire, sse: Callable[..., bytes]) -> None:
    class Shouting(OpenAIResponsesModel):
        async def stream_response(self, *args: Any, **kwargs: Any) -> Any:
            async for event in super().stream_response(*args, **kwargs):
                if isinstance(event, ResponseTextDeltaEvent):
                    event.delta = event.delta.upper()
                yield event

    wire.stream(sse(*STREAM))
    result = Runner.run_streamed(agent(wire, model=Shouting("m1", wire.client())), "Hi")
    data = [event.data async for event in result.stream_events() if event.type == "raw_response_event"]
    assert [event.delta for event in data if isinstance(event, ResponseTextDeltaEvent)] == ["SUN", "NY."]


async def test_a_notice_from_the_platform_is_said_once(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        wire.json(response(MESSAGE), headers={"x-agentkit-notice": "Another model answered."})
        await Runner.run(agent(wire), "Hi")
    assert caplog.messages == ["Another model answered."]


async def test_run_config_names_the_model(wire: Wire) -> None:
    from agentkit import OpenAIProvider

    wire.json(response(MESSAGE))
    config = RunConfig(model="m2", model_provider=OpenAIProvider(openai_client=wire.client()))
    await Runner.run(Agent(name="a", model="m1"), "Hi", run_config=config)
    assert wire.body()["model"] == "m2"


async def test_a_server_that_streams_unasked_is_read_all_the_same(wire: Wire, sse: Callable[..., bytes]) -> None:
    wire.stream(sse(*STREAM) + b"data: [DONE]\n\n")
    result = await Runner.run(agent(wire), "Hi")
    assert (result.final_output, result.usage.total_tokens) == ("Sunny.", 15)


async def test_an_error_in_a_stream_that_nobody_asked_for_is_raised(wire: Wire, sse: Callable[..., bytes]) -> None:
    wire.stream(sse(STREAM[0]) + b'data: {"error": {"message": "Out of memory"}}\n\n')
    with pytest.raises(ModelServerError, match="gave up on the answer: Out of memory"):
        await Runner.run(agent(wire), "Hi")


@pytest.mark.parametrize("said", [{"detail": "Pinned to m2"}, {"error": {"message": "Pinned to m2."}}])
async def test_what_a_server_says_of_an_error_is_a_sentence_of_its_own(wire: Wire, said: dict[str, Any]) -> None:
    wire.json(said, status=403)
    with pytest.raises(ModelStatusError, match=r"answered 403: Pinned to m2\. The key may not use this model"):
        await Runner.run(agent(wire), "Hi")
