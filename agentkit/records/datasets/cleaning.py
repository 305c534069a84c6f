"""Keys and what else mustn't be learnt, taken out of the texts of examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from agentkit import _json
from agentkit._secrets import Redactor, find
from agentkit.exceptions import UserError
from agentkit.records.datasets.left_out import LeftOutError

__all__ = ["Cleaner", "Redact", "Scrub", "redacted_places"]

Scrub = Callable[[str], str]
"""Returns a text without what is to be left out."""

Redact = Literal["skip"] | bool

JSON = Any  # a value of JSON
Message = dict[str, Any]

_MARK = "[redacted]"


class Cleaner:
    """Cleans texts.

    Args:
        redact: True: keys are replaced; "skip": examples that have one, or had, are left out; False: texts stay.
        scrub: A function of the user's, for each text that somebody said.
    """

    def __init__(self, redact: Redact, scrub: Scrub | None) -> None:
        self._redactor = None if redact is False else Redactor()
        self._skip = redact == "skip"
        self._scrub = scrub

    def messages(self, messages: list[Message]) -> list[Message]:
        """Return messages with clean texts.

        Raises:
            LeftOutError: There is a key in them, and such examples are left out.
            UserError: The user's function returned no text.
        """
        return [self._message(message) for message in messages]

    def tools(self, tools: list[Message]) -> list[Message]:
        """Return descriptions of tools without keys. The user's function isn't for them."""
        if self._redactor is None or not tools:
            return tools
        text = _json.dumps(tools).decode()
        return tools if self._redactor.is_harmless(text) else list(_each_text(tools, self._without_keys))

    def text(self, text: str) -> str:
        """Return a clean text."""
        return self._without_keys(self._scrubbed(text))

    def item(self, item: Message) -> Message:
        """Return an item in the shape of the Responses API with clean texts."""
        clean: Message = {key: self._said(item[key]) for key in ("content", "output") if key in item}
        if isinstance(item.get("arguments"), str):
            clean["arguments"] = self._arguments(item["arguments"])
        return item | clean

    def _message(self, message: Message) -> Message:
        clean = message | ({"content": self._said(message["content"])} if "content" in message else {})
        if "tool_calls" in message:
            clean["tool_calls"] = [
                {**call, "function": {**call["function"], "arguments": self._arguments(call["function"]["arguments"])}}
                for call in message["tool_calls"]
            ]
        return clean

    def _said(self, content: JSON) -> JSON:
        """Return a message's content, a text or a list of parts, with clean texts."""
        if isinstance(content, str):
            return self.text(content)
        if not isinstance(content, list):
            return content
        return [
            {**part, "text": self.text(part["text"])} if isinstance(part.get("text"), str) else part for part in content
        ]

    def _arguments(self, arguments: str) -> str:
        """Return a call's arguments, JSON within a text, that stay JSON."""
        if self._scrub is not None:
            try:
                value = _json.loads(arguments)
            except ValueError:
                return self.text(arguments)
            scrubbed = _each_text(value, self._scrubbed)
            if scrubbed != value:
                arguments = _json.dumps(scrubbed).decode()
        return self._without_keys(arguments)

    def _scrubbed(self, text: str) -> str:
        if self._scrub is None:
            return text
        scrubbed = self._scrub(text)
        if not isinstance(scrubbed, str):
            raise UserError(
                f"scrub returns a text without what is to be left out, not {type(scrubbed).__name__} {scrubbed!r:.40}.",
                hint='For example scrub=lambda text: re.sub(r"\\S+@\\S+", "<e-mail>", text).',
            )
        return scrubbed

    def _without_keys(self, text: str) -> str:
        if self._redactor is None:
            return text
        clean = self._redactor.clean(text)
        if self._skip and _MARK in clean:
            kinds = sorted({found.kind for found in find(text)})
            raise LeftOutError(
                "secret", f"It has {' and '.join(kinds) or 'a key that was taken out when it was recorded'}."
            )
        return clean


def redacted_places(value: JSON) -> int:
    """Return in how many places a key was taken out, now or when it was recorded."""
    return _json.dumps(value).decode().count(_MARK)


def _each_text(value: JSON, do: Scrub) -> JSON:
    if isinstance(value, str):
        return do(value)
    if isinstance(value, list):
        return [_each_text(each, do) for each in value]
    if isinstance(value, dict):
        return {key: _each_text(each, do) for key, each in value.items()}
    return value
