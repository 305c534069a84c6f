"""How models write the calls of tools, and how their text is read again: Hermes and Qwen, Llama 3, and Mistral."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Call", "CallFormat", "CallReader", "call_format"]

_NAME = re.compile(r'"name"\s*:\s*"((?:[^"\\]|\\.)*)"')
_BEGUN = re.compile(r'"(?:arguments|parameters)"\s*:\s*(\{.*)\Z', re.DOTALL)
_NAMED = re.compile(r"\s*([A-Za-z0-9_-]+)\s*(?:\[CALL_ID\]\S*?)?\[ARGS\]\s*")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was read."""

    name: str
    arguments: str
    """JSON text of an object; the beginning of one where the call is not complete."""
    complete: bool = True


@dataclass(frozen=True, slots=True)
class CallFormat:
    """A way to write calls."""

    kind: Literal["hermes", "llama", "mistral"]
    begin: str
    """What comes before a call."""
    end: str
    """What comes after it; "" where the answer ends with it."""
    arguments_key: str
    marks: tuple[str, ...]
    """Texts that may be special tokens."""
    has_args_mark: bool = False
    """Whether name and arguments are set apart by a mark, not by JSON."""


_HERMES = CallFormat("hermes", "<tool_call>", "</tool_call>", "arguments", ("<tool_call>", "</tool_call>"))
_LLAMA = CallFormat("llama", "<|python_tag|>", "", "parameters", ("<|python_tag|>",))
_MISTRAL = CallFormat("mistral", "[TOOL_CALLS]", "", "arguments", ("[TOOL_CALLS]", "[ARGS]", "[CALL_ID]"))
_MISTRAL_ARGS = CallFormat("mistral", "[TOOL_CALLS]", "", "arguments", _MISTRAL.marks, has_args_mark=True)


def call_format(template: str) -> CallFormat:
    """Return the format in which a chat template writes calls; Hermes' where it has none."""
    if "[TOOL_CALLS]" in template:
        return _MISTRAL_ARGS if "[ARGS]" in template else _MISTRAL
    if "<tool_call>" in template:
        return _HERMES
    if "<|python_tag|>" in template or ('"parameters"' in template and "<|start_header_id|>" in template):
        return _LLAMA
    return _HERMES


class CallReader:
    """Sorts calls from text as it comes. What looks like a call and is none stays text, exactly.

    Args:
        form: How the model writes calls.
        names: Tools that there are; without any, all is text.
    """

    def __init__(self, form: CallFormat, names: Collection[str]) -> None:
        self._form = form
        self._names = names
        self._held = ""
        self._inside = False
        self._at_start = True

    @property
    def inside(self) -> bool:
        """Whether a call has begun and not ended."""
        return self._inside

    def feed(self, text: str) -> Iterator[str | Call]:
        """Yield what is certain: texts and whole calls."""
        if not self._names:
            if text:
                yield text
            return
        self._held += text
        while True:
            if self._inside:
                end = self._held.find(self._form.end) if self._form.end else -1
                if end < 0:
                    return
                block = self._held[: end + len(self._form.end)]
                self._held = self._held[len(block) :]
                self._inside = False
                yield from self._read(block, complete=True)
                continue
            begin = self._begin()
            if begin is None:
                break
            if before := self._held[:begin].rstrip():
                yield self._held[: len(before)]
            self._held = self._held[begin:]
            self._inside = True
        keep = self._kept()
        if given := self._held[: len(self._held) - keep]:
            self._at_start = False
            self._held = self._held[len(given) :]
            yield given

    def end(self, *, cut: bool) -> Iterator[str | Call]:
        """Yield what was held back, now that no more will come."""
        held, self._held = self._held, ""
        if self._inside:
            self._inside = False
            yield from self._read(held, complete=not cut)
        elif held:
            yield held

    def _begin(self) -> int | None:
        """Return where a call begins in what is held."""
        found = self._held.find(self._form.begin)
        if found >= 0:
            return found
        if self._form.kind == "llama" and self._at_start and self._held.lstrip().startswith("{"):
            return 0
        return None

    def _kept(self) -> int:
        """Return how many characters may belong to a call that begins: blanks before it, and a part of its mark."""
        blanks = len(self._held) - len(self._held.rstrip())
        for length in range(min(len(self._held), len(self._form.begin) - 1), 0, -1):
            if self._held.endswith(self._form.begin[:length]):
                before = self._held[: len(self._held) - length]
                return length + len(before) - len(before.rstrip())
        return blanks

    def _read(self, block: str, *, complete: bool) -> Iterator[str | Call]:
        """Yield the calls of a block; the block itself where it holds none."""
        body = block.removeprefix(self._form.begin)
        if self._form.end:
            body = body.removesuffix(self._form.end)
        calls = self._calls(body)
        if calls is None and not complete:
            calls = self._begun(body)
        if calls is None or any(call.name not in self._names for call in calls):
            self._at_start = False
            yield block
        else:
            yield from calls

    def _calls(self, body: str) -> list[Call] | None:
        if self._form.kind == "mistral" and "[ARGS]" in body:
            return self._named_calls(body)
        values = _values(body)
        if values is None:
            return None
        calls = [self._call(value) for value in values]
        return None if not calls or None in calls else [call for call in calls if call is not None]

    def _call(self, value: Any) -> Call | None:
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            return None
        given = value.get(self._form.arguments_key, value.get("arguments", value.get("parameters", {})))
        if isinstance(given, str):
            try:
                given = json.loads(given)
            except ValueError:
                return None
        return Call(value["name"], _as_json(given)) if isinstance(given, dict) else None

    def _named_calls(self, body: str) -> list[Call] | None:
        calls = []
        for part in filter(None, body.split("[TOOL_CALLS]")):
            named = _NAMED.match(part)
            values = _values(part[named.end() :]) if named else None
            if named is None or values is None or len(values) != 1 or not isinstance(values[0], dict):
                return None
            calls.append(Call(named[1], _as_json(values[0])))
        return calls or None

    def _begun(self, body: str) -> list[Call] | None:
        """Return the call that an answer was cut in, if its name is known."""
        if (named := _NAMED.match(body)) is not None:
            return [Call(named[1], body[named.end() :], complete=False)]
        names, arguments = _NAME.search(body), _BEGUN.search(body)
        if names is None or arguments is None:
            return None
        return [Call(names[1], arguments[1], complete=False)]


def _values(text: str) -> list[Any] | None:
    """Return the JSON values in a text: one, a list of them, or several with blanks or semicolons between."""
    decoder, values, at = json.JSONDecoder(), [], 0
    while True:
        at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n;"))
        if at == len(text):
            break
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return None
        values += value if isinstance(value, list) else [value]
    return values


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
