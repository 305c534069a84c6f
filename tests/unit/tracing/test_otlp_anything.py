"""Whatever the store holds, a file from elsewhere included, becomes spans that a receiver can decode."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.tracing.database import SPAN_COLUMNS, TRACE_COLUMNS
from agentkit.tracing.otlp_spans import SpanMaker
from agentkit.tracing.otlp_wire import JsonEncoding, ProtobufEncoding

from .otlp_receiver import decoded

KEYS = st.sampled_from([
    *("type", "role", "content", "call_id", "output", "arguments", "body", "model", "tools", "instructions", "summary"),
    *("tool_calls", "function", "image_url", "retries", "data", "message", "settings", "reasoning", "url", "x"),
])  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(
        ["user", "assistant", "system", "tool", "message", "function_call", "reasoning", "web_search_call"]
    ),
    st.sampled_from(["http://[", "http://a:b/", "https://example.org:8/v1", "data:,", "\ud83d", "{"]),
    st.text(max_size=8),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
COLUMN = st.one_of(st.none(), JSON.map(json.dumps), st.just("no JSON {"))
KINDS = st.sampled_from(
    ["agent", "response", "generation", "function", "handoff", "guardrail", "mcp_tools", "custom", "speech", "mine"]
)
NUMBER = st.one_of(st.none(), st.integers(0, 2**63 - 1))


def row(columns: tuple[str, ...], values: dict[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(columns) | {"trace_id": "trace_" + "a" * 32, "started_ns": 1, "ended_ns": 2} | values


@settings(max_examples=150, deadline=None)
@given(kind=KINDS, texts=st.tuples(*[COLUMN] * 5), name=st.one_of(st.none(), TEXTS), number=NUMBER, keep=st.booleans())
def test_any_row_can_be_sent(
    kind: str, texts: tuple[Any, ...], name: str | None, number: int | None, keep: bool
) -> None:
    error, sent, received, data, request = texts
    common = {"status": "ok", "error": error, "input": sent, "output": received}
    maker = SpanMaker(capture_content=keep)
    span = {"span_id": "span_1", "depth": 0, "kind": kind, "name": name, "model": name, "data": data, "cut": number}
    spans = [
        maker.root(row(TRACE_COLUMNS, common | {"workflow": name, "metadata": data})),
        maker.span(row(SPAN_COLUMNS, common | span | {"input_tokens": number}), request=request, conversation=name),
    ]
    for encoding in (JsonEncoding(), ProtobufEncoding()):
        request_ = decoded(encoding.encode(spans, {"service.name": "x"}, "1"), encoding.content_type)
        found = request_.resource_spans[0].scope_spans[0].spans
        assert [each.span_id for each in found] == [each.span_id for each in spans]
        assert [len(each.attributes) for each in found] == [len(each.attributes) for each in spans]
