"""A run with agents, a handoff, tools and an error, sent to programs of others and read back from them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from receiver_programs import fetched, once

from agentkit import Agent, Runner, function_tool
from agentkit.exceptions import ToolCallError
from agentkit.records.export_otlp import export_otlp
from agentkit.testing import ScriptedModel, call
from agentkit.tracing import BatchTraceProcessor, add_trace_processor, flush_traces, trace
from agentkit.tracing.decorator import traced
from agentkit.tracing.otlp import OTLPSpanExporter
from agentkit.tracing.processors import reset_tracing

PARENTS = {
    "invoke_workflow Trip": None,
    "invoke_agent Triage": "invoke_workflow Trip",
    "handoff to Weather": "invoke_agent Triage",
    "invoke_agent Weather": "invoke_workflow Trip",
    "execute_tool get_weather": "invoke_agent Weather",
    "look_up": "execute_tool get_weather",
    "execute_tool broken": "invoke_agent Weather",
}
"""Of the spans whose name is there once."""
CALLS = ["invoke_agent Triage", "invoke_agent Weather", "invoke_agent Weather"]
"""Parents of the model calls."""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))
    reset_tracing()
    yield
    reset_tracing()


@traced
def look_up(city: str) -> str:
    return f"sunny in {city}"


@function_tool
def get_weather(city: str) -> str:
    """Say how the weather is."""
    return look_up(city)


@function_tool(failure_error_function=None)
def broken(city: str) -> str:
    """Say the time."""
    raise RuntimeError("the clock has stopped")


async def trip() -> str:
    """Run agents with everything that a trace can have; return its trace's id in hexadecimal."""
    model = ScriptedModel()
    model.reply(call("transfer_to_weather")).reply(call("get_weather", city="Oslo")).reply(call("broken", city="Oslo"))
    weather = Agent(name="Weather", instructions="Tell the weather.", model=model, tools=[get_weather, broken])
    triage = Agent(name="Triage", model=model, handoffs=[weather])
    with trace("Trip", group_id="chat-7") as around, pytest.raises(ToolCallError, match="the clock has stopped"):
        await Runner.run(triage, "How is it in Oslo?")
    return around.trace_id.removeprefix("trace_")


def check_tree(spans: list[dict[str, Any]]) -> None:
    """Check names and parents; each span has "name", "id" and "parent"."""
    names = {span["id"]: span["name"] for span in spans}
    assert len(spans) == len(names) == len(PARENTS) + len(CALLS)
    found = [(span["name"], names.get(span["parent"])) for span in spans]
    assert sorted(parent or "" for name, parent in found if name == "chat scripted") == CALLS
    assert {name: parent for name, parent in found if name != "chat scripted"} == PARENTS


# -- Phoenix ----------------------------------------------------------------------------------------------------------


def in_phoenix(url: str, trace_id: str, *, at_least: int = 10) -> list[dict[str, Any]]:
    def ask() -> list[dict[str, Any]] | None:
        data = fetched(f"{url}/v1/projects/default/spans?limit=1000")["data"]
        found = [span for span in data if span["context"]["trace_id"] == trace_id]
        return found if len(found) >= at_least else None

    found = once(ask, "The trace")
    return [{**span, "id": span["context"]["span_id"], "parent": span["parent_id"]} for span in found]


async def test_phoenix_shows_a_run_and_has_nothing_twice(phoenix: str) -> None:
    add_trace_processor(BatchTraceProcessor(OTLPSpanExporter(phoenix)))
    trace_id = await trip()
    flush_traces()
    spans = in_phoenix(phoenix, trace_id)
    check_tree(spans)
    assert {span["name"]: span["span_kind"] for span in spans} == {
        "invoke_workflow Trip": "CHAIN", "invoke_agent Triage": "AGENT", "handoff to Weather": "CHAIN",
        "invoke_agent Weather": "AGENT", "chat scripted": "LLM", "execute_tool get_weather": "TOOL",
        "look_up": "CHAIN", "execute_tool broken": "TOOL",
    }  # fmt: skip
    failed = {span["name"] for span in spans if span["status_code"] == "ERROR"}
    assert {"execute_tool broken", "invoke_agent Weather"} <= failed
    first = min((span for span in spans if span["name"] == "chat scripted"), key=lambda span: span["start_time"])
    about = first["attributes"]
    assert about["llm.model_name"] == "scripted"
    assert about["llm.input_messages.0.message.content"] == "How is it in Oslo?"
    assert about["session.id"] == "chat-7"
    assert export_otlp(endpoint=phoenix) == 1
    check_tree(in_phoenix(phoenix, trace_id))


# -- MLflow -----------------------------------------------------------------------------------------------------------


def in_mlflow(url: str, trace_id: str) -> dict[str, Any]:
    def ask() -> dict[str, Any] | None:
        found: dict[str, Any] = fetched(f"{url}/api/3.0/mlflow/traces/get?trace_id=tr-{trace_id}")["trace"]
        return found if len(found.get("spans", ())) >= 10 else None

    return once(ask, "The trace")


def as_tree(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"name": span["name"], "id": span["span_id"], "parent": span.get("parent_span_id") or None} for span in spans
    ]


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    return {each["key"]: next(iter(each["value"].values())) for each in span["attributes"]}


async def test_mlflow_shows_a_run_and_has_nothing_twice(mlflow: str) -> None:
    headers = {"x-mlflow-experiment-id": "0"}
    add_trace_processor(BatchTraceProcessor(OTLPSpanExporter(mlflow, headers)))
    trace_id = await trip()
    flush_traces()
    found = in_mlflow(mlflow, trace_id)
    check_tree(as_tree(found["spans"]))
    root = next(span for span in found["spans"] if span["name"] == "invoke_workflow Trip")
    assert base64.b64decode(root["trace_id"]).hex() == trace_id
    kinds = {span["name"]: attributes(span).get("mlflow.spanType", "").strip('"') for span in found["spans"]}
    assert {kinds[name] for name in ("chat scripted", "invoke_agent Weather", "execute_tool get_weather")} == {
        "CHAT_MODEL", "AGENT", "TOOL",
    }  # fmt: skip
    assert "Oslo" in found["trace_info"]["request_preview"]
    assert found["trace_info"]["trace_metadata"]["mlflow.trace.session"] == "chat-7"
    assert export_otlp(endpoint=mlflow, headers=headers) == 1
    check_tree(as_tree(in_mlflow(mlflow, trace_id)["spans"]))
