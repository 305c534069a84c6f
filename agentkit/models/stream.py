"""Streamed answers: server-sent events cut from bytes, and the event that users see, parsed only when looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from agentkit import _json
from agentkit.models.typed import to_json, typed_event

if TYPE_CHECKING:
    from openai.types.responses import ResponseStreamEvent

__all__ = ["RawResponsesStreamEvent", "ServerSentEvents"]


class RawResponsesStreamEvent:
    """An event of the model's answer, just as the model sent it, in the shape of the Responses API.

    Args:
        data: The event as an `openai` object or as a dict.
    """

    __slots__ = ("_bytes", "_json", "_typed", "wire_type")

    type: Literal["raw_response_event"] = "raw_response_event"

    def __init__(self, data: Any) -> None:
        self._bytes: bytes | None = None
        self._json: dict[str, Any] | None = None
        self._typed: Any = None
        if isinstance(data, dict):
            self._json = data
            self.wire_type: str = data.get("type", "")
        else:
            self._typed = data
            self.wire_type = data.type

    @classmethod
    def from_bytes(cls, data: bytes, wire_type: str) -> RawResponsesStreamEvent:
        """Return the event whose JSON is `data`; it isn't parsed yet."""
        event = cls.__new__(cls)
        event._bytes = data
        event._json = event._typed = None
        event.wire_type = wire_type
        return event

    @property
    def json(self) -> dict[str, Any]:
        """The event as JSON."""
        if self._json is None:
            self._json = _json.loads(self._bytes) if self._bytes is not None else to_json(self._typed)
        return self._json

    @property
    def data(self) -> ResponseStreamEvent:
        """The event as an `openai` object."""
        if self._typed is None:
            self._typed = typed_event(self.json)
        event: ResponseStreamEvent = self._typed
        return event

    def __repr__(self) -> str:
        return f"RawResponsesStreamEvent({self.wire_type})"


class ServerSentEvents:
    """Cuts a stream of bytes into server-sent events.

    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
    """

    __slots__ = ("_buffer", "_held")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._held = b""
        """A carriage return at the end of a piece: half of a CRLF, perhaps."""

    def feed(self, chunk: bytes) -> list[tuple[bytes, bytes]]:
        """Return the events that `chunk` completes, each as its name (empty where not given) and its data."""
        if self._held or b"\r" in chunk:
            chunk = self._held + chunk
            self._held = b"\r" if chunk.endswith(b"\r") else b""
            chunk = chunk.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        searched = max(len(self._buffer) - 1, 0)  # what was there before holds no end of an event
        self._buffer += chunk
        if self._buffer.find(b"\n\n", searched) < 0:
            return []
        *blocks, rest = bytes(self._buffer).split(b"\n\n")
        self._buffer = bytearray(rest)
        return [event for block in blocks if (event := _parse_block(block)) is not None]

    def end(self) -> list[tuple[bytes, bytes]]:
        """Return the event left over at the end of the stream, if the server didn't close it with a blank line."""
        event = _parse_block(bytes(self._buffer).strip(b"\n"))
        self._buffer.clear()
        return [] if event is None else [event]


def _parse_block(block: bytes) -> tuple[bytes, bytes] | None:
    if block.startswith(b"event: ") and block.count(b"\n") == 1:  # the form that every server sends
        name, _, data = block.partition(b"\n")
        if data.startswith(b"data: "):
            return name[7:], data[6:]
    name, parts = b"", []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            name = value
        elif field == b"data":
            parts.append(value)
    return (name, b"\n".join(parts)) if parts else None
