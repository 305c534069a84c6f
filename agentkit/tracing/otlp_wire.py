"""Spans in the two encodings of OTLP over HTTP: protobuf, by OpenTelemetry's own message classes, and JSON.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp and the .proto files of opentelemetry-proto 1.x.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from agentkit import _json
from agentkit._install import install_command
from agentkit.exceptions import UserError
from agentkit.tracing.otlp_attributes import Attribute
from agentkit.tracing.otlp_spans import OtlpSpan

__all__ = ["Encoding", "JsonEncoding", "ProtobufEncoding", "encoding_of"]

_SCOPE = "agentkit"
_STATUS_ERROR = 2
_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1
_SAMPLED = 0x101
"""Flags of a span: sampled; and known not to have a remote parent."""


class Encoding(Protocol):
    """How spans are written."""

    content_type: str
    """Of the request."""

    def encode(self, spans: Sequence[OtlpSpan], resource: Mapping[str, Attribute], version: str) -> bytes:
        """Return a request that brings `spans`.

        Args:
            spans: The spans.
            resource: What made them: "service.name" and the like.
            version: The version of agentkit.
        """

    def rejection(self, body: bytes) -> tuple[int, str]:
        """Return how many spans of a request that succeeded weren't taken, and what the server says of that."""


def encoding_of(protocol: str) -> Encoding:
    """Return the encoding of a protocol, as `OTEL_EXPORTER_OTLP_PROTOCOL` names it.

    Raises:
        UserError: There is no such protocol, or its package is missing.
    """
    if protocol == "http/json":
        return JsonEncoding()
    if protocol != "http/protobuf":
        raise UserError(
            f"Traces can't be sent by the protocol {protocol!r}.",
            hint='Use protocol="http/protobuf" or "http/json"; collectors that take gRPC take these too, on port 4318.',
        )
    try:
        return ProtobufEncoding()
    except ImportError as error:
        raise UserError(
            f"Sending traces as protobuf needs the package opentelemetry-proto ({error}).",
            hint=f'Install it: {install_command("otlp")}. Some receivers take protocol="http/json" without it.',
        ) from error


class JsonEncoding:
    """OTLP as JSON."""

    content_type = "application/json"

    def encode(self, spans: Sequence[OtlpSpan], resource: Mapping[str, Attribute], version: str) -> bytes:
        """See `Encoding`."""
        scope = {"scope": {"name": _SCOPE, "version": version}, "spans": [_span_json(span) for span in spans]}
        return _json.dumps(
            {"resourceSpans": [{"resource": {"attributes": _attributes_json(resource)}, "scopeSpans": [scope]}]}
        )

    def rejection(self, body: bytes) -> tuple[int, str]:
        """See `Encoding`."""
        try:
            answer = _json.loads(body)
            partial = answer.get("partialSuccess") or {}
            return int(partial.get("rejectedSpans") or 0), str(partial.get("errorMessage") or "")
        except (ValueError, TypeError, AttributeError):  # some servers answer in words
            return 0, ""


def _span_json(span: OtlpSpan) -> dict[str, Any]:
    written: dict[str, Any] = {
        "traceId": span.trace_id.hex(),  # ids are hexadecimal here, unlike in protobuf's usual JSON
        "spanId": span.span_id.hex(),
        "flags": _SAMPLED,
        "name": _whole(span.name),
        "kind": span.kind,
        "startTimeUnixNano": str(span.started_ns),
        "endTimeUnixNano": str(span.ended_ns),
        "attributes": _attributes_json(span.attributes),
        "status": {},
    }
    if span.parent_id is not None:
        written["parentSpanId"] = span.parent_id.hex()
    if span.failure is not None:
        written["status"] = {"code": _STATUS_ERROR, "message": _whole(span.failure)}
        written["events"] = [
            {"timeUnixNano": str(span.ended_ns), "name": "exception", "attributes": _attributes_json(_exception(span))}
        ]
    return written


def _attributes_json(attributes: Mapping[str, Attribute]) -> list[dict[str, Any]]:
    return [{"key": _whole(key), "value": _value_json(value)} for key, value in attributes.items()]


def _value_json(value: Attribute) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and _MIN_INT <= value <= _MAX_INT:
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [{"stringValue": _whole(each)} for each in value]}}
    return {"stringValue": _whole(str(value))}


def _exception(span: OtlpSpan) -> dict[str, Attribute]:
    """Return what the event of a failure says: many receivers show that, rather than the status."""
    kind = span.attributes.get("error.type", "_OTHER")
    return {"exception.type": kind, "exception.message": span.failure or ""}


class ProtobufEncoding:
    """OTLP as protobuf.

    Raises:
        ImportError: The package opentelemetry-proto is missing.
    """

    content_type = "application/x-protobuf"

    def __init__(self) -> None:
        from importlib import import_module

        proto = "opentelemetry.proto"
        self._service: Any = import_module(f"{proto}.collector.trace.v1.trace_service_pb2")  # made when imported
        self._common: Any = import_module(f"{proto}.common.v1.common_pb2")
        self._trace: Any = import_module(f"{proto}.trace.v1.trace_pb2")
        self._unreadable: Any = import_module("google.protobuf.message").DecodeError

    def encode(self, spans: Sequence[OtlpSpan], resource: Mapping[str, Attribute], version: str) -> bytes:
        """See `Encoding`."""
        request = self._service.ExportTraceServiceRequest()
        group = request.resource_spans.add()
        group.resource.attributes.extend(self._attributes(resource))
        scope = group.scope_spans.add()
        scope.scope.name, scope.scope.version = _SCOPE, version
        scope.spans.extend(self._span(span) for span in spans)
        encoded: bytes = request.SerializeToString()
        return encoded

    def rejection(self, body: bytes) -> tuple[int, str]:
        """See `Encoding`."""
        try:
            partial = self._service.ExportTraceServiceResponse.FromString(body).partial_success
        except self._unreadable:  # some servers answer in JSON
            return 0, ""
        return int(partial.rejected_spans), str(partial.error_message)

    def _span(self, span: OtlpSpan) -> Any:
        written = self._trace.Span(
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_span_id=span.parent_id or b"",
            flags=_SAMPLED,
            name=_whole(span.name),
            kind=span.kind,
            start_time_unix_nano=span.started_ns,
            end_time_unix_nano=span.ended_ns,
            attributes=self._attributes(span.attributes),
        )
        if span.failure is not None:
            written.status.code, written.status.message = _STATUS_ERROR, _whole(span.failure)
            event = written.events.add(name="exception", time_unix_nano=span.ended_ns)
            event.attributes.extend(self._attributes(_exception(span)))
        return written

    def _attributes(self, attributes: Mapping[str, Attribute]) -> Iterator[Any]:
        for key, value in attributes.items():
            yield self._common.KeyValue(key=_whole(key), value=self._value(value))

    def _value(self, value: Attribute) -> Any:
        make = self._common.AnyValue
        if isinstance(value, bool):
            return make(bool_value=value)
        if isinstance(value, int) and _MIN_INT <= value <= _MAX_INT:
            return make(int_value=value)
        if isinstance(value, float):
            return make(double_value=value)
        if isinstance(value, list):
            return make(array_value=self._common.ArrayValue(values=[make(string_value=_whole(each)) for each in value]))
        return make(string_value=_whole(str(value)))


def _whole(text: str) -> str:
    """Return text that has a UTF-8 form: half an emoji, as a model may leave, has none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
