"""Traces of the store, sent to whatever takes OpenTelemetry's protocol."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from agentkit._called_as import called_as
from agentkit._process import is_gone
from agentkit.exceptions import UserError
from agentkit.records.export_choice import chosen_traces, opened_store
from agentkit.tracing.database import SPAN_COLUMNS, TRACE_COLUMNS
from agentkit.tracing.otlp import OtlpSender
from agentkit.tracing.otlp_settings import captures_content
from agentkit.tracing.otlp_spans import OtlpSpan, SpanMaker, conversation_of
from agentkit.tracing.reader import reading
from agentkit.tracing.redaction import Redactor

__all__ = ["export_otlp"]

_BATCH_SPANS = 512


@called_as("agentkit.traces.export_otlp")
def export_otlp(
    of: Any = None,  # a dataframe, ids, or what has one: results are of a layer above
    *,
    endpoint: str | None = None,
    headers: Mapping[str, str] | None = None,
    protocol: str | None = None,
    capture_content: bool | None = None,
    service_name: str | None = None,
    timeout_s: float | None = None,
    compression: str | None = None,
    **filters: Any,
) -> int:
    """Send recorded traces to a collector, Jaeger, Phoenix, MLflow or another receiver of OpenTelemetry's protocol.

    ```python
    agentkit.traces.export_otlp(result, endpoint="http://localhost:6006/v1/traces")
    agentkit.traces.export_otlp(since="1d", error=True)  # to where OTEL_EXPORTER_OTLP_ENDPOINT says
    ```

    Ids are always the same, so a receiver that goes by them has nothing twice. Traces that are going on are left out;
    of those that were cut off, what is there is sent, with an error of type "unfinished". API keys are taken out.

    Args:
        of: Which traces: a dataframe of them, an id, the beginning of one, or what has one (a run's result), or several
            of these. All when None.
        endpoint: Address, such as "http://localhost:4318/v1/traces". This and what follows is as for
            `OTLPSpanExporter`, the standard environment variables included.
        headers: Sent with each request, such as a key.
        protocol: "http/protobuf" or "http/json".
        capture_content: Whether what was said is sent.
        service_name: The program's name in the receiver.
        timeout_s: Seconds that a request may take.
        compression: "gzip" or "none".
        **filters: Which traces, by what `agentkit.traces` takes: agent, model, session, status, error, since, …

    Returns:
        The number of traces that were sent.

    Raises:
        UserError: There is no such trace, an argument makes no sense, the package for protobuf is missing, or the
            receiver doesn't take them.
    """
    sender = OtlpSender(
        endpoint, headers, protocol, timeout_s=timeout_s, compression=compression, service_name=service_name
    )
    maker = SpanMaker(capture_content=captures_content(capture_content))
    chosen = chosen_traces(of, filters)
    if not chosen:
        return 0
    sent = 0
    try:
        with reading() as found:
            waiting: list[OtlpSpan] = []
            for spans in _traces(opened_store(found), chosen, maker):
                sent += 1
                waiting += spans
                if len(waiting) >= _BATCH_SPANS:
                    _send(sender, waiting)
                    waiting = []
            _send(sender, waiting)
    finally:
        sender.close()
    return sent


def _send(sender: OtlpSender, spans: list[OtlpSpan]) -> None:
    if (failure := sender.send(spans)) is not None:
        raise UserError(
            f"The traces were not sent to {Redactor().clean(sender.settings.endpoint)} ({failure}).",
            hint="See that a receiver of OTLP over HTTP runs there, and that it takes this protocol and these headers.",
        )


def _traces(connection: sqlite3.Connection, chosen: list[str], maker: SpanMaker) -> Iterator[list[OtlpSpan]]:
    """Give the spans of each trace that has ended, or was cut off."""
    rows = _Rows(connection)
    for trace_id in chosen:
        trace = next(rows.of("traces", TRACE_COLUMNS, trace_id), None)
        if trace is None:  # deleted meanwhile
            continue
        spans = list(rows.of("spans", SPAN_COLUMNS, trace_id, " ORDER BY started_ns, seq"))
        if trace["ended_ns"] is None:
            if trace["status"] in (None, "running") and not (trace["process"] and is_gone(trace["process"])):
                continue
            trace["status"] = "unfinished"
            trace["ended_ns"] = max([trace["started_ns"], *(each["ended_ns"] or each["started_ns"] for each in spans)])
        for span in spans:
            if span["ended_ns"] is None:
                span["status"], span["ended_ns"] = "unfinished", max(trace["ended_ns"], span["started_ns"])
        talk = conversation_of(trace)
        made = [maker.span(each, request=rows.request(each["request_key"]), conversation=talk) for each in spans]
        yield [maker.root(trace), *made]


class _Rows:
    """Reads rows of the store, without keys: those that are known now may not have been when they were recorded."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._clean = Redactor().clean

    def of(self, table: str, columns: tuple[str, ...], trace_id: str, order: str = "") -> Iterator[dict[str, Any]]:
        """Give the rows of a trace, by the names of their columns."""
        sql = f"SELECT {', '.join(columns)} FROM {table} WHERE trace_id = ?{order}"
        for row in self._connection.execute(sql, (trace_id,)):
            values = (self._clean(value) if isinstance(value, str) else value for value in row)
            yield dict(zip(columns, values, strict=True))

    def request(self, key: str | None) -> str | None:
        """Return what a model call sent beside its messages."""
        if key is None:
            return None
        found = self._connection.execute("SELECT body FROM requests WHERE key = ?", (key,)).fetchone()
        return None if found is None else self._clean(found[0])
