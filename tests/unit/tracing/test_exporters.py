"""Traces sent elsewhere: printed, and uploaded in OpenAI's shape to a server on this machine."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from agentkit.tracing import (
    BackendSpanExporter,
    BatchTraceProcessor,
    ConsoleSpanExporter,
    Span,
    Trace,
    add_trace_processor,
    agent_span,
    custom_span,
    default_exporter,
    default_processor,
    exporters,
    flush_traces,
    function_span,
    generation_span,
    response_span,
    set_trace_processors,
    set_tracing_export_api_key,
    trace,
    turn_span,
)
from agentkit.tracing.ingest import ingest_item


class Ingest:
    """A server that takes traces, and answers as it is told."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[Any] = []
        ingest = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                ingest.headers.append({name.lower(): value for name, value in self.headers.items()})
                ingest.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                status, headers = ingest.answers.pop(0) if ingest.answers else (204, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces/ingest"

    def sent(self) -> list[dict[str, Any]]:
        return [entry for body in self.bodies for entry in body["data"]]


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    its = Ingest()
    thread = threading.Thread(target=its.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield its
    its.server.shutdown()
    its.server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    yield
    set_tracing_export_api_key("")


class Waits:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return False


def one_trace(**options: Any) -> list[Trace | Span[Any]]:
    """A trace with a span, finished and in nobody's hands."""
    set_trace_processors([])
    with trace("w", **options) as made, agent_span("a", tools=["look"]) as span:
        pass
    return [made, span]


def exporter(ingest: Ingest, **options: Any) -> BackendSpanExporter:
    return BackendSpanExporter(**{"api_key": "sk-test-key-1", "endpoint": ingest.url, **options})


def test_nothing_is_uploaded_unless_asked_for(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key-1")
    monkeypatch.setattr(exporters, "_ENDPOINT", ingest.url)
    set_tracing_export_api_key("sk-test-key-2")
    with trace("w"), agent_span("a"):
        pass
    flush_traces()
    assert ingest.bodies == []


def test_a_batch_is_posted_in_openais_shape(ingest: Ingest) -> None:
    upload = exporter(ingest, organization="org_1", project="proj_1")
    made, span = items = one_trace(group_id="chat-1", metadata={"user": "u"})
    upload.export(items)
    upload.close()
    assert isinstance(made, Trace)
    assert isinstance(span, Span)
    assert ingest.bodies == [
        {
            "data": [
                {
                    "object": "trace",
                    "id": made.trace_id,
                    "workflow_name": "w",
                    "group_id": "chat-1",
                    "metadata": {"user": "u"},
                },
                {
                    "object": "trace.span",
                    "id": span.span_id,
                    "trace_id": made.trace_id,
                    "parent_id": None,
                    "started_at": span.started_at,
                    "ended_at": span.ended_at,
                    "span_data": {
                        "type": "agent",
                        "name": "a",
                        "handoffs": None,
                        "tools": ["look"],
                        "output_type": None,
                    },
                    "error": None,
                },
            ]
        }
    ]
    sent = ingest.headers[0]
    assert {name: sent[name] for name in ("authorization", "openai-beta", "openai-organization", "openai-project")} == {
        "authorization": "Bearer sk-test-key-1",
        "openai-beta": "traces=v1",
        "openai-organization": "org_1",
        "openai-project": "proj_1",
    }


def test_as_a_processor_it_uploads_what_runs_record(ingest: Ingest) -> None:
    processor = BatchTraceProcessor(exporter(ingest), schedule_delay=3600)
    add_trace_processor(processor)
    with trace("w"), agent_span("a"):
        pass
    flush_traces()
    assert [entry["object"] for entry in ingest.sent()] == ["trace", "trace.span"]
    processor.shutdown()


def test_a_trace_may_bring_a_key_of_its_own(ingest: Ingest) -> None:
    upload = exporter(ingest)
    upload.export([*one_trace(tracing={"api_key": "sk-of-the-trace"}), *one_trace()])
    upload.close()
    assert [sent["authorization"] for sent in ingest.headers] == ["Bearer sk-of-the-trace", "Bearer sk-test-key-1"]
    assert "sk-of-the-trace" not in json.dumps(ingest.bodies)


def test_which_key_is_used(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = exporter(ingest, api_key=None)
    keys = [upload.api_key]
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    keys.append(upload.api_key)
    set_tracing_export_api_key("sk-export")
    keys.append(upload.api_key)
    upload.set_api_key("sk-own")
    keys.append(upload.api_key)
    assert keys == [None, "sk-env", "sk-export", "sk-own"]


def test_without_a_key_it_says_so_once(ingest: Ingest, caplog: pytest.LogCaptureFixture) -> None:
    upload = exporter(ingest, api_key=None)
    upload.export(one_trace())
    upload.export(one_trace())
    assert ingest.bodies == []
    (message,) = caplog.messages
    assert message.startswith("There is no key to upload traces with")


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_passing_failures_are_tried_again(ingest: Ingest, status: int) -> None:
    waits = Waits()
    ingest.answers = [(status, {}), (status, {})]
    upload = exporter(ingest, wait=waits)
    upload.export(one_trace())
    upload.close()
    assert len(ingest.bodies) == 3
    assert 1 <= waits.seconds[0] <= 1.1
    assert 2 <= waits.seconds[1] <= 2.2


def test_it_waits_as_long_as_the_server_asks_up_to_a_limit(ingest: Ingest) -> None:
    waits = Waits()
    ingest.answers = [(429, {"retry-after": "9"}), (429, {"retry-after": "900"})]
    upload = exporter(ingest, wait=waits)
    upload.export(one_trace())
    upload.close()
    assert waits.seconds == [9.0, 30.0]


@pytest.mark.parametrize(
    ("answers", "posted"),
    [([(401, {})], 1), ([(503, {"x-should-retry": "false"})], 1), ([(500, {})] * 3, 3)],
)
def test_what_goes_on_failing_is_logged_once_and_never_raised(
    ingest: Ingest, caplog: pytest.LogCaptureFixture, answers: list[Any], posted: int
) -> None:
    ingest.answers = answers * 2
    upload = exporter(ingest, wait=Waits())
    with caplog.at_level(logging.WARNING, "agentkit.tracing"):
        upload.export(one_trace())
        upload.export(one_trace())
    upload.close()
    assert len(ingest.bodies) == 2 * posted
    (message,) = caplog.messages
    assert message.startswith(f"Traces were not uploaded to {ingest.url} ({answers[0][0]} ")


def test_a_server_that_is_not_there_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    upload = BackendSpanExporter("sk-test-key-1", endpoint="http://127.0.0.1:9/ingest", wait=Waits())
    upload.export(one_trace())
    upload.close()
    assert "ConnectError" in caplog.text


def test_closing_ends_a_wait(ingest: Ingest) -> None:
    ingest.answers = [(500, {})] * 3
    waiting = threading.Event()
    upload = exporter(ingest, base_delay=3600, max_delay=3600)
    wait = upload._wait

    def noticed(seconds: float) -> bool:
        waiting.set()
        return wait(seconds)

    upload._wait = noticed
    thread = threading.Thread(target=upload.export, args=(one_trace(),))
    thread.start()
    waiting.wait()
    while thread.is_alive():
        upload.close()
    assert len(ingest.bodies) == 1


def data_of(span: Span[Any]) -> Any:
    entry = ingest_item(span)
    assert entry is not None
    return entry["span_data"]


def test_only_documented_keys_are_uploaded() -> None:
    with trace("w"):
        generation = generation_span([{"role": "user"}], model="m", usage={"input_tokens": 1, "output_tokens": 2})
        generation.span_data.usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3, "cached_tokens": 0}
        generation.span_data.first_token_s = 0.5
        response = response_span({"id": "ignored", "output": [], "usage": {}, "model": "m"})
        response.span_data.response_id = "resp_1"
    assert data_of(generation) == {
        "type": "generation",
        "input": [{"role": "user"}],
        "output": None,
        "model": "m",
        "model_config": None,
        "usage": {"input_tokens": 1, "output_tokens": 2, "details": {"total_tokens": 3, "cached_tokens": 0}},
    }
    assert data_of(response) == {"type": "response", "response_id": "resp_1"}


def test_turns_are_uploaded_as_custom_spans() -> None:
    with trace("w"):
        turn = turn_span(3, "a")
    assert data_of(turn) == {
        "type": "custom",
        "name": "turn",
        "data": {"sdk_span_type": "turn", "turn": 3, "agent_name": "a"},
    }


@pytest.mark.parametrize(
    "long", ["x" * 300_000, [{"role": "user", "content": "é" * 300_000}], [{"role": "user", "content": "x"}] * 10_000]
)
def test_what_is_too_long_for_the_dashboard_is_cut(long: Any) -> None:
    with trace("w"):
        span = generation_span(long) if isinstance(long, list) else function_span("f", long)
    sent = data_of(span)["input"]
    assert len(json.dumps(sent, ensure_ascii=False).encode()) <= 100_000
    assert "[truncated]" in json.dumps(sent, ensure_ascii=False)
    assert type(sent) is type(long)
    assert span.span_data.input == long


def test_keys_are_taken_out_of_what_is_uploaded(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSE_API_KEY", "very-secret-value")
    upload = exporter(ingest)
    with trace("w"), custom_span("c", {"header": "very-secret-value", "other": "sk-abcdefghijklmnop1234"}) as span:
        pass
    upload.export([span])
    upload.close()
    assert ingest.sent()[0]["span_data"]["data"] == {"header": "[redacted]", "other": "sk-[redacted]"}


def test_what_has_no_json_form_is_uploaded_as_its_repr(ingest: Ingest) -> None:
    upload = exporter(ingest)
    with trace("w"), custom_span("c", {"what": object}) as span:
        pass
    upload.export([span])
    upload.close()
    assert ingest.sent()[0]["span_data"]["data"] == {"what": "<class 'object'>"}


def test_the_console_exporter_prints(capsys: pytest.CaptureFixture[str]) -> None:
    items = one_trace(trace_id="trace_" + "1" * 32)
    ConsoleSpanExporter().export(items)
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"[Exporter] Export trace_id=trace_{'1' * 32}, name=w"
    assert second.startswith("[Exporter] Export span: {'object': 'trace.span', ")
    assert "'name': 'a'" in second


def test_the_console_exporter_hides_what_is_not_to_be_logged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_AGENTS_DONT_LOG_MODEL_DATA", "1")
    _, span = one_trace()
    ConsoleSpanExporter().export([span])
    assert isinstance(span, Span)
    assert capsys.readouterr().out == f"[Exporter] Export span: agent {span.span_id}\n"


def test_there_is_one_default_exporter_and_processor() -> None:
    assert default_exporter() is default_exporter()
    assert default_processor() is default_processor()


def test_the_names_are_where_the_sdk_has_them() -> None:
    from agentkit.tracing import processors

    assert processors.BackendSpanExporter is BackendSpanExporter
    assert processors.BatchTraceProcessor is BatchTraceProcessor
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = processors.no_such_name
