"""The fake server's replies as bytes, made once and kept."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

from benchmarks.server.script import Item, deltas_of, items_for, response

__all__ = ["events", "http_reply", "reply_to"]

_MODEL = re.compile(rb'"model":\s*"([^"]*)"')
_STREAM = re.compile(rb'"stream":\s*true')
_OUTPUT = b'"function_call_output"'


def reply_to(body: bytes) -> bytes:
    """Return the whole HTTP reply to a request to `/v1/responses`.

    The body is searched, not parsed: parsing it would cost more than the clients that are measured.
    """
    model = _MODEL.search(body)
    if model is None:
        return http_reply(400, b'{"error":{"message":"no model","type":"invalid_request_error"}}')
    return _reply(model[1].decode(), body.count(_OUTPUT), _STREAM.search(body) is not None)


@functools.lru_cache(maxsize=1024)
def _reply(model: str, outputs: int, streamed: bool) -> bytes:
    try:
        items = items_for(model, outputs)
    except ValueError as error:
        reason = {"error": {"message": str(error), "type": "invalid_request_error", "code": "model_not_found"}}
        return http_reply(404, _encoded(reason))
    if streamed:
        return http_reply(200, b"".join(map(_sse, events(model, items))), "text/event-stream")
    return http_reply(200, _encoded(response(model, items)))


def http_reply(status: int, body: bytes, content_type: str = "application/json") -> bytes:
    """Return an HTTP reply with its length known, so that the connection is kept."""
    head = f"HTTP/1.1 {status} -\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def events(model: str, items: list[Item]) -> list[Item]:
    """Return the events in which `items` are streamed, in the order and with the fields of the Responses API."""
    begun = response(model, [], status="in_progress")
    told = [{"type": "response.created", "response": begun}, {"type": "response.in_progress", "response": begun}]
    for index, item in enumerate(items):
        told += _item_events(model, item, index)
    told.append({"type": "response.completed", "response": response(model, items)})
    return [{**event, "sequence_number": number} for number, event in enumerate(told)]


def _item_events(model: str, item: Item, index: int) -> list[Item]:
    at = {"output_index": index}
    within = {"item_id": item["id"], **at}
    if item["type"] == "function_call":
        begun, arguments = {**item, "arguments": "", "status": "in_progress"}, item["arguments"]
        middle: list[Item] = [
            {"type": "response.function_call_arguments.delta", **within, "delta": arguments},
            {"type": "response.function_call_arguments.done", **within, "name": item["name"], "arguments": arguments},
        ]
    else:
        begun, part = {**item, "content": [], "status": "in_progress"}, item["content"][0]
        place, empty = {**within, "content_index": 0}, {**part, "text": ""}
        delta = {"type": "response.output_text.delta", **place, "logprobs": []}
        middle = [
            {"type": "response.content_part.added", **place, "part": empty},
            *({**delta, "delta": piece} for piece in deltas_of(model, part["text"])),
            {"type": "response.output_text.done", **place, "text": part["text"], "logprobs": []},
            {"type": "response.content_part.done", **place, "part": part},
        ]
    return [
        {"type": "response.output_item.added", **at, "item": begun},
        *middle,
        {"type": "response.output_item.done", **at, "item": item},
    ]


def _sse(event: Item) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), _encoded(event))


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
