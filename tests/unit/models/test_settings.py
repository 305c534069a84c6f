"""Settings: each on the wire of both APIs, or left out as its description says; and how they combine."""

import asyncio
from dataclasses import fields
from typing import Any

import httpx2
import openai
import pytest
from openai.types.shared import Reasoning

from agentkit import (
    Agent,
    ModelConnectionError,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    UserError,
)

from .conftest import COMPLETION, RESPONSE, Chunks, Wire, ask, ask_streamed

OMITTED: dict[str, Any] = {}

# setting, value, what it becomes with Responses, what with Chat Completions
ON_THE_WIRE: list[tuple[str, Any, dict[str, Any], dict[str, Any]]] = [
    ("temperature", 0.5, {"temperature": 0.5}, {"temperature": 0.5}),
    ("top_p", 0.9, {"top_p": 0.9}, {"top_p": 0.9}),
    ("frequency_penalty", 0.1, OMITTED, {"frequency_penalty": 0.1}),
    ("presence_penalty", 0.2, OMITTED, {"presence_penalty": 0.2}),
    ("tool_choice", "none", {"tool_choice": "none"}, {"tool_choice": "none"}),
    ("parallel_tool_calls", False, {"parallel_tool_calls": False}, {"parallel_tool_calls": False}),
    ("truncation", "auto", {"truncation": "auto"}, OMITTED),
    ("max_tokens", 99, {"max_output_tokens": 99}, {"max_tokens": 99}),
    ("reasoning", {"effort": "low"}, {"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"}),
    ("reasoning", Reasoning(effort="low"), {"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"}),
    ("verbosity", "high", {"text": {"verbosity": "high"}}, {"verbosity": "high"}),
    ("metadata", {"a": "b"}, {"metadata": {"a": "b"}}, {"metadata": {"a": "b"}}),
    ("store", False, {"store": False}, {"store": False}),
    ("prompt_cache_retention", "24h", {"prompt_cache_retention": "24h"}, {"prompt_cache_retention": "24h"}),
    (
        "prompt_cache_options",
        {"mode": "explicit", "ttl": "30m"},
        {"prompt_cache_options": {"mode": "explicit", "ttl": "30m"}},
        {"prompt_cache_options": {"mode": "explicit", "ttl": "30m"}},
    ),
    (
        "context_management",
        [{"type": "compaction", "compact_threshold": 9}],
        {"context_management": [{"type": "compaction", "compact_threshold": 9}]},
        OMITTED,
    ),
    ("include_usage", False, OMITTED, OMITTED),
    ("response_include", ["code_interpreter_call.outputs"], {"include": ["code_interpreter_call.outputs"]}, OMITTED),
    (
        "top_logprobs",
        2,
        {"top_logprobs": 2, "include": ["message.output_text.logprobs"]},
        {"top_logprobs": 2, "logprobs": True},
    ),
    ("timeout", 30.0, OMITTED, OMITTED),
    ("extra_body", {"seed": 7}, {"seed": 7}, {"seed": 7}),
    ("extra_args", {"service_tier": "flex"}, {"service_tier": "flex"}, {"service_tier": "flex"}),
]
NOT_IN_THE_BODY = {"extra_query", "extra_headers", "retry"}
"""Tested below; `retry` where retries are."""


def test_every_setting_is_tested() -> None:
    assert {f.name for f in fields(ModelSettings)} <= {row[0] for row in ON_THE_WIRE} | NOT_IN_THE_BODY


@pytest.mark.parametrize(("name", "value", "expected"), [(n, v, r) for n, v, r, _ in ON_THE_WIRE])
async def test_a_setting_in_a_request_of_the_responses_api(wire: Wire, name: str, value: Any, expected: Any) -> None:
    wire.json(RESPONSE)
    await ask(OpenAIResponsesModel("m1", wire.client()), model_settings=ModelSettings(**{name: value}))
    assert wire.body() == {"model": "m1", "input": [{"role": "user", "content": "Hi"}]} | expected


@pytest.mark.parametrize(("name", "value", "expected"), [(n, v, c) for n, v, _, c in ON_THE_WIRE])
async def test_a_setting_in_a_request_of_chat_completions(wire: Wire, name: str, value: Any, expected: Any) -> None:
    wire.json(COMPLETION)
    await ask(OpenAIChatCompletionsModel("m1", wire.client()), model_settings=ModelSettings(**{name: value}))
    assert wire.body() == {"model": "m1", "messages": [{"role": "user", "content": "Hi"}]} | expected


@pytest.mark.parametrize(("include_usage", "sent"), [(None, True), (True, True), (False, False)])
async def test_a_stream_is_asked_for_its_usage(wire: Wire, include_usage: bool | None, sent: bool) -> None:
    wire.stream(b'data: {"choices": [{"delta": {"content": "ok"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')
    settings = ModelSettings(include_usage=include_usage)
    await ask_streamed(OpenAIChatCompletionsModel("m1", wire.client()), model_settings=settings)
    assert wire.body().get("stream_options") == ({"include_usage": True} if sent else None)


