"""A structured answer before it is complete: what of it has come and is valid."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from agentkit.models import AgentOutputSchema
from agentkit.runtime.partial_json import MISSING, Frame, PartialJson
from agentkit.runtime.partial_shapes import ListShape, MappingShape, ObjectShape, Shapes
from agentkit.runtime.partial_view import Partial
from agentkit.runtime.turn import output_schema_of

if TYPE_CHECKING:
    from agentkit.models import AgentOutputSchemaBase, RawResponsesStreamEvent
    from agentkit.runtime.agent import Agent
    from agentkit.runtime.partial_shapes import Shape
    from agentkit.runtime.stream_events import StreamEvent

__all__ = ["PartialAnswer", "PartialReader"]

_DELTA = "response.output_text.delta"


class _ObjectLevel:
    """An object that is being read, as what its type makes of it."""

    def __init__(self, frame: Frame, shape: ObjectShape | MappingShape) -> None:
        self.frame = frame
        self.shape = shape
        self._values: dict[Any, Any] = {}
        self._complete: frozenset[str] = frozenset()
        self._count = 0  # members taken in

    def take_in(self) -> None:
        """Turn the members that have become complete since the last time into values."""
        keys, members = self.frame.keys, self.frame.value
        assert isinstance(members, dict)
        while self._count < len(keys):
            key = keys[self._count]
            self._count += 1
            if (field := self.shape.field(key)) is None:
                continue
            value = field.shape.complete(members[key])
            if value is not MISSING:
                self._values[field.name] = value
            else:  # also where the key has come twice
                self._values.pop(field.name, None)
        if isinstance(self.shape, ObjectShape):
            self._complete = frozenset(self._values)

    def inner(self) -> Shape | None:
        """Return the shape of the member that is being read; None where there is none, or of no interest."""
        field = None if self.frame.key is None else self.shape.field(self.frame.key)
        return None if field is None else field.shape

    def seen(self, inner: Any) -> Any:
        """Return what there is, with what there is of the member that is being read."""
        values, complete = self._values.copy(), self._complete
        if inner is not MISSING and (field := self.shape.field(self.frame.key or "")) is not None:
            values[field.name] = inner
            complete -= {field.name}
        return (
            Partial(self.shape.cls, self.shape.names, values, complete)
            if isinstance(self.shape, ObjectShape)
            else values
        )


class _ListLevel:
    """An array that is being read, as what its type makes of it."""

    def __init__(self, frame: Frame, shape: ListShape) -> None:
        self.frame = frame
        self.shape = shape
        self._values: list[Any] = []
        self._count = 0  # items taken in

    def take_in(self) -> None:
        """Turn the items that have become complete since the last time into values."""
        items = self.frame.value
        assert isinstance(items, list)
        while self._count < len(items):
            shape = self.shape.item(self._count)
            value = MISSING if shape is None else shape.complete(items[self._count])
            if value is not MISSING:
                self._values.append(value)
            self._count += 1

    def inner(self) -> Shape | None:
        """Return the shape of the next item; None where there may be no more."""
        return self.shape.item(len(self.frame.value))

    def seen(self, inner: Any) -> list[Any]:
        """Return what there is, with what there is of the item that is being read."""
        return self._values.copy() if inner is MISSING else [*self._values, inner]


class PartialReader:
    """Reads an answer of an output type while it streams. Each piece is read once, each complete part checked once.

    Args:
        schema: The output type; JSON of any form when None.
    """

    def __init__(self, schema: AgentOutputSchemaBase | None = None) -> None:
        known = isinstance(schema, AgentOutputSchema) and not schema.is_plain_text()
        self._json = PartialJson()
        self._shape = Shapes().of(schema.output_type if known else Any)  # type: ignore[union-attr]
        self._wrapper = schema.wrapper_key if isinstance(schema, AgentOutputSchema) else None
        self._levels: list[_ObjectLevel | _ListLevel] = []
        self._last: Any = MISSING
        self._is_news = False

    @property
    def complete(self) -> bool:
        """Whether the JSON has come to its end."""
        return self._json.complete

    @property
    def failed(self) -> bool:
        """Whether the text is no JSON from some point on."""
        return self._json.failed

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come, or nothing valid."""
        return self._seen() is MISSING

    def feed(self, text: str) -> None:
        """Read on."""
        self._json.feed(text)
        self._is_news = True

    def finish(self) -> None:
        """Take the text as ended."""
        self._json.finish()
        self._is_news = True

    def value(self) -> Any:
        """Return what has come and is valid; None before there is anything.

        What is complete is as it will be in the answer; an object that isn't is a `Partial`.
        """
        seen = self._seen()
        return None if seen is MISSING else seen

    def _seen(self) -> Any:
        if self._is_news:
            self._is_news = False
            seen = self._whole() if self._json.complete else self._open()
            if seen is not MISSING:
                self._last = seen
        return self._last

    def _whole(self) -> Any:
        self._levels = []
        raw = self._json.value
        if self._wrapper is None:
            return self._shape.complete(raw)
        return self._shape.complete(raw[self._wrapper]) if isinstance(raw, dict) and self._wrapper in raw else MISSING

    def _open(self) -> Any:
        frames = self._json.frames
        if self._wrapper is not None:
            if not frames or not isinstance(outer := frames[0].value, dict):
                return MISSING
            if self._wrapper in outer:  # what comes after it is of no interest
                return self._shape.complete(outer[self._wrapper])
            if frames[0].key != self._wrapper:
                return MISSING
            frames = frames[1:]
        innermost = self._go_down(frames)
        value = MISSING if innermost is None else self._json.open_text()
        if value is not MISSING and innermost is not None and not innermost.takes(value):
            value = MISSING
        for level in reversed(self._levels):
            value = level.seen(value)
        return value

    def _go_down(self, frames: list[Frame]) -> Shape | None:
        """Bring the levels up to date, and return the shape of the innermost value; None where that has no place."""
        levels = self._levels
        shape: Shape | None = self._shape
        for depth, frame in enumerate(frames):
            found = None if shape is None else _opened(shape, frame)
            if found is None:
                del levels[depth:]
                return None
            if depth == len(levels) or levels[depth].frame is not frame or levels[depth].shape is not found:
                del levels[depth:]
                levels.append(_ListLevel(frame, found) if isinstance(found, ListShape) else _ObjectLevel(frame, found))
            levels[depth].take_in()
            shape = levels[depth].inner()
        del levels[len(frames) :]
        return shape


