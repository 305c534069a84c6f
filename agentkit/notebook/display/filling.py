"""A structured answer shown while it streams: a table that fills."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from agentkit.notebook.display.text import clean, showable_length
from agentkit.notebook.display.values import partial_html
from agentkit.runtime.partial import PartialReader

if TYPE_CHECKING:
    from agentkit.models import AgentOutputSchemaBase

__all__ = ["PartialView"]

_FREE_BYTES, _BYTES_PER_CHAR = 60_000, 16
"""What all renderings may cost together, beyond what growing by quarters costs anyway."""

_TEXT_CHARS = 2_000
"""How much of an answer that turns out to be no JSON is shown."""


class PartialView:
    """Reads a structured answer as it streams, and gives what there is of it as HTML.

    Rendering costs what the table costs, which is bounded however long the answer is. It is for who sends it to ask
    `wants_rendering` first: then all of it together is in proportion to the answer.

    Args:
        schema: The answer's type, so that fields that are still to come can be shown, and values of the right type;
            where it isn't known, what has come is shown as JSON is.
    """

    def __init__(self, schema: AgentOutputSchemaBase | None = None) -> None:
        self._reader = PartialReader(schema)
        self._beginning = ""
        self._chars = self._rendered_chars = 0
        self._spent_bytes = 0
        self._shown = partial_html(None)

    def feed(self, delta: str) -> None:
        """Read on."""
        self._reader.feed(delta)
        self._chars += len(delta)
        if len(self._beginning) < _TEXT_CHARS:
            self._beginning += delta

    @property
    def is_text(self) -> bool:
        """Whether what came is no JSON, from its beginning on."""
        return self._reader.failed and self._reader.is_empty

    @property
    def wants_rendering(self) -> bool:
        """Whether enough is new, for what another rendering costs."""
        grown = self._chars - self._rendered_chars
        if not grown:
            return False
        if grown >= max(8, self._rendered_chars // 4) or self._reader.complete:
            return True
        return self._spent_bytes + len(self._shown) <= _FREE_BYTES + _BYTES_PER_CHAR * self._chars

    def html(self) -> str:
        """Return what has come as HTML: a table, or the text itself where it is no JSON."""
        if self._rendered_chars != self._chars:
            self._rendered_chars = self._chars
            self._shown = self._render()
            self._spent_bytes += len(self._shown)
        return self._shown

    def _render(self) -> str:
        reader = self._reader
        if not reader.is_empty:
            return partial_html(reader.value(), is_open=not reader.complete)
        if not reader.failed:
            return partial_html(None)
        text = clean(self._beginning[: showable_length(self._beginning)])
        return f"<pre><code>{html.escape(text)}{'…' if self._chars > len(self._beginning) else ''}</code></pre>"
