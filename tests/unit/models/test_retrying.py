"""Model calls that are made again: when, how often, after how long, and when not."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from agentkit.exceptions import ModelConnectionError, ModelServerError, ModelStatusError
from agentkit.models import (
    Model,
    ModelResponse,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    retrying,
)
from agentkit.models.retry import (
    ModelRetryAdvice,
    ModelRetryAdviceRequest,
    ModelRetrySettings,
    RetryDecision,
    RetryPolicyContext,
    retry_policies,
)
from agentkit.models.retrying import RetryNotice
from agentkit.tooling import HostedMCPTool

from .conftest import COMPLETION, RESPONSE, Wire, request

MCP = HostedMCPTool(tool_config={"type": "mcp", "server_label": "s", "server_url": "https://mcp.test"})
STEADY = {"backoff": {"jitter": False}}
BUSY = {"error": {"message": "busy", "type": "server_error"}}


class Caller:
    """Calls a model at a server, and keeps how long would have been waited."""

    def __init__(self, wire: Wire, **options: Any) -> None:
        self.model = OpenAIResponsesModel("m", wire.client(**{"max_retries": 2, **options}))
        self.waits: list[float] = []
        self.notices: list[RetryNotice] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def ask(self, retry: ModelRetrySettings | None = None, **fields: Any) -> ModelResponse:
        fields["model_settings"] = ModelSettings(retry=retry or ModelRetrySettings(**STEADY))
        return await retrying.get_response(
            self.model, request(**fields), on_retry=self.notices.append, sleep=self.sleep
        )

    async def stream(self, retry: ModelRetrySettings | None = None, **fields: Any) -> list[str]:
        fields["model_settings"] = ModelSettings(retry=retry or ModelRetrySettings(**STEADY))
        come: list[str] = []
        self.come = come
        async for batch in retrying.stream(
            self.model, request(**fields), on_retry=self.notices.append, sleep=self.sleep
        ):
            come += [event.wire_type for event in batch]
        return come


@pytest.fixture
def caller(wire: Wire) -> Caller:
    return Caller(wire)


async def test_a_call_that_works_is_made_once(wire: Wire, caller: Caller) -> None:
    wire.json(RESPONSE)
    assert (await caller.ask()).response_id == "resp_1"
    assert (len(wire.requests), caller.waits, caller.notices) == (1, [], [])


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
async def test_a_passing_failure_is_tried_again_after_a_while(wire: Wire, caller: Caller, status: int) -> None:
    wire.json(BUSY, status)
    wire.json(BUSY, status)
    wire.json(RESPONSE)
    assert (await caller.ask()).response_id == "resp_1"
    assert (len(wire.requests), caller.waits) == (3, [0.5, 1.0])


async def test_each_retry_is_told_before_the_wait(wire: Wire, caller: Caller) -> None:
    wire.json(BUSY, 500)
    wire.json(RESPONSE)
    await caller.ask()
    (notice,) = caller.notices
    assert isinstance(notice.error, ModelStatusError)
    assert (notice.attempt, notice.max_retries, notice.delay_s, notice.reason) == (1, 2, 0.5, "the server answered 500")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_refusal_is_not_tried_again(wire: Wire, caller: Caller, status: int) -> None:
    wire.json(BUSY, status)
    with pytest.raises(ModelStatusError):
        await caller.ask()
    assert len(wire.requests) == 1


async def test_when_it_goes_on_failing_the_error_says_how_often_it_was_tried(wire: Wire, caller: Caller) -> None:
    for _ in range(3):
        wire.json(BUSY, 500)
    with pytest.raises(ModelStatusError, match=r"busy.*It was tried 3 times\.$") as caught:
        await caller.ask()
    assert caught.value.status_code == 500
    assert len(wire.requests) == 3


async def test_a_lost_connection_is_tried_again(wire: Wire, caller: Caller) -> None:
    wire.fail(httpx2.ConnectError("refused"))
    wire.fail(httpx2.ReadTimeout("slow"))
    wire.json(RESPONSE)
    assert (await caller.ask()).response_id == "resp_1"


async def test_the_clients_own_retries_do_not_come_on_top(wire: Wire) -> None:
    caller = Caller(wire, max_retries=1)
    wire.json(BUSY, 500)
    wire.json(BUSY, 500)
    with pytest.raises(ModelStatusError):
        await caller.ask()
    assert [sent.headers["x-stainless-retry-count"] for sent in wire.requests] == ["0", "0"]


async def test_without_settings_there_are_as_many_retries_as_the_client_has(wire: Wire) -> None:
    caller = Caller(wire, max_retries=0)
    wire.json(BUSY, 500)
    with pytest.raises(ModelStatusError):
        await caller.ask()
    assert len(wire.requests) == 1


async def test_a_model_called_directly_leaves_retries_to_its_client(wire: Wire) -> None:
    model = OpenAIResponsesModel("m", wire.client(max_retries=1))
    wire.json(BUSY, 500, {"retry-after-ms": "1"})
    wire.json(RESPONSE)
    assert (await model.get_response(**request())).response_id == "resp_1"
    assert [sent.headers["x-stainless-retry-count"] for sent in wire.requests] == ["0", "1"]


async def test_settings_say_how_often(wire: Wire, caller: Caller) -> None:
    for _ in range(4):
        wire.json(BUSY, 500)
    wire.json(RESPONSE)
    await caller.ask(ModelRetrySettings(max_retries=4, **STEADY))
    assert caller.waits == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    "retry", [ModelRetrySettings(max_retries=0), ModelRetrySettings(policy=retry_policies.never())]
)
async def test_retries_can_be_switched_off(wire: Wire, caller: Caller, retry: ModelRetrySettings) -> None:
    wire.json(BUSY, 500)
    with pytest.raises(ModelStatusError):
        await caller.ask(retry)
    assert len(wire.requests) == 1


async def test_a_policy_decides_what_is_tried_again(wire: Wire, caller: Caller) -> None:
    wire.json(BUSY, 418)
    wire.json(RESPONSE)
    await caller.ask(ModelRetrySettings(policy=retry_policies.http_status([418]), **STEADY))
    assert len(wire.requests) == 2


# How long to wait


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({"retry-after": "7"}, 7.0), ({"retry-after-ms": "250"}, 0.25), ({"retry-after": "0"}, 0.5), ({}, 0.5)],
)
async def test_the_server_says_how_long_to_wait(
    wire: Wire, caller: Caller, headers: dict[str, str], wait: float
) -> None:
    wire.json(BUSY, 429, headers)
    wire.json(RESPONSE)
    await caller.ask()
    assert caller.waits == [wait]


async def test_an_absurdly_long_wait_is_told_and_not_made(wire: Wire, caller: Caller) -> None:
    wire.json(BUSY, 429, {"retry-after": "3600"})
    with pytest.raises(ModelStatusError, match=r"asks to wait 3600 s; agentkit waits 60 s at most\.$"):
        await caller.ask()
    assert (len(wire.requests), caller.waits) == (1, [])


async def test_a_longer_wait_can_be_allowed(wire: Wire, caller: Caller) -> None:
    wire.json(BUSY, 429, {"retry-after": "90"})
    wire.json(RESPONSE)
    await caller.ask(ModelRetrySettings(backoff={"max_delay": 120}))
    assert caller.waits == [90]


async def test_a_policy_may_say_how_long(wire: Wire, caller: Caller) -> None:
    wire.json(BUSY, 500, {"retry-after": "3"})
    wire.json(RESPONSE)
    await caller.ask(ModelRetrySettings(policy=lambda context: RetryDecision(True, delay=0.01)))
    assert caller.waits == [0.01]


async def test_waiting_can_be_cancelled(wire: Wire, caller: Caller) -> None:
    wire.json(BUSY, 500)
    waiting = asyncio.Event()

    async def forever(seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(retrying.get_response(caller.model, request(), sleep=forever))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(wire.requests) == 1


async def test_a_cancelled_call_is_not_made_again(caller: Caller) -> None:
    class Cancelled(Model):
        calls = 0

        async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
            self.calls += 1
            raise asyncio.CancelledError

        def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            raise NotImplementedError

    model = Cancelled()
    with pytest.raises(asyncio.CancelledError):
        await retrying.get_response(model, request(), sleep=caller.sleep)
    assert model.calls == 1


async def test_a_used_up_quota_is_not_waited_for(wire: Wire, caller: Caller) -> None:
    wire.json({"error": {"message": "no money", "code": "insufficient_quota"}}, 429)
    with pytest.raises(ModelStatusError, match="no money"):
        await caller.ask()
    assert len(wire.requests) == 1


# What must not be done twice


async def test_what_acts_is_not_repeated_where_the_server_may_have_done_it(wire: Wire, caller: Caller) -> None:
    wire.json(BUSY, 500)
    with pytest.raises(ModelStatusError, match=r"It was not tried again: the server may have carried it out"):
        await caller.ask(tools=[MCP])
    wire.fail(httpx2.ReadError("reset"))
    with pytest.raises(ModelConnectionError):
        await caller.ask(conversation_id="conv_1")
    assert len(wire.requests) == 2


@pytest.mark.parametrize(
    "turned_away",
    [
        lambda wire: wire.fail(httpx2.ConnectError("refused")),
        lambda wire: wire.json(BUSY, 429),
        lambda wire: wire.json(BUSY, 503, {"retry-after": "1"}),
    ],
)
async def test_what_acts_is_repeated_where_the_server_surely_did_nothing(
    wire: Wire, caller: Caller, turned_away: Callable[[Wire], None]
) -> None:
    turned_away(wire)
    wire.json(RESPONSE)
    await caller.ask(tools=[MCP], conversation_id="conv_1")
    assert len(wire.requests) == 2


async def test_a_policy_may_take_the_risk(wire: Wire, caller: Caller) -> None:
    wire.json(BUSY, 500)
    wire.json(RESPONSE)
    await caller.ask(
        ModelRetrySettings(policy=lambda context: RetryDecision(True, approve_unsafe_replay=True)), tools=[MCP]
    )
    assert len(wire.requests) == 2


# Streams


CREATED = {"type": "response.created", "response": {"id": "resp_1"}}
DELTA = {"type": "response.output_text.delta", "delta": "Hel"}
COMPLETED = {"type": "response.completed", "response": RESPONSE}


def failed(code: str) -> dict[str, Any]:
    return {"type": "response.failed", "response": {"status": "failed", "error": {"code": code, "message": "oh"}}}


async def test_a_stream_that_does_not_begin_is_tried_again(wire: Wire, caller: Caller, sse: Any) -> None:
    wire.json(BUSY, 503)
    wire.fail(httpx2.ConnectError("refused"))
    wire.stream(sse(CREATED, DELTA), sse(COMPLETED))
    assert await caller.stream() == ["response.created", "response.output_text.delta", "response.completed"]
    assert [sent.headers["x-stainless-retry-count"] for sent in wire.requests] == ["0"] * 3
    assert caller.waits == [0.5, 1.0]


async def test_a_stream_that_breaks_before_its_answer_is_tried_again(wire: Wire, caller: Caller, sse: Any) -> None:
    wire.stream(sse(CREATED), httpx2.ReadError("reset"))
    wire.stream(sse(CREATED), sse(DELTA, COMPLETED))
    assert await caller.stream() == [
        "response.created",
        "response.created",
        "response.output_text.delta",
        "response.completed",
    ]


async def test_once_some_of_an_answer_was_handed_on_it_is_never_asked_for_again(
    wire: Wire, caller: Caller, sse: Any
) -> None:
    body = wire.stream(sse(CREATED), sse(DELTA), httpx2.ReadError("reset"))
    with pytest.raises(ModelConnectionError, match="broke off: reset"):
        await caller.stream(ModelRetrySettings(policy=lambda context: RetryDecision(True, approve_unsafe_replay=True)))
    assert caller.come == ["response.created", "response.output_text.delta"]
    assert (len(wire.requests), body.closed) == (1, True)


async def test_a_failure_in_place_of_the_answer_is_tried_again(wire: Wire, caller: Caller, sse: Any) -> None:
    wire.stream(sse(CREATED), sse(failed("server_error")))
    wire.stream(sse(CREATED, failed("rate_limit_exceeded")))
    wire.stream(sse(DELTA, COMPLETED))
    assert await caller.stream() == ["response.created", "response.output_text.delta", "response.completed"]


async def test_a_failure_that_does_not_pass_is_raised(wire: Wire, caller: Caller, sse: Any) -> None:
    wire.stream(sse(CREATED), sse(failed("invalid_prompt")))
    with pytest.raises(ModelServerError, match=r"oh \(invalid_prompt\)") as caught:
        await caller.stream()
    assert (caught.value.code, len(wire.requests)) == ("invalid_prompt", 1)


async def test_a_stream_that_acts_is_not_repeated_once_it_was_announced(wire: Wire, caller: Caller, sse: Any) -> None:
    wire.stream(sse(CREATED), sse(failed("rate_limit_exceeded")))
    with pytest.raises(ModelServerError, match="not tried again"):
        await caller.stream(tools=[MCP])
    assert len(wire.requests) == 1


async def test_leaving_a_stream_closes_the_connection(wire: Wire, caller: Caller, sse: Any) -> None:
    body = wire.stream(sse(CREATED), sse(DELTA), sse(COMPLETED))
    batches = retrying.stream(caller.model, request())
    await anext(batches)
    await batches.aclose()
    assert body.closed


async def test_a_failed_response_is_tried_again(wire: Wire, caller: Caller) -> None:
    wire.json({"id": "r", "status": "failed", "error": {"code": "server_error", "message": "oh"}})
    wire.json(RESPONSE)
    assert (await caller.ask()).response_id == "resp_1"


# Any model


class Flaky(Model):
    """Fails as it is told, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def get_response(self, system_instructions: Any, input: Any) -> ModelResponse:  # type: ignore[override]
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return ModelResponse([])

    async def stream_response(self, input: Any) -> AsyncIterator[Any]:  # type: ignore[override]
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        yield DELTA


