"""Traces sent by OpenTelemetry's protocol, to a receiver on this machine that decodes them with its own classes."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentkit import Agent, Runner, function_tool
from agentkit.exceptions import UserError
from agentkit.records.export_otlp import export_otlp
from agentkit.records.traces import traces
from agentkit.testing import ScriptedModel, call
from agentkit.tracing import (
    BatchTraceProcessor,
    add_trace_processor,
    agent_span,
    custom_span,
    flush_traces,
    generation_span,
    guardrail_span,
    handoff_span,
    mcp_tools_span,
    trace,
)
from agentkit.tracing.otlp import OtlpSender, OTLPSpanExporter
from agentkit.tracing.otlp_spans import otlp_span_id, otlp_trace_id, root_span_id

pytest.importorskip("opentelemetry.proto", reason="the wire format is checked with opentelemetry-proto")

from .otlp_receiver import Receiver, attributes, partial, receiving

KEY = "sk-abcdefghijklmnopqrstuvwxyz0123456789"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def scripted() -> ScriptedModel:
    return ScriptedModel()


def send_to(receiver: Receiver, **options: Any) -> OTLPSpanExporter:
    exporter = OTLPSpanExporter(receiver.url, **options)
    add_trace_processor(BatchTraceProcessor(exporter))
    return exporter


@function_tool
def get_weather(city: str) -> str:
    """Say how the weather is."""
    return f"sunny in {city}"


async def weather_run(scripted: ScriptedModel) -> str:
    scripted.reply(call("get_weather", city="Oslo")).reply("It is sunny.")
    agent = Agent(name="Forecaster", instructions="Tell the weather.", model=scripted, tools=[get_weather])
    with trace("Weather", group_id="chat-7", metadata={"user": "ada", "n": 1}) as around:
        await Runner.run(agent, "How is it in Oslo?")
    flush_traces()
    return around.trace_id


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
async def test_a_run_arrives_as_a_tree_by_the_genai_conventions(
    receiver: Receiver, scripted: ScriptedModel, protocol: str
) -> None:
    exporter = send_to(receiver, protocol=protocol, service_name="my notebook")
    trace_id = await weather_run(scripted)
    exporter.close()
    assert [(span.name, span.kind) for span in sorted(receiver.spans, key=lambda span: span.start_time_unix_nano)] == [
        ("invoke_workflow Weather", 1),
        ("invoke_agent Forecaster", 1),
        ("chat scripted", 3),
        ("execute_tool get_weather", 1),
        ("chat scripted", 3),
    ]
    assert {span.trace_id.hex() for span in receiver.spans} == {trace_id.removeprefix("trace_")}
    spans = receiver.by_name()
    root, agent = spans["invoke_workflow Weather"], spans["invoke_agent Forecaster"]
    tool = spans["execute_tool get_weather"]
    assert (root.parent_span_id, agent.parent_span_id, tool.parent_span_id) == (b"", root.span_id, agent.span_id)
    assert all(0 < span.start_time_unix_nano <= span.end_time_unix_nano for span in receiver.spans)
    assert root.end_time_unix_nano >= agent.end_time_unix_nano
    (resource,) = {
        group.resource.SerializeToString() for request in receiver.requests for group in request.resource_spans
    }
    assert b"my notebook" in resource
    about = attributes(root)
    expected = {
        "gen_ai.workflow.name": "Weather",
        "gen_ai.conversation.id": "chat-7",
        "agentkit.metadata.user": "ada",
        "agentkit.metadata.n": 1,
        "input.value": "How is it in Oslo?",
        "output.value": "It is sunny.",
    }
    assert {key: about.get(key) for key in expected} == expected
    found = attributes(tool)
    del found["agentkit.span_id"]
    assert found == {
        "agentkit.kind": "function",
        "agentkit.trace_id": trace_id,
        "gen_ai.conversation.id": "chat-7",
        "gen_ai.agent.name": "Forecaster",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "call_1_0",
        "gen_ai.tool.call.arguments": '{"city":"Oslo"}',
        "gen_ai.tool.call.result": "sunny in Oslo",
    }


async def test_a_model_call_has_messages_usage_and_tools(receiver: Receiver, scripted: ScriptedModel) -> None:
    send_to(receiver)
    await weather_run(scripted)
    first, second = [attributes(span) for span in receiver.spans if span.name == "chat scripted"]
    assert first["gen_ai.operation.name"] == "chat"
    assert first["gen_ai.provider.name"] == "openai"
    assert first["gen_ai.agent.name"] == "Forecaster"
    assert (first["gen_ai.request.model"], first["gen_ai.response.model"]) == ("scripted", "scripted")
    assert first["gen_ai.usage.input_tokens"] >= 0
    assert json.loads(first["gen_ai.system_instructions"]) == [{"type": "text", "content": "Tell the weather."}]
    assert json.loads(first["gen_ai.tool.definitions"]) == [{"type": "function", "name": "get_weather"}]
    assert json.loads(first["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "How is it in Oslo?"}]}
    ]
    (asked,) = json.loads(first["gen_ai.output.messages"])
    (part,) = asked["parts"]
    assert (asked["role"], asked["finish_reason"], part["type"], part["name"], part["arguments"]) == (
        "assistant", "tool_call", "tool_call", "get_weather", {"city": "Oslo"},
    )  # fmt: skip
    assert first["gen_ai.response.finish_reasons"] == ["tool_call"]
    assert second["gen_ai.response.finish_reasons"] == ["stop"]
    responses = [part for message in json.loads(second["gen_ai.input.messages"]) for part in message["parts"]]
    assert responses[-1] == {"type": "tool_call_response", "id": part["id"], "response": "sunny in Oslo"}


async def test_errors_have_a_status_a_type_and_an_event(receiver: Receiver) -> None:
    send_to(receiver)
    with pytest.raises(ZeroDivisionError), trace("Sums"), custom_span("divide"):
        _ = 1 / 0
    flush_traces()
    for span in receiver.spans:
        assert (span.status.code, span.status.message) == (2, "ZeroDivisionError: division by zero")
        assert attributes(span)["error.type"] == "ZeroDivisionError"
        (event,) = span.events
        assert (event.name, attributes(event)) == ("exception", {
            "exception.type": "ZeroDivisionError",
            "exception.message": "ZeroDivisionError: division by zero",
        })  # fmt: skip
    assert len(receiver.spans) == 2


async def test_what_was_said_is_left_out_where_asked(
    receiver: Receiver, scripted: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "NO_CONTENT")
    send_to(receiver)
    await weather_run(scripted)
    with pytest.raises(ValueError, match="Oslo"), trace("Failing"), custom_span("step", {"secret": "Oslo"}):
        raise ValueError("not in Oslo")
    flush_traces()
    assert len(receiver.spans) == 7
    assert b"Oslo" not in b"".join(request.SerializeToString() for request in receiver.requests)
    assert b"sunny" not in b"".join(request.SerializeToString() for request in receiver.requests)
    assert attributes(receiver.by_name()["step"])["error.type"] == "ValueError"


async def test_what_the_argument_says_is_stronger_than_the_environment(
    receiver: Receiver, scripted: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "false")
    send_to(receiver, capture_content=True)
    await weather_run(scripted)
    assert "gen_ai.tool.call.result" in attributes(receiver.by_name()["execute_tool get_weather"])


async def test_keys_are_not_sent(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    secret = "team-Zq81kfP0aWm27hdY"
    send_to(receiver, headers={"X-Team": secret}, max_retries=0)
    with trace("Keys", metadata={"key": KEY}), custom_span(f"use {KEY}", {"header": f"Bearer {secret}"}):
        pass
    flush_traces()
    sent = b"".join(request.SerializeToString() for request in receiver.requests)
    assert KEY.encode() not in sent
    assert secret.encode() not in sent
    assert receiver.headers[0]["x-team"] == secret
    receiver.answers = [(401, {}, f"bad key {secret}".encode())]
    with trace("Refused"):
        pass
    flush_traces()
    assert "401 bad key" in caplog.text
    assert secret not in caplog.text


def test_ids_are_always_the_same() -> None:
    hexadecimal = "trace_" + "0123456789abcdef" * 2
    assert otlp_trace_id(hexadecimal).hex() == "0123456789abcdef" * 2
    for odd in ("trace_" + "z" * 32, "trace_" + "0" * 32, "other"):
        assert otlp_trace_id(odd) == otlp_trace_id(odd)
        assert len(otlp_trace_id(odd)) == 16
        assert any(otlp_trace_id(odd))
    assert otlp_span_id("trace_1", "span_1") == otlp_span_id("trace_1", "span_1") != otlp_span_id("trace_2", "span_1")
    assert len(root_span_id("trace_1")) == len(otlp_span_id("trace_1", "span_1")) == 8


def test_a_trace_is_sent_once_when_it_ends(receiver: Receiver) -> None:
    send_to(receiver)
    with trace("Long"):
        with custom_span("step"):
            pass
        flush_traces()
        assert [span.name for span in receiver.spans] == ["step"]
    flush_traces()
    flush_traces()
    assert [span.name for span in receiver.spans] == ["step", "invoke_workflow Long"]


def test_other_kinds_of_spans_have_names_and_attributes(receiver: Receiver) -> None:
    send_to(receiver)
    with trace("Kinds"), agent_span("A", handoffs=["B"], tools=["t"]):
        with handoff_span("A", "B"), guardrail_span("polite", triggered=True), mcp_tools_span("files", ["read"]):
            pass
        with custom_span("mine", {"x": [1, 2]}), generation_span(model="anthropic/claude-opus-5"):
            pass
    flush_traces()
    found = receiver.by_name()
    assert {name: span.kind for name, span in found.items()} == {
        "invoke_workflow Kinds": 1,
        "invoke_agent A": 1,
        "handoff to B": 1,
        "guardrail polite": 1,
        "tools/list": 3,
        "mine": 1,
        "chat anthropic/claude-opus-5": 3,
    }
    assert attributes(found["invoke_agent A"])["agentkit.agent.handoffs"] == ["B"]
    assert attributes(found["handoff to B"])["agentkit.handoff.from"] == "A"
    assert attributes(found["guardrail polite"])["agentkit.guardrail.triggered"] is True
    assert attributes(found["tools/list"])["agentkit.mcp.tools"] == ["read"]
    assert attributes(found["mine"])["agentkit.data"] == '{"x":[1,2]}'
    assert attributes(found["chat anthropic/claude-opus-5"])["gen_ai.provider.name"] == "anthropic"


def test_texts_with_half_an_emoji_arrive(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    send_to(receiver)
    with trace("Cut"), custom_span("half \ud83d", {"text": "\ud83d"}):
        pass
    flush_traces()
    assert [span.name for span in receiver.spans] == ["half \\ud83d", "invoke_workflow Cut"]
    assert caplog.records == []


# -- sending ----------------------------------------------------------------------------------------------------------


def test_passing_failures_are_tried_again_and_others_are_not(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    sender = OtlpSender(receiver.url, base_delay_s=1, wait=wait)
    exporter = OTLPSpanExporter(sender=sender)
    add_trace_processor(BatchTraceProcessor(exporter))
    receiver.answers = [(503, {}, b""), (429, {"retry-after": "7"}, b""), (200, {}, b"")]
    with trace("One"):
        pass
    flush_traces()
    assert len(receiver.requests) == 3
    assert 1 <= waits[0] <= 1.1
    assert waits[1:] == [7]
    receiver.answers = [(400, {}, b"no"), (400, {}, b"no")]
    for _ in range(2):
        with trace("Bad"):
            pass
        flush_traces()
    assert len(receiver.requests) == 5
    assert [record.getMessage() for record in caplog.records] == [
        f"Traces were not sent to {receiver.url} (400 no). The run is not affected; this is said once."
    ]


def test_while_the_receiver_is_down_each_batch_is_tried_once(receiver: Receiver) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    add_trace_processor(
        BatchTraceProcessor(OTLPSpanExporter(sender=OtlpSender(receiver.url, max_retries=2, wait=wait)))
    )
    receiver.answers = [(503, {}, b"")] * 4
    for _ in range(4):
        with trace("T"):
            pass
        flush_traces()
    assert (len(receiver.requests), len(waits)) == (6, 2)  # three attempts, one, one, and one that succeeds
    with trace("T"):
        pass
    flush_traces()
    assert len(receiver.requests) == 7


def test_nobody_there_disturbs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with receiving() as gone:
        url = gone.url
    add_trace_processor(BatchTraceProcessor(OTLPSpanExporter(url, max_retries=0)))
    for _ in range(2):
        with trace("T"), custom_span("step"):
            pass
        flush_traces()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(f"Traces were not sent to {url} (ConnectError")


def test_refused_spans_are_told(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    send_to(receiver)
    receiver.answers = [(200, {}, partial(1, "too old")), (200, {}, b"\xff"), (200, {}, b"")]
    for _ in range(3):
        with trace("T"):
            pass
        flush_traces()
    assert [record.getMessage() for record in caplog.records] == [
        f"Traces were not sent to {receiver.url} (1 spans were refused: too old)."
        " The run is not affected; this is said once."
    ]


def test_large_batches_are_split(receiver: Receiver) -> None:
    exporter = send_to(receiver)
    with trace("Large"):
        for number in range(30):
            with custom_span(f"step {number}", {"text": "x" * 200_000}):
                pass
    flush_traces()
    exporter.close()
    assert len(receiver.requests) > 1
    assert max(request.ByteSize() for request in receiver.requests) < 4_000_000
    assert sorted(span.name for span in receiver.spans) == sorted(
        ["invoke_workflow Large", *(f"step {number}" for number in range(30))]
    )


def test_requests_are_compressed_where_asked(receiver: Receiver) -> None:
    send_to(receiver, compression="gzip")
    with trace("Small"):
        pass
    flush_traces()
    assert receiver.headers[0]["content-encoding"] == "gzip"
    assert [span.name for span in receiver.spans] == ["invoke_workflow Small"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a process")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_sends_its_own(receiver: Receiver) -> None:
    send_to(receiver)
    with trace("Parent"):
        pass
    flush_traces()
    child = os.fork()
    if child == 0:
        try:
            with trace("Child"):
                pass
            flush_traces()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    with trace("Parent again"):
        pass
    flush_traces()
    assert [span.name for span in receiver.spans] == [
        "invoke_workflow Parent", "invoke_workflow Child", "invoke_workflow Parent again",
    ]  # fmt: skip


# -- settings ---------------------------------------------------------------------------------------------------------


def test_the_standard_variables_are_honoured(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    base = receiver.url.removesuffix("/v1/traces")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{base}/")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-project=a%20b, x-other=1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2500")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment.name=lab%201")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "by variable")
    exporter = OTLPSpanExporter()
    add_trace_processor(BatchTraceProcessor(exporter))
    with trace("T"):
        pass
    flush_traces()
    (headers,) = receiver.headers
    assert {name: headers[name] for name in ("x-project", "x-other", "content-type", "content-encoding")} == {
        "x-project": "a b",
        "x-other": "1",
        "content-type": "application/json",
        "content-encoding": "gzip",
    }
    resource = attributes(receiver.requests[0].resource_spans[0].resource)
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("by variable", "lab 1")
    assert resource["telemetry.sdk.name"] == "agentkit"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{base}/elsewhere")
    assert OTLPSpanExporter().endpoint == f"{base}/elsewhere"
    assert OTLPSpanExporter(base).endpoint == receiver.url
    assert exporter._sender.settings.timeout_s == 2.5
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    with trace("Not sent"):
        pass
    flush_traces()
    assert len(receiver.requests) == 1


def test_without_any_setting_the_default_address_is_used() -> None:
    exporter = OTLPSpanExporter()
    assert (exporter.endpoint, exporter._sender.settings.protocol) == (
        "http://localhost:4318/v1/traces",
        "http/protobuf",
    )


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "protocol 'grpc'"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", "TIMEOUT is 'soon'"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip", "compressed by 'zip'"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "can't be sent to 'localhost:4318/v1/traces'"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/file", "no file '/no/such/file'"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "maybe", "CONTENT is 'maybe'"),
    ],
)
def test_settings_that_make_no_sense_are_told(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UserError, match=said):
        OTLPSpanExporter()


def test_without_the_package_protobuf_is_refused_and_json_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.collector.trace.v1.trace_service_pb2", None)
    with pytest.raises(UserError, match="needs the package opentelemetry-proto") as caught:
        OTLPSpanExporter()
    assert "[otlp]'" in str(caught.value)
    OTLPSpanExporter(protocol="http/json")


def test_a_certificate_that_is_none_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = tmp_path / "ca.pem"
    wrong.write_text("no certificate")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(wrong))
    add_trace_processor(BatchTraceProcessor(OTLPSpanExporter("https://127.0.0.1:1/v1/traces")))
    with trace("T"):
        pass
    flush_traces()
    assert "SSLError" in caplog.text


# -- from the store ---------------------------------------------------------------------------------------------------


async def test_a_recorded_trace_is_sent_as_it_was_live(receiver: Receiver, scripted: ScriptedModel) -> None:
    send_to(receiver)
    trace_id = await weather_run(scripted)
    live = {span.span_id: span for span in receiver.spans}
    receiver.requests.clear()
    assert export_otlp(trace_id, endpoint=receiver.url) == 1
    assert {span.span_id: span for span in receiver.spans} == live
    assert len(live) == 5


async def test_recorded_traces_are_chosen_as_in_dataframes(receiver: Receiver, scripted: ScriptedModel) -> None:
    await weather_run(scripted)
    for _ in range(3):
        with trace("Other"):
            pass
    assert export_otlp(traces(limit=2), endpoint=receiver.url) == 2
    assert [span.name for span in receiver.spans] == ["invoke_workflow Other"] * 2
    assert export_otlp(agent="Forecaster", endpoint=receiver.url, capture_content=False) == 1
    assert "gen_ai.tool.call.result" not in attributes(receiver.by_name()["execute_tool get_weather"])
    assert export_otlp(agent="nobody", endpoint=receiver.url) == 0
    assert export_otlp(endpoint=receiver.url, protocol="http/json") == 4


def test_what_is_going_on_is_left_out_and_what_was_cut_off_is_an_error(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = trace("Going on")
    running.start(mark_as_current=True)
    step = custom_span("step")
    step.start()
    flush_traces()
    assert export_otlp(endpoint=receiver.url) == 0
    monkeypatch.setattr("agentkit.records.export_otlp.is_gone", lambda process: True)
    assert export_otlp(endpoint=receiver.url) == 1
    assert {span.name: (span.status.code, attributes(span)["error.type"]) for span in receiver.spans} == {
        "invoke_workflow Going on": (2, "unfinished"),
        "step": (2, "unfinished"),
    }
    step.finish()
    running.finish(reset_current=True)


def test_a_receiver_that_does_not_take_them_is_an_error(receiver: Receiver) -> None:
    with trace("T"):
        pass
    receiver.answers = [(401, {}, b"who are you?")]
    with pytest.raises(UserError, match=r"not sent to .* \(401 who are you\?\)"):
        export_otlp(endpoint=receiver.url)


def test_many_spans_are_sent_in_batches(receiver: Receiver) -> None:
    for _ in range(3):
        with trace("Many"):
            for number in range(300):
                with custom_span(f"step {number}"):
                    pass
    assert export_otlp(endpoint=receiver.url) == 3
    assert [len(request.resource_spans[0].scope_spans[0].spans) for request in receiver.requests] == [602, 301]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"endpont": "http://localhost:4318"}, "OTLPSpanExporter has no argument 'endpont'. Did you mean endpoint?"),
        ({"headers": "a=b"}, "Headers are a dictionary, not str."),
        ({"headers": {"a": 1}}, "The header 'a' has no text: its value is int."),
        ({"capture_content": "no"}, "OTLPSpanExporter got capture_content='no'. It is True, False or None."),
    ],
)
def test_arguments_of_the_wrong_kind_are_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        OTLPSpanExporter(**given)