def _opened(shape: Shape, frame: Frame) -> ObjectShape | MappingShape | ListShape | None:
    return shape.open_list() if isinstance(frame.value, list) else shape.open_object(frame)


class PartialAnswer:
    """What has come of a run's answer, from the events that it is shown. Reading is left until somebody looks.

    `see` is called in one thread, the others in any.

    Args:
        agent: Who answers first.
    """

    def __init__(self, agent: Agent[Any]) -> None:
        self._agent = agent
        self._lock = threading.Lock()
        self._unread: deque[RawResponsesStreamEvent | str] = deque()
        self._reader: PartialReader | None = None
        self._text = ""

    def see(self, event: StreamEvent) -> None:
        """Take notice of an event of the run."""
        if event.type == "raw_response_event":
            if event.wire_type == _DELTA:
                self._unread.append(event)
            elif _begins_answer(event):
                self._begin(self._agent)
        elif event.type == "agent_updated_stream_event":
            self._begin(event.new_agent)

    def _begin(self, agent: Agent[Any]) -> None:
        with self._lock:
            self._agent = agent
            self._unread.clear()
            self._reader, self._text = None, ""

    def settle(self, *, keep: bool) -> None:
        """Let go of the events, as no more come.

        Args:
            keep: Whether what they say may still be asked for.
        """
        with self._lock:
            text = self._take() if keep else ""
            self._unread.clear()
            if text:
                self._unread.append(text)

    def value(self) -> Any:
        """Return what has come and is valid, or None: of the agent's output type, or text."""
        with self._lock:
            if self._reader is None and not self._text:
                schema = output_schema_of(self._agent)
                self._reader = None if schema is None or schema.is_plain_text() else PartialReader(schema)
            if self._reader is None:
                self._text += self._take()
                return self._text or None
            self._reader.feed(self._take())
            return self._reader.value()

    def _take(self) -> str:
        parts = []
        while self._unread:
            event = self._unread.popleft()
            parts.append(event if isinstance(event, str) else event.json.get("delta") or "")
        return "".join(parts)


def _begins_answer(event: RawResponsesStreamEvent) -> bool:
    if event.wire_type == "response.output_item.added":
        return (event.json.get("item") or {}).get("type") == "message"
    return event.wire_type == "response.created"
