"""A server on this machine that takes OTLP over HTTP, in both encodings, and keeps what came."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Receiver:
    """What came, and what is answered."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        """Status, headers and body of the next answers; afterwards all is well."""
        self.headers: list[dict[str, str]] = []
        """Of each request, in lower case."""
        self.requests: list[Any] = []
        """Decoded."""
        self.paths: list[str] = []
        self.url = ""
        """Address of its traces."""

    @property
    def spans(self) -> list[Any]:
        """All spans of all requests."""
        return [
            span for request in self.requests for group in request.resource_spans for scope in group.scope_spans
            for span in scope.spans
        ]  # fmt: skip

    def by_name(self) -> dict[str, Any]:
        return {span.name: span for span in self.spans}

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.paths.append(path)
        self.headers.append(headers)
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.requests.append(decoded(body, headers["content-type"]))


def decoded(body: bytes, content_type: str) -> Any:
    """Return a request; in JSON, ids are hexadecimal, which protobuf's own JSON doesn't know."""
    if content_type == "application/x-protobuf":
        return ExportTraceServiceRequest.FromString(body)
    assert content_type == "application/json"
    data = json.loads(body)
    written = [span for group in data["resourceSpans"] for scope in group["scopeSpans"] for span in scope["spans"]]
    ids = [[bytes.fromhex(span.pop(key, "")) for key in ("traceId", "spanId", "parentSpanId")] for span in written]
    request = ParseDict(data, ExportTraceServiceRequest())
    spans = [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]
    for span, (trace_id, span_id, parent_id) in zip(spans, ids, strict=True):
        span.trace_id, span.span_id, span.parent_span_id = trace_id, span_id, parent_id
    return request


def attributes(span: Any) -> dict[str, Any]:
    """Return the attributes of a span, an event or a resource as Python values."""
    found = {}
    for pair in span.attributes:
        kind = pair.value.WhichOneof("value")
        value = getattr(pair.value, kind)
        found[pair.key] = [each.string_value for each in value.values] if kind == "array_value" else value
    return found


def partial(rejected: int, message: str) -> bytes:
    """Return the body of an answer that some spans weren't taken."""
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans, answer.partial_success.error_message = rejected, message
    return bytes(answer.SerializeToString())


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver on a free port."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            status, headers, answer = receiver.answers.pop(0) if receiver.answers else (200, {}, b"")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/v1/traces"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
