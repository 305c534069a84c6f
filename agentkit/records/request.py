"""The request of a recorded model call, put together again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.models.chat_messages import encode_messages
from agentkit.models.history import encode_items
from agentkit.records.conversation import Conversation, conversation_of
from agentkit.records.span import parsed
from agentkit.tracing.reader import read_request

if TYPE_CHECKING:
    from agentkit.records.call import RecordedCall

__all__ = ["RecordedRequest", "request_of"]

JSON = dict[str, Any]

_FIRST = ("model", "instructions", "input", "messages", "tools")
"""Keys of a body that are shown before the others."""


_NOWHERE: JSON = {"api": None, "method": None, "url": None, "headers": [], "query": []}
"""What is told of a request that another made."""


class RecordedRequest(JSON):
    """What was sent: a dictionary with these keys.

    | key | |
    |---|---|
    | api | "responses" or "chat_completions"; None for a model that makes its requests itself |
    | method, url | such as "POST" and "https://api.openai.com/v1/responses" |
    | headers, query | names of the extra headers and query parameters; their values aren't kept |
    | body | the JSON that was sent, as a dictionary; None for a model that makes its requests itself |
    | arguments | what such a model was called with: `Model.get_response`'s, "input" and "tools" as JSON |
    | made_by | the class of such a model, or the library that made another request of the body |
    | incomplete | why `body` isn't, or may not be, all that the model got; None where it is |
    """

    def __init__(self, known: JSON, *, instructions: str | None, own_messages: bool = False) -> None:
        super().__init__(known)
        self.instructions = instructions
        """The instructions as they were sent, wherever in the body they are."""
        self.own_messages = own_messages
        """Whether the messages came from the settings' extras, and not from the conversation."""

    @property
    def body(self) -> JSON | None:
        """The JSON that was sent, as a dictionary."""
        return self.get("body")

    @property
    def incomplete(self) -> str | None:
        """Why the body isn't all that the model got; None where it is."""
        return self.get("incomplete")


def request_of(call: RecordedCall) -> RecordedRequest:
    """Return the request of `call`, as far as it was recorded."""
    conversation = conversation_of(call)
    stored, missing = _stored(call)
    if stored is None:
        return _unknown(call, conversation, missing)
    if "arguments" in stored:
        return _given(stored, conversation, missing)
    body, more = _body(stored, conversation)
    known = {name: stored.get(name) for name in ("api", "method", "url")}
    names = {name: stored.get(name, []) for name in ("headers", "query")}
    made_by = stored.get("made_by")
    if made_by is not None:
        more.append(f"{made_by} made another request of it")
    how = stored.get("messages")
    told = {"body": body, "arguments": None, "made_by": made_by, "incomplete": _told([*missing, *more])}
    instructions = body.get("instructions") if stored["api"] == "responses" else (how or {}).get("instructions")
    return RecordedRequest({**known, **names, **told}, instructions=instructions, own_messages=how is None)


def _stored(call: RecordedCall) -> tuple[JSON | None, list[str]]:
    """Return what was sent beside the messages, or None and why it isn't there."""
    if call.request_key is None:
        if call.input is None:
            return None, []
        return None, ["its settings and tools weren't recorded, as by an earlier agentkit"]
    text = read_request(call.request_key)
    stored = parsed(text)
    if not isinstance(stored, dict):
        return None, ["its settings and tools aren't in the store any more" if text is None else "it is damaged"]
    return stored, []


def _body(stored: JSON, conversation: Conversation) -> tuple[JSON, list[str]]:
    """Return the body, and why it isn't all that the model got."""
    body: JSON = dict(stored["body"])
    missing = []
    how = stored.get("messages")
    if how is not None:  # else the settings' extras had messages of their own
        missing += conversation.missing
        try:
            body[how["key"]] = _json.loads(_encoded(how, conversation.items))
        except (UserError, KeyError, TypeError) as error:
            missing.append(f"its messages can't be put together again ({type(error).__name__}: {error})")
    for name, what in (
        ("previous_response_id", "the conversation up to the response"),
        ("conversation", "the conversation"),
        ("prompt", "the prompt"),
    ):
        if (given := body.get(name)) is not None:
            which = given.get("id", given) if isinstance(given, dict) else given
            missing.append(f"the platform itself adds {what} {which}, which it keeps")
    order = [name for name in _FIRST if name in body]
    return {name: body[name] for name in [*order, *(name for name in body if name not in order)]}, missing


def _encoded(how: JSON, items: list[JSON]) -> bytes:
    if how["key"] == "input":
        return b"[" + encode_items(items) + b"]"
    return encode_messages(how["instructions"], items, model=how["model"], reasoning_field=how["reasoning_field"])


def _given(stored: JSON, conversation: Conversation, missing: list[str]) -> RecordedRequest:
    """Return what a model of any make was called with."""
    given = stored["arguments"]
    names = ("system_instructions", "input", "tools", "output_schema", "model_settings")
    arguments = {name: given.get(name) for name in (*names, *(name for name in given if name not in names))}
    arguments["input"] = conversation.items
    made_by = stored.get("made_by") or "The model"
    missing = [
        f"{made_by} makes its request itself, or failed before it did: `arguments` are what it was called with",
        *missing,
        *conversation.missing,
    ]
    told = {"body": None, "arguments": {"model": stored.get("model"), **arguments}, "made_by": stored.get("made_by")}
    told["incomplete"] = _told(missing)
    return RecordedRequest({**_NOWHERE, **told}, instructions=given.get("system_instructions"))


def _unknown(call: RecordedCall, conversation: Conversation, missing: list[str]) -> RecordedRequest:
    """Return what is known where only the messages are."""
    known = {"model": call.model, "system_instructions": conversation.instructions, "input": conversation.items}
    told: JSON = {"body": None, "arguments": known, "made_by": None}
    told["incomplete"] = _told([*missing, *conversation.missing])
    api = "responses" if call.kind == "response" else None
    return RecordedRequest({**_NOWHERE, "api": api, **told}, instructions=conversation.instructions)


def _told(missing: list[str]) -> str | None:
    text = "; ".join(dict.fromkeys(missing))
    return f"{text[0].upper()}{text[1:]}." if text else None
