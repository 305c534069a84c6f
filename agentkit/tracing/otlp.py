"""Sends traces to whatever takes OpenTelemetry's protocol: a collector, Jaeger, Phoenix, MLflow, Logfire and others."""

from __future__ import annotations

import gzip
import os
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentkit import _secrets
from agentkit._called_as import called_as
from agentkit._retry_after import retry_after_s
from agentkit.exceptions import UserError
from agentkit.tracing.database import SPAN_COLUMNS, TRACE_COLUMNS
from agentkit.tracing.otlp_settings import captures_content, resource, settings
from agentkit.tracing.otlp_spans import OtlpSpan, SpanMaker
from agentkit.tracing.otlp_wire import encoding_of
from agentkit.tracing.processors import TracingExporter
from agentkit.tracing.record import Trace
from agentkit.tracing.rows import RowMaker

if TYPE_CHECKING:
    import httpx2

    from agentkit.tracing.record import Span

__all__ = ["OTLPSpanExporter", "OtlpSender"]

_PASSING = frozenset({408, 429, 502, 503, 504})
"""Answers after which another attempt makes sense; see https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes.
408 isn't among those of the specification, but says so by itself."""
_MAX_BODY_BYTES = 4_000_000
"""Bytes of a request before it is compressed: more is refused by receivers that allow what gRPC does by default."""


_of_parents: list[Any] = []