async def test_models_of_any_make_are_retried(caller: Caller) -> None:
    model = Flaky(ConnectionResetError(), TimeoutError())
    await retrying.get_response(model, request(), sleep=caller.sleep)
    streamed = Flaky(ConnectionResetError())
    events = [batch async for batch in retrying.stream(streamed, request(), sleep=caller.sleep)]
    assert (model.calls, streamed.calls, len(events)) == (3, 2, 1)


async def test_errors_that_are_no_servers_are_not_retried(caller: Caller) -> None:
    model = Flaky(ValueError("a bug"))
    with pytest.raises(ValueError, match="^a bug$"):
        await retrying.get_response(model, request(), sleep=caller.sleep)
    assert model.calls == 1


async def test_a_model_may_give_its_own_advice(caller: Caller) -> None:
    asked: list[ModelRetryAdviceRequest] = []

    class Advised(Flaky):
        def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice:
            asked.append(request)
            return ModelRetryAdvice(suggested=True, retry_after=0.2, replay_safety="safe")

    error = ValueError("my server is starting")
    await retrying.get_response(Advised(error), request(tools=[MCP]), sleep=caller.sleep)
    assert asked == [ModelRetryAdviceRequest(error, 1, False)]
    assert caller.waits == [0.2]


async def test_a_policy_is_given_what_is_known(wire: Wire, caller: Caller) -> None:
    given: list[RetryPolicyContext] = []
    wire.json(BUSY, 503, {"retry-after": "2"})

    def policy(context: RetryPolicyContext) -> bool:
        given.append(context)
        return False

    with pytest.raises(ModelStatusError) as caught:
        await caller.ask(ModelRetrySettings(policy=policy), previous_response_id="resp_0")
    (context,) = given
    assert context.error is caught.value
    assert (context.attempt, context.max_retries, context.stream, context.stateful_request) == (1, 2, False, True)
    assert (context.normalized.status_code, context.normalized.retry_after) == (503, 2.0)
    assert (context.replay_safety, context.response_started) == ("safe", False)


async def test_chat_completions_are_retried_too(wire: Wire, caller: Caller) -> None:
    model = OpenAIChatCompletionsModel("m", wire.client(max_retries=1))
    wire.json(BUSY, 500)
    wire.json(COMPLETION)
    response = await retrying.get_response(model, request(), sleep=caller.sleep)
    assert [item["type"] for item in response.raw_output] == ["message"]
    assert json.loads(wire.requests[0].content) == json.loads(wire.requests[1].content)


async def test_retries_are_logged_and_a_long_wait_is_a_warning(
    wire: Wire, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    wire.json(BUSY, 500)
    wire.json(BUSY, 429, {"retry-after": "20"})
    wire.json(RESPONSE)
    with caplog.at_level(logging.INFO, "agentkit"):
        await caller.ask()
    assert [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "agentkit"] == [
        ("INFO", "A model call failed (InternalServerError); retry 1 of 2 in 0.5 s."),
        ("WARNING", "A model call failed (RateLimitError); retry 2 of 2 in 20.0 s."),
    ]
