"""A server of the Responses API that answers what it is told to, for examples that need one answer and no other."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Item = dict[str, Any]


def message(text: str, *annotations: Item) -> Item:
    """Return an assistant's message."""
    part = {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}
    return {"type": "message", "role": "assistant", "status": "completed", "content": [part]}


def call(tool: str, /, **arguments: Any) -> Item:
    """Return a call of the function `tool`."""
    return {"type": "function_call", "name": tool, "arguments": json.dumps(arguments), "status": "completed"}


class ScriptedServer:
    """Answers each request with the next reply, and keeps the requests' bodies in `requests`."""

    def __init__(self) -> None:
        self.requests: list[Item] = []
        self.paths: list[str] = []
        self._replies: deque[list[Item] | int] = deque()
        self._count = 0

    def reply(self, *items: str | Item) -> ScriptedServer:
        """Add a reply made of `items`; a text is a message."""
        self._replies.append([message(item) if isinstance(item, str) else item for item in items])
        return self

    def fail(self, status: int) -> ScriptedServer:
        """Add an answer that is an error."""
        self._replies.append(status)
        return self

    @property
    def base_url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> ScriptedServer:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status, kind, content = answer(self.path, json.loads(body))
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Keep quiet."""

        return Handler

    def _answer(self, path: str, body: Item) -> tuple[int, str, bytes]:
        self.paths.append(path)
        if path == "/v1/conversations":
            made = {"id": "conv_1", "object": "conversation", "created_at": 1, "metadata": {}}
            return 200, "application/json", json.dumps(made).encode()
        self.requests.append(body)
        reply = self._replies.popleft() if self._replies else 418
        if isinstance(reply, int):
            text = "No reply is left." if reply == 418 else "Try again."
            error = {"message": text, "type": "server_error", "param": None, "code": None}
            return reply, "application/json", json.dumps({"error": error}).encode()
        self._count += 1
        response = self._response(body, [self._numbered(item, place) for place, item in enumerate(reply)])
        if not body.get("stream"):
            return 200, "application/json", json.dumps(response).encode()
        lines = "".join(f"data: {json.dumps(event)}\n\n" for event in _events(response))
        return 200, "text/event-stream", lines.encode()

    def _numbered(self, item: Item, place: int) -> Item:
        number = f"{self._count}_{place}"
        ids = {"id": f"{item['type']}_{number}"}
        if item["type"] in ("function_call", "computer_call"):
            ids["call_id"] = f"call_{number}"
        return {**ids, **item}

    def _response(self, body: Item, output: list[Item]) -> Item:
        return {
            "id": f"resp_{self._count}", "object": "response", "created_at": 1_793_491_200, "status": "completed",
            "model": body.get("model") or "scripted", "output": output, "parallel_tool_calls": True,
            "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None, "instructions": None,
            "metadata": {}, "previous_response_id": body.get("previous_response_id"),
            "usage": {
                "input_tokens": 10, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
                "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 15,
            },
        }  # fmt: skip


def _events(response: Item) -> Iterator[Item]:
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "sequence_number": 0, "response": begun}
    number = 0
    for index, item in enumerate(response["output"]):
        for event in _item_events(index, item):
            number += 1
            yield {**event, "sequence_number": number}
    yield {"type": "response.completed", "sequence_number": number + 1, "response": response}


def _item_events(index: int, item: Item) -> Iterator[Item]:
    empty = {"content": []} if "content" in item else {"arguments": ""} if "arguments" in item else {}
    opened = {**item, **empty, "status": "in_progress"}
    yield {"type": "response.output_item.added", "output_index": index, "item": opened}
    where = {"output_index": index, "item_id": item["id"]}
    if item["type"] == "function_call":
        yield {"type": "response.function_call_arguments.delta", **where, "delta": item["arguments"]}
        done = {"name": item["name"], "arguments": item["arguments"]}
        yield {"type": "response.function_call_arguments.done", **where, **done}
    if item["type"] == "message":
        for place, part in enumerate(item["content"]):
            at = {**where, "content_index": place}
            yield {"type": "response.content_part.added", **at, "part": {**part, "text": ""}}
            for piece in re.findall(r"\s*\S+", part["text"]):
                yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
            yield {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []}
            yield {"type": "response.content_part.done", **at, "part": part}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}