class OtlpSender:
    """Posts spans to one endpoint, in requests that aren't too large, and tries again after passing failures.

    Args:
        endpoint: Address, such as "http://localhost:4318/v1/traces"; by the environment, or this one, when None.
        headers: Sent with each request, beside those of the environment.
        protocol: "http/protobuf" or "http/json"; by the environment, or the former, when None.
        timeout_s: Seconds that a request may take; by the environment, or 10, when None.
        compression: "gzip" or "none"; by the environment, or the latter, when None.
        service_name: The program's name in the receiver; by the environment, or "agentkit", when None.
        max_retries: Attempts after the first.
        base_delay_s: Seconds before the second attempt; they double each time.
        max_delay_s: Most seconds before any, whatever the server asks for.
        wait: Waits so many seconds, and returns whether to give up. For tests.

    Raises:
        UserError: A value makes no sense, or a package is missing.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        headers: Mapping[str, str] | None = None,
        protocol: str | None = None,
        *,
        timeout_s: float | None = None,
        compression: str | None = None,
        service_name: str | None = None,
        max_retries: int = 3,
        base_delay_s: float = 1.0,
        max_delay_s: float = 30.0,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self.settings = settings(endpoint, headers, protocol, timeout_s, compression)
        self._encoding = encoding_of(self.settings.protocol)
        self._resource = resource(service_name)
        self._attempts = 1 + max_retries
        self._base_delay_s = base_delay_s
        self._max_delay_s = max_delay_s
        self._wait = wait
        self._begin()

    def _begin(self) -> None:
        """Set up what a process has for itself."""
        self._process = os.getpid()
        self._closed = threading.Event()
        self._client: httpx2.Client | None = None
        self._is_down = False

    def send(self, spans: Sequence[OtlpSpan]) -> str | None:
        """Post spans. Never raises.

        Args:
            spans: The spans.

        Returns:
            What went wrong, without keys; None where all were taken.
        """
        if self._process != os.getpid():
            _of_parents.append(self._client)  # not closed here: its connections are still in use there
            self._begin()
        failures = []
        todo = [list(spans)] if spans else []
        while todo:
            part = todo.pop()
            body = self._encoding.encode(part, self._resource, str(self._resource["telemetry.sdk.version"]))
            if len(body) > _MAX_BODY_BYTES and len(part) > 1:
                middle = len(part) // 2
                todo += [part[middle:], part[:middle]]
            elif (failure := self._post(body)) is not None:
                failures.append(failure)
        return _secrets.Redactor().clean(failures[0]) if failures else None

    def close(self) -> None:
        """Stop waiting for another attempt, and close the connections. A later `send` opens new ones."""
        self._closed.set()
        client, self._client = self._client, None
        if client is not None and self._process == os.getpid():
            client.close()
        self._closed.clear()

    def _post(self, body: bytes) -> str | None:
        """Post a request; return what went wrong. While the server is down, there is one attempt at each."""
        import httpx2

        content = gzip.compress(body, compresslevel=6) if self.settings.gzip else body
        delay_s = self._base_delay_s
        attempts = 1 if self._is_down else self._attempts
        for attempt in range(1, attempts + 1):
            asked: float | None = None
            try:
                response = self._connected().post(self.settings.endpoint, content=content, headers=self._headers())
            except httpx2.HTTPError as error:
                failure, passing = f"{type(error).__name__}: {error}", True
            except Exception as error:  # a certificate that can't be read, an address that makes no sense
                return f"{type(error).__name__}: {error}"
            else:
                if response.is_success:
                    self._is_down = False
                    return self._rejected(response.content)
                failure = f"{response.status_code} {response.text[:200]}".strip()
                passing = response.status_code in _PASSING
                asked = retry_after_s(response.headers)
            self._is_down = passing
            if not passing or attempt == attempts:
                break
            pause_s = min(max(delay_s * random.uniform(1, 1.1), asked or 0), self._max_delay_s)
            if (self._wait or self._closed.wait)(pause_s):
                break
            delay_s *= 2
        return failure

    def _rejected(self, body: bytes) -> str | None:
        count, reason = self._encoding.rejection(body)
        return f"{count:,} spans were refused: {reason}" if count else None

    def _headers(self) -> dict[str, str]:
        about = {"content-type": self._encoding.content_type, "user-agent": "agentkit-otlp"}
        if self.settings.gzip:
            about["content-encoding"] = "gzip"
        return about | self.settings.headers

    def _connected(self) -> httpx2.Client:
        import httpx2

        if self._client is None:
            import ssl

            verify: Any = True
            if self.settings.certificate or self.settings.client_certificate:
                verify = ssl.create_default_context(cafile=self.settings.certificate)
                if given := self.settings.client_certificate:
                    verify.load_cert_chain(*((given,) if isinstance(given, str) else given))
            self._client = httpx2.Client(timeout=self.settings.timeout_s, verify=verify)
        return self._client


class OTLPSpanExporter(TracingExporter):
    """Sends traces as they end to whatever takes OpenTelemetry's protocol, by its GenAI conventions.

    ```python
    add_trace_processor(BatchTraceProcessor(OTLPSpanExporter("http://localhost:4318/v1/traces")))
    ```

    A trace becomes a span "invoke_workflow …", which is sent when the trace ends; all others are below it. Ids are
    made of agentkit's own, always the same, so that what is sent twice is there once. Keys are taken out of all texts.
    What fails is logged, once for each kind of failure, and never raised.

    Args:
        endpoint: Address, such as "http://localhost:4318/v1/traces"; `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, or
            `OTEL_EXPORTER_OTLP_ENDPOINT` with "/v1/traces", when None, and the address above without either.
        headers: Sent with each request, such as a key; beside those of `OTEL_EXPORTER_OTLP_HEADERS`.
        protocol: "http/protobuf", which takes `pip install "agentkit[otlp]"`, or "http/json";
            `OTEL_EXPORTER_OTLP_PROTOCOL`, or the former, when None.
        capture_content: Whether what was said, what tools were given and gave, and what errors say is sent. When None,
            as `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` says, and what was recorded is sent without that.
        service_name: The program's name in the receiver; `OTEL_SERVICE_NAME`, or "agentkit", when None.
        timeout_s: Seconds that a request may take; `OTEL_EXPORTER_OTLP_TIMEOUT` (milliseconds), or 10, when None.
        compression: "gzip" or "none"; `OTEL_EXPORTER_OTLP_COMPRESSION`, or the latter, when None.
        max_retries: Attempts after the first, where the receiver is busy or can't be reached.
        sender: Posts the spans in place of one that these arguments make.

    Raises:
        UserError: A value makes no sense, or the package for protobuf is missing.
    """

    traces_at = "end"

    def __init__(
        self,
        endpoint: str | None = None,
        headers: Mapping[str, str] | None = None,
        protocol: str | None = None,
        *,
        capture_content: bool | None = None,
        service_name: str | None = None,
        timeout_s: float | None = None,
        compression: str | None = None,
        max_retries: int = 3,
        sender: OtlpSender | None = None,
    ) -> None:
        if capture_content is not None and not isinstance(capture_content, bool):
            raise UserError(
                f"OTLPSpanExporter got capture_content={capture_content!r:.60}.", hint="It is True, False or None."
            )
        self._maker = SpanMaker(capture_content=captures_content(capture_content))
        self._sender = sender or OtlpSender(
            endpoint,
            headers,
            protocol,
            timeout_s=timeout_s,
            compression=compression,
            service_name=service_name,
            max_retries=max_retries,
        )
        self._rows = RowMaker()
        self._told: set[str] = set()

    @property
    def endpoint(self) -> str:
        """Address that requests are posted to."""
        return self._sender.settings.endpoint

    def export(self, items: Sequence[Trace | Span[Any]]) -> None:
        """Send spans that ended, and traces that did. Nothing where `OTEL_SDK_DISABLED` is "true"."""
        if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            return
        ended = [item for item in items if item.ended_ns]
        batch = self._rows.rows(ended)
        talks = {item.trace_id: item.trace.session_id or item.trace.group_id for item in ended}
        spans = [self._made(dict(zip(SPAN_COLUMNS, row, strict=True)), batch.requests, talks) for row in batch.spans]
        for values in batch.traces:
            row = dict(zip(TRACE_COLUMNS, values, strict=True))
            if row["status"] not in (None, "running"):
                spans.append(self._maker.root(row))
        if (failure := self._sender.send(spans)) is not None:
            self._tell(failure)

    def close(self) -> None:
        """Stop waiting for another attempt, and close the connections."""
        self._sender.close()

    def _made(self, row: dict[str, Any], requests: Mapping[str, str], talks: Mapping[str, str | None]) -> OtlpSpan:
        request = requests.get(row["request_key"] or "")
        return self._maker.span(row, request=request, conversation=talks[row["trace_id"]])

    def _tell(self, failure: str) -> None:
        kind = failure[:60]
        if kind in self._told:
            return
        self._told.add(kind)
        from logging import getLogger

        getLogger("agentkit.tracing").warning(
            "Traces were not sent to %s (%s). The run is not affected; this is said once.",
            _secrets.Redactor().clean(self.endpoint),
            failure,
        )


OTLPSpanExporter.__init__ = called_as("OTLPSpanExporter")(OTLPSpanExporter.__init__)  # type: ignore[method-assign]
