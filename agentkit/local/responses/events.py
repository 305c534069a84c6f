"""The events of a streamed response, in their order, and the output items that they build.

created → in_progress → for each item: output_item.added → (content_part.added → output_text.delta… → output_text.done →
content_part.done | function_call_arguments.delta… → function_call_arguments.done | file_search_call.in_progress →
file_search_call.searching → file_search_call.completed) → output_item.done → completed, incomplete or failed. Where a
text rests on a file, output_text.annotation.added comes after its delta. An answer that isn't streamed is built the
same way, and its events are dropped.
"""

from __future__ import annotations

from typing import Any

from agentkit.local.generation import (
    ArgumentsPart,
    CallBegun,
    CitationPart,
    Part,
    SearchBegun,
    SearchEnded,
    TextPart,
)
from agentkit.local.ids import new_id

__all__ = ["ResponseWriter"]

Event = dict[str, Any]


class ResponseWriter:
    """Writes an answer into a response.

    Args:
        response: The response object; its `output` grows.
        with_results: Whether searches in files tell what they found.
    """

    def __init__(self, response: dict[str, Any], *, with_results: bool = False) -> None:
        self._response = response
        self._with_results = with_results
        self._output: list[dict[str, Any]] = response["output"]
        self._item: dict[str, Any] | None = None  # the item that is being written: in no list yet
        self._texts: list[str] = []
        self._annotations: list[dict[str, Any]] = []
        self._sequence = 0

    def opening(self) -> list[Event]:
        """Return the events that come before any output."""
        return [self._about_response("response.created"), self._about_response("response.in_progress")]

    def write(self, part: Part) -> list[Event]:
        """Add a part of the answer; return the events that tell of it."""
        if isinstance(part, TextPart):
            begun = [] if self._item is not None else self._begin_message()
            return [*begun, self._text_delta(part.text)]
        if isinstance(part, CitationPart):
            begun = [] if self._item is not None else self._begin_message()
            return [*begun, self._annotation(part)]
        if isinstance(part, SearchBegun):
            return [*self._end_message(complete=True), *self._begin_search(part.id)]
        if isinstance(part, SearchEnded):
            return self._end_search(part.item)
        if isinstance(part, CallBegun):
            return [*self._end_message(complete=True), *self._begin_call(part.name)]
        if isinstance(part, ArgumentsPart):
            return [self._arguments_delta(part.text)]
        return self._end_call(complete=part.complete)

    def end_output(self, *, complete: bool) -> list[Event]:
        """Close the message that is still open; an answer without any output becomes an empty message."""
        begun = [] if self._item is not None or self._output else self._begin_message()
        return [*begun, *self._end_message(complete=complete)]

    def abandon(self) -> None:
        """Keep the item that is still open, as incomplete: the answer broke off and no event tells of its end."""
        if self._item is not None:
            self._fill(complete=False)

    def closing(self) -> Event:
        """Return the last event, by the response's status: completed, incomplete or failed."""
        return self._about_response(f"response.{self._response['status']}")

    def _event(self, kind: str, **fields: Any) -> Event:  # the fields of any event
        event = {"type": kind, "sequence_number": self._sequence, **fields}
        self._sequence += 1
        return event

    def _about_response(self, kind: str) -> Event:
        return self._event(kind, response={**self._response, "output": list(self._output)})

    def _about_item(self, kind: str, **fields: Any) -> Event:  # the fields of any event
        assert self._item is not None
        return self._event(kind, item_id=self._item["id"], output_index=len(self._output), **fields)

    def _begin(self, item: dict[str, Any]) -> Event:
        self._item = item
        self._texts = []
        self._annotations = []
        return self._event("response.output_item.added", output_index=len(self._output), item=item)

    def _begin_message(self) -> list[Event]:
        item = {"id": new_id("msg"), "type": "message", "status": "in_progress", "role": "assistant", "content": []}
        added = self._begin(item)
        return [added, self._about_item("response.content_part.added", content_index=0, part=self._text_part(""))]

    def _text_delta(self, text: str) -> Event:
        self._texts.append(text)
        return self._about_item("response.output_text.delta", content_index=0, delta=text, logprobs=[])

    def _annotation(self, cited: CitationPart) -> Event:
        place = sum(map(len, self._texts))
        annotation = {
            "type": "file_citation",
            "index": place,
            "file_id": cited.file_id,
            "filename": cited.filename,
        }
        self._annotations.append(annotation)
        return self._about_item(
            "response.output_text.annotation.added",
            content_index=0,
            annotation_index=len(self._annotations) - 1,
            annotation=annotation,
        )

    def _begin_search(self, item_id: str) -> list[Event]:
        item: dict[str, Any] = {
            "id": item_id,
            "type": "file_search_call",
            "status": "in_progress",
            "queries": [],
            "results": None,
        }
        return [
            self._begin(item),
            self._about_item("response.file_search_call.in_progress"),
            self._about_item("response.file_search_call.searching"),
        ]

    def _end_search(self, item: dict[str, Any]) -> list[Event]:
        assert self._item is not None
        results = [_shown(result) for result in item["results"]] if self._with_results else None
        self._item = {**self._item, "queries": item["queries"], "results": results}
        return [self._about_item("response.file_search_call.completed"), self._end(complete=True)]

    def _end_message(self, *, complete: bool) -> list[Event]:
        if self._item is None:
            return []
        text = "".join(self._texts)
        return [
            self._about_item("response.output_text.done", content_index=0, text=text, logprobs=[]),
            self._about_item("response.content_part.done", content_index=0, part=self._text_part(text)),
            self._end(complete=complete),
        ]

    def _begin_call(self, name: str) -> list[Event]:
        item = {
            "id": new_id("fc"),
            "type": "function_call",
            "status": "in_progress",
            "call_id": new_id("call"),
            "name": name,
            "arguments": "",
        }
        return [self._begin(item)]

    def _arguments_delta(self, text: str) -> Event:
        self._texts.append(text)
        return self._about_item("response.function_call_arguments.delta", delta=text)

    def _end_call(self, *, complete: bool) -> list[Event]:
        arguments = "".join(self._texts)
        done = self._about_item("response.function_call_arguments.done", arguments=arguments)
        return [done, self._end(complete=complete)]

    def _end(self, *, complete: bool) -> Event:
        index = len(self._output)
        item = self._fill(complete=complete)
        return self._event("response.output_item.done", output_index=index, item=item)

    def _fill(self, *, complete: bool) -> dict[str, Any]:
        """Move the open item, with all its text, to the output."""
        assert self._item is not None
        text = "".join(self._texts)
        item = {**self._item, "status": "completed" if complete else "incomplete"}
        if item["type"] == "message":
            item["content"] = [self._text_part(text)]
        elif item["type"] == "function_call":
            item["arguments"] = text
        elif not complete:
            item["status"] = "failed"
        self._output.append(item)
        self._item = None
        return item

    def _text_part(self, text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": list(self._annotations), "logprobs": []}


_RESULT_KEYS = ("attributes", "file_id", "filename", "score", "text")


def _shown(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result of a search with OpenAI's fields, and `agentkit` where the request asked for it."""
    return {key: result[key] for key in (*_RESULT_KEYS, "agentkit") if key in result}