@pytest.mark.parametrize("chat", [True, False])
async def test_headers_and_query_parameters_are_added(wire: Wire, chat: bool) -> None:
    wire.json(COMPLETION if chat else RESPONSE)
    settings = ModelSettings(extra_headers={"X-Team": "blue"}, extra_query={"api-version": "7"})
    await ask(
        (OpenAIChatCompletionsModel if chat else OpenAIResponsesModel)("m1", wire.client()), model_settings=settings
    )
    assert wire.requests[0].headers["x-team"] == "blue"
    assert wire.requests[0].url.params["api-version"] == "7"


async def test_extra_body_wins_over_extra_args_and_they_over_the_named_ones(wire: Wire) -> None:
    wire.json(RESPONSE)
    settings = ModelSettings(
        temperature=0.1, top_p=0.1, extra_args={"temperature": 0.2, "top_p": 0.2}, extra_body={"temperature": 0.3}
    )
    await ask(OpenAIResponsesModel("m1", wire.client()), model_settings=settings)
    assert (wire.body()["temperature"], wire.body()["top_p"]) == (0.3, 0.2)


def test_the_run_wins_over_the_agent_field_by_field() -> None:
    agent = ModelSettings(temperature=0.1, top_p=0.1, metadata={"of": "agent"}, store=True)
    run = ModelSettings(temperature=0.0, metadata={"from": "run"}, store=False, verbosity="low")
    assert agent.resolve(run) == ModelSettings(
        temperature=0.0, top_p=0.1, metadata={"from": "run"}, store=False, verbosity="low"
    )
    assert agent.resolve(None) == agent.resolve(ModelSettings()) == agent
    assert agent.resolve({"top_p": 0.5}).top_p == 0.5


def test_extra_args_of_both_are_merged() -> None:
    agent = ModelSettings(extra_args={"a": 1, "b": 1})
    run = ModelSettings(extra_args={"b": 2, "c": 2})
    assert agent.resolve(run).extra_args == {"a": 1, "b": 2, "c": 2}
    assert ModelSettings().resolve(run).extra_args == {"b": 2, "c": 2}
    assert agent.extra_args == {"a": 1, "b": 1}


async def test_a_run_puts_its_settings_over_the_agents(wire: Wire) -> None:
    wire.json(RESPONSE)
    model = OpenAIResponsesModel("m1", wire.client())
    agent = Agent(name="a", model=model, model_settings=ModelSettings(temperature=0.1, extra_args={"seed": 1}))
    settings = ModelSettings(temperature=0.9, extra_args={"service_tier": "flex"})
    await Runner.run(agent, "Hi", run_config=RunConfig(model_settings=settings))
    assert {key: wire.body()[key] for key in ("temperature", "seed", "service_tier")} == {
        "temperature": 0.9,
        "seed": 1,
        "service_tier": "flex",
    }


def test_settings_as_json_hold_plain_values_only() -> None:
    def decide() -> None: ...

    settings = ModelSettings(
        reasoning=Reasoning(effort="high"), metadata={"a": "b"}, extra_args={"f": decide, "t": (1, 2)}
    )
    made = settings.to_json_dict()
    assert set(made) == {f.name for f in fields(ModelSettings)}
    assert {key: value for key, value in made.items() if value is not None} == {
        "reasoning": {"effort": "high"},
        "metadata": {"a": "b"},
        "extra_args": {"f": "decide", "t": [1, 2]},
    }


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_time_limit_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(UserError, match="ModelSettings got timeout="):
        ModelSettings(timeout=seconds)


class Silent(Chunks):
    """A body that begins, and then waits until an hour has passed: at once, by the loop's clock."""

    async def __aiter__(self) -> Any:
        for piece in self.pieces:
            yield piece
        loop = asyncio.get_running_loop()
        now = loop.time
        loop.time = lambda: now() + 3600  # type: ignore[method-assign]
        await asyncio.Event().wait()


@pytest.mark.parametrize("model_class", [OpenAIChatCompletionsModel, OpenAIResponsesModel])
@pytest.mark.parametrize("streamed", [True, False])
async def test_the_time_limit_is_for_the_whole_answer(wire: Wire, model_class: Any, streamed: bool) -> None:
    kind = "text/event-stream" if streamed else "application/json"
    body = Silent([b"data: {}\n\n" if streamed else b"{"])
    wire.answers.append(httpx2.Response(200, headers={"content-type": kind}, stream=body))
    model = model_class("m1", wire.client())
    with pytest.raises(ModelConnectionError, match=r"http://server.test/v1/ had not answered in full after 60 s") as e:
        await (ask_streamed if streamed else ask)(model, model_settings=ModelSettings(timeout=60))
    assert isinstance(e.value, openai.APITimeoutError)
    assert body.closed
