"""Settings and policies of retries, and what is read off an error."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest

from agentkit._retry_after import retry_after_s
from agentkit.exceptions import ModelBehaviorError, ModelServerError, UserError
from agentkit.models import ModelSettings
from agentkit.models.retry import (
    ModelRetryAdvice,
    ModelRetryBackoffSettings,
    ModelRetryNormalizedError,
    ModelRetrySettings,
    RetryDecision,
    RetryPolicy,
    RetryPolicyContext,
    evaluate_policy,
    retry_policies,
)
from agentkit.models.retry_advice import acts, advise, normalize
from agentkit.tooling import (
    CodeInterpreterTool,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    WebSearchTool,
    function_tool,
)


@function_tool
def local() -> str:
    return ""


MCP = HostedMCPTool(tool_config={"type": "mcp", "server_label": "s", "server_url": "https://mcp.test"})
INTERPRETER = CodeInterpreterTool(tool_config={"type": "code_interpreter", "container": {"type": "auto"}})
IMAGES = ImageGenerationTool(tool_config={"type": "image_generation"})


def status_error(
    status: int, headers: dict[str, str] | None = None, body: Any = None, sent: dict[str, str] | None = None
) -> openai.APIStatusError:
    request = httpx2.Request("POST", "http://server.test/v1/responses", headers=sent)
    response = httpx2.Response(status, headers=headers, request=request)
    return openai.APIStatusError("no", response=response, body=body)


def connection_error(cause: Exception) -> openai.APIConnectionError:
    error = openai.APIConnectionError(request=httpx2.Request("POST", "http://server.test"))
    error.__cause__ = cause
    return error


def context(advice: ModelRetryAdvice | None = None, **known: Any) -> RetryPolicyContext:
    return RetryPolicyContext(Exception(), 1, 2, False, ModelRetryNormalizedError(**known), advice)


def decided(policy: RetryPolicy, given: RetryPolicyContext) -> RetryDecision:
    return asyncio.run(evaluate_policy(policy, given))


# Settings


def test_delays_double_up_to_the_most_without_jitter() -> None:
    backoff = ModelRetryBackoffSettings(initial_delay=1, max_delay=5, jitter=False)
    assert [backoff.delay(attempt) for attempt in (1, 2, 3, 4, 5000)] == [1, 2, 4, 5, 5]


def test_jitter_shortens_a_delay_by_no_more_than_half() -> None:
    delays = [ModelRetryBackoffSettings(initial_delay=4).delay(1) for _ in range(200)]
    assert 2 <= min(delays) < 2.5 < 3.5 < max(delays) <= 4


def test_backoff_may_be_given_by_name() -> None:
    settings = ModelRetrySettings(backoff={"initial_delay": 3.0, "jitter": False})
    assert settings.to_json_dict() == {
        "max_retries": None,
        "backoff": {"initial_delay": 3.0, "max_delay": None, "multiplier": None, "jitter": False},
    }


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: ModelRetrySettings(max_retries=-1), "max_retries=-1"),
        (lambda: ModelRetrySettings(max_retries=True), "max_retries=True"),
        (lambda: ModelRetrySettings(backoff={"delay": 1}), "no 'delay'"),
        (lambda: ModelRetrySettings(policy="always"), "policy='always'"),  # type: ignore[arg-type]
        (lambda: ModelRetryBackoffSettings(max_delay=-2), "max_delay=-2"),
        (lambda: ModelRetryBackoffSettings(multiplier=float("nan")), "multiplier=nan"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make: Callable[[], object], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        make()


def test_a_runs_retry_settings_are_put_over_an_agents_field_by_field() -> None:
    never = retry_policies.never()
    agents = ModelSettings(retry=ModelRetrySettings(max_retries=5, backoff={"initial_delay": 1, "max_delay": 9}))
    runs = ModelSettings(retry=ModelRetrySettings(policy=never, backoff={"max_delay": 3}))
    expected = ModelRetrySettings(5, ModelRetryBackoffSettings(initial_delay=1, max_delay=3), never)
    assert agents.resolve(runs).retry == expected
    assert agents.resolve(ModelSettings(temperature=1)).retry == agents.retry


# What is read off an error


def test_the_facts_of_a_status_error() -> None:
    error = status_error(429, {"retry-after": "7", "x-request-id": "req_1"}, {"code": "rate_limit_exceeded"})
    assert normalize(error) == ModelRetryNormalizedError(
        status_code=429,
        error_code="rate_limit_exceeded",
        message="no",
        request_id="req_1",
        retry_after=7.0,
    )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": "20", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "Sat, 21 Nov 2026 06:00:30 GMT"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 06:00:30 -0000"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 05:00:00 GMT"}, 0.0),
        ({"Retry-After": "3"}, 3.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        (httpx2.Headers({"Retry-After": "4"}), 4.0),
        (None, None),
    ],
)
def test_how_long_a_server_asks_to_wait(headers: Any, seconds: float | None) -> None:
    assert retry_after_s(headers, now=lambda: 1795240800.0) == seconds  # 2026-11-21 06:00 UTC


def test_errors_of_any_package_are_known_by_their_class_and_cause() -> None:
    wrapped = RuntimeError("my model failed")
    wrapped.__cause__ = ConnectionResetError()
    known = normalize(wrapped)
    assert (known.is_network_error, known.is_timeout) == (True, False)
    assert normalize(TimeoutError()).is_timeout
    assert normalize(ValueError()) == ModelRetryNormalizedError(message="")


REFUSED = connection_error(httpx2.ConnectError("refused"))


@pytest.mark.parametrize(
    ("error", "suggested", "safety"),
    [
        (REFUSED, True, "safe"),
        (connection_error(httpx2.ReadError("reset")), True, "unknown"),
        (connection_error(httpx2.ReadTimeout("slow")), True, "unknown"),
        (connection_error(httpx2.ConnectTimeout("slow")), True, "safe"),
        (status_error(408), True, "unknown"),
        (status_error(409), True, "unknown"),
        (status_error(429), True, "safe"),
        (status_error(500), True, "unknown"),
        (status_error(503), True, "unknown"),
        (status_error(503, {"retry-after": "1"}), True, "safe"),
        (status_error(400), False, "unknown"),
        (status_error(401), False, "unknown"),
        (status_error(400, body={"code": "conversation_locked"}), True, "safe"),
        (status_error(500, {"x-should-retry": "false"}), False, "unknown"),
        (status_error(400, {"x-should-retry": "true"}), True, "safe"),
        (status_error(429, body={"code": "insufficient_quota"}), False, "safe"),
        (status_error(429, body={"type": "insufficient_quota"}), False, "safe"),
        (status_error(500, sent={"x-stainless-retry-count": "2"}), False, "unknown"),
        (ModelBehaviorError("no JSON"), False, "unknown"),
        (UserError("no such tool"), False, "unknown"),
        (ModelServerError("a login page"), None, "unknown"),
        (ValueError("a bug"), None, "unknown"),
        (ConnectionRefusedError(), True, "safe"),
    ],
)
def test_what_is_suggested_after_an_error(error: Exception, suggested: bool | None, safety: str) -> None:
    advice = advise(error, normalize(error), started=False)
    assert (advice.suggested, advice.replay_safety) == (suggested, safety)


def test_once_the_answer_has_begun_nothing_is_safe_to_repeat() -> None:
    advice = advise(REFUSED, normalize(REFUSED), started=True)
    assert (advice.replay_safety, advice.response_started) == ("unsafe", True)


@pytest.mark.parametrize(
    ("arguments", "does"),
    [
        ({}, False),
        ({"tools": [local, WebSearchTool(), FileSearchTool(vector_store_ids=["vs"])]}, False),
        ({"previous_response_id": "resp_1"}, False),
        ({"tools": [local, MCP]}, True),
        ({"tools": [INTERPRETER]}, True),
        ({"tools": [IMAGES]}, True),
        ({"tools": [object()]}, True),
        ({"conversation_id": "conv_1"}, True),
        ({"prompt": {"id": "pmpt_1"}}, True),
        ({"model_settings": ModelSettings(extra_body={"conversation": "conv_1"})}, True),
        ({"model_settings": ModelSettings(extra_args={"tools": [{"type": "mcp"}]})}, True),
        ({"model_settings": ModelSettings(extra_args={"seed": 1})}, False),
    ],
)
def test_which_requests_may_do_something_twice(arguments: dict[str, Any], does: bool) -> None:
    assert acts(arguments) is does


# Policies


def test_never() -> None:
    assert decided(retry_policies.never(), context(is_network_error=True)) == RetryDecision(False)


def test_network_errors_are_those_and_timeouts() -> None:
    policy = retry_policies.network_error()
    answers = [decided(policy, each).retry for each in (context(is_network_error=True), context(is_timeout=True))]
    assert [*answers, decided(policy, context(status_code=500)).retry] == [True, True, False]


def test_by_http_status() -> None:
    policy = retry_policies.http_status([429, 503])
    assert [decided(policy, context(status_code=code)).retry for code in (429, 503, 500, None)] == [
        True, True, False, False,
    ]  # fmt: skip


def test_by_what_the_server_asks_to_wait() -> None:
    policy = retry_policies.retry_after()
    assert decided(policy, context(retry_after=3.0)) == RetryDecision(True, delay=3.0)
    assert decided(policy, context(ModelRetryAdvice(retry_after=4.0))) == RetryDecision(True, delay=4.0)
    assert decided(policy, context()) == RetryDecision(False)


def test_by_what_the_provider_suggests() -> None:
    policy = retry_policies.provider_suggested()
    yes = ModelRetryAdvice(True, retry_after=2.0, reason="busy")
    assert decided(policy, context(yes)) == RetryDecision(True, 2.0, "busy")
    assert decided(policy, context(ModelRetryAdvice(False))) == RetryDecision(False, is_veto=True)
    assert [decided(policy, context(each)) for each in (None, ModelRetryAdvice())] == [RetryDecision(False)] * 2


def test_any_takes_one_yes_and_all_takes_no_no() -> None:
    policies = retry_policies.network_error(), retry_policies.http_status([500])
    both = context(is_network_error=True, status_code=500)
    one = context(status_code=500)
    neither = context(status_code=400)
    assert [decided(retry_policies.any(*policies), each).retry for each in (both, one, neither)] == [True, True, False]
    assert [decided(retry_policies.all(*policies), each).retry for each in (both, one, neither)] == [True, False, False]
    assert [decided(make(), both).retry for make in (retry_policies.any, retry_policies.all)] == [False, False]


def test_any_has_the_delay_of_whichever_gives_one() -> None:
    policy = retry_policies.any(retry_policies.retry_after(), retry_policies.http_status([429]))
    assert decided(policy, context(status_code=429, retry_after=5.0)) == RetryDecision(True, delay=5.0)


def test_what_the_provider_advises_against_any_does_not_do() -> None:
    policy = retry_policies.any(retry_policies.http_status([500]), retry_policies.provider_suggested())
    assert decided(policy, context(ModelRetryAdvice(False), status_code=500)).retry is False


def test_policies_may_be_coroutines() -> None:
    async def first_time_only(given: RetryPolicyContext) -> bool:
        return given.attempt == 1

    policy = retry_policies.all(first_time_only, retry_policies.http_status([500]))
    assert decided(policy, context(status_code=500)).retry is True
