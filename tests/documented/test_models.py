"""The documentation's examples of models, configuration, tracing and usage."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from running_examples import Run
from scripted_server import ScriptedServer

import agentkit

Script = Callable[..., subprocess.CompletedProcess[str]]


def printed(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()


def test_mixing_models_and_apis(script: Script) -> None:
    spanish, english = printed(script("models/mixing"))
    assert spanish.startswith("Spanish agent / ¡Hola!")
    assert english.startswith("English agent / Hello!")


def test_settings(run: Run, server: ScriptedServer) -> None:
    server.reply("Hello!")
    run("models/settings")
    wanted = {
        "model": "gpt-5", "temperature": 0.9, "parallel_tool_calls": False, "truncation": "auto", "store": True,
        "max_output_tokens": 500, "reasoning": {"effort": "high"}, "text": {"verbosity": "low"},
        "metadata": {"team": "docs"}, "include": ["reasoning.encrypted_content"], "safety_identifier": "user_1",
        "service_tier": "flex", "user": "user_12345",
    }  # fmt: skip
    assert {key: server.requests[0].get(key) for key in wanted} == wanted


def test_a_provider_of_ones_own(script: Script) -> None:
    assert printed(script("models/own_provider")) == ["6 × 7 = 42."]


def test_a_client_of_ones_own_for_all_agents(script: Script, address: tuple[str, str]) -> None:
    base_url, key = address
    done = script(
        "models/own_client_for_all", MY_BASE_URL=base_url, MY_API_KEY=key, OPENAI_BASE_URL="", OPENAI_API_KEY=""
    )
    assert printed(done) == ["The weather in Tokyo is sunny."]


def test_a_model_of_ones_own(run: Run) -> None:
    assert run("models/own_model").lines == ["You said: Hello"]


def test_retries(run: Run, server: ScriptedServer) -> None:
    server.fail(503).fail(500).reply("Hello!")
    assert run("models/retries").lines == ["Hello!"]
    assert len(server.requests) == 3


def test_prefixes_of_model_names(run: Run) -> None:
    assert run("models/prefixes").lines == ["6 × 7 = 42.", "UserError True"]


def test_litellm(script: Script) -> None:
    pytest.importorskip("litellm")
    assert printed(script("models/through_litellm")) == ["['The weather in Tokyo is sunny.']", "True"]


def test_a_default_key(script: Script) -> None:
    assert printed(script("config/key", OPENAI_API_KEY="")) == ["6 × 7 = 42."]


def test_a_default_api(script: Script) -> None:
    assert printed(script("config/api")) == ["6 × 7 = 42."]


def test_verbose_logging(script: Script) -> None:
    lines = printed(script("config/verbose_logging"))
    assert lines[-1] == "It is sunny in Oslo."
    assert len(lines) > 3  # what happens is told on stdout
    assert "get_weather" in "\n".join(lines[:-1])


def test_loggers_can_be_configured(script: Script) -> None:
    done = script("config/loggers")
    assert printed(done) == ["6 × 7 = 42."]
    assert done.stderr != ""  # a handler of one's own writes there


def test_several_runs_in_one_trace(run: Run) -> None:
    assert [line.partition(":")[0] for line in run("tracing/higher_level").lines] == ["Joke", "Rating"]
    assert list(agentkit.traces()["workflow"]) == ["Joke workflow"]
    assert len(agentkit.spans()[agentkit.spans()["kind"] == "agent"]) == 2


def test_a_trace_by_hand(run: Run) -> None:
    assert run("tracing/by_hand").lines == ["True True", "True True True", "True {'step': 1}", "None"]


def test_processors_added_and_replaced(script: Script) -> None:
    noted, same = printed(script("tracing/custom_processor"))
    assert noted == str(
        ["start of Agent workflow", "response", "function", "response", "agent", "end of Agent workflow"]
    )
    assert same == "True"


def test_tracing_is_switched_off_by_run_by_trace_and_for_all(run: Run) -> None:
    run("tracing/disabled")
    assert list(agentkit.traces()["workflow"]) == ["Kept"]


def test_a_trace_without_sensitive_data(run: Run) -> None:
    run("tracing/sensitive_data")
    spans = agentkit.spans().merge(agentkit.traces()[["trace_id", "workflow"]], on="trace_id")
    told = {name: str(rows.to_dict("records")) for name, rows in spans.groupby("workflow")}
    assert "1234" in told["include=True"]
    assert "1234" not in told["include=False"]


def test_settings_of_a_runs_trace(run: Run) -> None:
    trace_id = run("tracing/per_run_settings").printed.strip()
    (traced,) = agentkit.traces().to_dict("records")
    assert (traced["trace_id"], traced["workflow"], traced["group_id"]) == (trace_id, "Customer service", "thread_7")


def test_usage(run: Run, server: ScriptedServer) -> None:
    called = {"type": "function_call", "name": "get_weather", "arguments": '{"city": "Tokyo"}'}
    server.reply(called).reply("Sunny.").reply("Gladly!")
    assert run("usage/usage").lines == [
        "Weather → 2 requests, 30 total tokens",
        "Requests: 2",
        "Input tokens: 20",
        "Output tokens: 10",
        "Total tokens: 30",
        "Details: 8 4",
        "Request 1: 10 in, 5 out",
        "Request 2: 10 in, 5 out",
        "Requests: 1",
    ]


def test_demo_loop(run: Run) -> None:
    printed = run("usage/demo_loop", "My name is Ada.", "What is my name?", "quit").printed
    assert "Your name is Ada." in printed


def test_a_drawing_of_agents(run: Run) -> None:
    from pathlib import Path

    names = run("extensions/visualization").names
    drawing = Path("agent_graph.svg").read_text(encoding="utf-8")
    assert all(name in drawing for name in ("Triage agent", "Spanish agent", "English agent", "get_weather"))
    assert names["triage_agent"].name == "Triage agent"
