"""What OpenAI's platform asks of training data, line by line.

Sources: the guides to supervised fine-tuning, vision fine-tuning and direct preference optimization, and the request
schemas of the API's description (FineTuneChatRequestInput, FineTunePreferenceRequestInput).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from agentkit import _json
from agentkit._images import image_info

__all__ = ["MAX_FILE_BYTES", "MAX_WITH_IMAGES", "MIN_EXAMPLES", "Problem", "problems_in"]

MIN_EXAMPLES = 10
"""Examples that a training file has at least."""
MAX_FILE_BYTES = 512_000_000
"""Bytes that it has at most; more go through the Uploads API."""
MAX_WITH_IMAGES = 50_000
"""Examples with images that it has at most."""

_MAX_IMAGES, _MAX_IMAGE_BYTES = 10, 10_000_000
_MAX_TOOLS = 128
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_ROLES = ("system", "developer", "user", "assistant", "tool")
_KINDS = ("image/jpeg", "image/png", "image/webp")
_SETTINGS = ("tools", "parallel_tool_calls")
_MESSAGE_KEYS = {
    "system": {"name"},
    "developer": {"name"},
    "user": {"name"},
    "assistant": {"name", "tool_calls", "weight", "refusal"},
    "tool": {"tool_call_id"},
}

JSON = Any  # what a user may have put there


class Problem(NamedTuple):
    """Something that the platform doesn't take."""

    field: str
    """Where, such as "messages[2].tool_calls[0].id"."""
    problem: str
    """What is wrong."""
    remedy: str
    """What to do."""
    level: str = "error"
    """"error", or "warning" for what is taken and not good."""


def problems_in(kind: str, line: JSON) -> Iterator[Problem]:
    """Yield what is wrong with a line of a data set.

    Args:
        kind: "sft", "preferences" or "evals".
        line: The line.
    """
    if not isinstance(line, dict):
        yield Problem("", f"is {_type(line)}", "A line is an object.")
    elif kind == "sft":
        yield from _keys(line, ("messages", *_SETTINGS), "")
        yield from _settings(line, "")
        yield from _messages(line, "messages")
        yield from _ends_with_answer(line)
    elif kind == "preferences":
        yield from _preference(line)
    else:
        yield from _settings(line, "")
        yield from _messages(line, "messages")
        yield from _ends_with_question(line.get("messages"), "messages")
        if line.get("expected") is None and line.get("rejected") is None:
            yield Problem("expected", "is missing, as is rejected", "Say what a good answer is, or a bad one.")


def _preference(line: dict[str, JSON]) -> Iterator[Problem]:
    outputs = ("preferred_output", "non_preferred_output")
    yield from _keys(line, ("input", *outputs), "")
    given = line.get("input")
    if isinstance(given, dict):
        yield from _keys(given, ("messages", *_SETTINGS), "input.")
        yield from _settings(given, "input.")
        yield from _messages(given, "input.messages", text_only=True)
        yield from _ends_with_question(given.get("messages"), "input.messages")
    else:
        yield Problem("input", f"is {_type(given)}", "It is an object with messages.")
    for name in outputs:
        output = line.get(name)
        if not isinstance(output, list) or len(output) != 1 or not isinstance(output[0], dict):
            yield Problem(name, f"is {_type(output)}", "It is a list of one assistant message.")
        elif output[0].get("role") != "assistant":
            yield Problem(f"{name}[0].role", f"is {output[0].get('role')!r}", 'It is "assistant".')
        elif not isinstance(output[0].get("content"), str) or not output[0]["content"]:
            yield Problem(f"{name}[0].content", f"is {_type(output[0].get('content'))}", "It is a text.")
        elif "tool_calls" in output[0]:
            yield Problem(f"{name}[0].tool_calls", "is there", "Pairs are of texts: take a pair without calls.")
    if line.get(outputs[0]) == line.get(outputs[1]):
        yield Problem(outputs[1], "is the same as preferred_output", "Take the line out: it teaches nothing.")


def _keys(line: dict[str, JSON], known: tuple[str, ...], before: str) -> Iterator[Problem]:
    for key in line:
        if key not in known:
            yield Problem(f"{before}{key}", "isn't a field of the format", f"It has {', '.join(known)}.")


def _settings(line: dict[str, JSON], before: str) -> Iterator[Problem]:
    parallel = line.get("parallel_tool_calls")
    if parallel is not None and not isinstance(parallel, bool):
        yield Problem(f"{before}parallel_tool_calls", f"is {_type(parallel)}", "It is true or false.")
    tools = line.get("tools")
    if tools is None:
        return
    if not isinstance(tools, list) or not 1 <= len(tools) <= _MAX_TOOLS:
        yield Problem(f"{before}tools", f"is {_type(tools)}", f"It is a list of 1 to {_MAX_TOOLS} tools.")
        return
    for index, tool in enumerate(tools):
        where = f"{before}tools[{index}]"
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or tool.get("type") != "function":
            yield Problem(where, "is no function", 'It is {"type": "function", "function": {…}}.')
        elif not isinstance(function.get("name"), str) or not _NAME.match(function["name"]):
            yield Problem(f"{where}.function.name", f"is {function.get('name')!r:.60}", _NAME_RULE)
        elif not isinstance(function.get("parameters", {}), dict):
            yield Problem(f"{where}.function.parameters", f"is {_type(function['parameters'])}", "It is a JSON schema.")


_NAME_RULE = "A name has 1 to 64 letters, digits, _ and -."


def _messages(line: dict[str, JSON], where: str, *, text_only: bool = False) -> Iterator[Problem]:
    messages = line.get("messages")
    if not isinstance(messages, list) or not messages:
        yield Problem(where, f"is {_type(messages)}", "It is a list of at least one message.")
        return
    tools = line.get("tools")
    functions = [tool.get("function") for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    names = {str(function.get("name")) for function in functions if isinstance(function, dict)}
    waiting: set[str] = set()
    images = 0
    for index, message in enumerate(messages):
        at = f"{where}[{index}]"
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            role = message.get("role") if isinstance(message, dict) else message
            yield Problem(f"{at}.role", f"is {role!r:.60}", f"It is one of {', '.join(_ROLES)}.")
            continue
        yield from _message(message, at, None if text_only or message.get("weight") == 0 else names)
        images += sum(part.get("type") == "image_url" for part in _parts(message))
        if message["role"] == "tool":
            if str(message.get("tool_call_id")) not in waiting:
                yield Problem(f"{at}.tool_call_id", "answers no call before it", "Put it after the call with that id.")
            waiting.discard(str(message.get("tool_call_id")))
            continue
        if waiting:
            yield Problem(at, f"comes before the output of {min(waiting)}", "Each call is followed by a tool message.")
        waiting = {str(call.get("id")) for call in _calls(message)}
    if waiting and (text_only or "tool_calls" not in _dict(messages[-1])):
        yield Problem(where, f"ends before the output of {min(waiting)}", "Each call is followed by a tool message.")
    if images and text_only:
        yield Problem(where, "has images", "Pairs are of texts.")
    if images > _MAX_IMAGES:
        yield Problem(where, f"has {images} images", f"An example has at most {_MAX_IMAGES}.")


def _message(message: dict[str, JSON], at: str, names: set[str] | None) -> Iterator[Problem]:
    role, content = message["role"], message.get("content")
    for key in message.keys() - {"role", "content"} - _MESSAGE_KEYS[role]:
        yield Problem(f"{at}.{key}", f"isn't a field of a message of role {role!r}", "Take it out.")
    if "weight" in message and (isinstance(message["weight"], bool) or message["weight"] not in (0, 1)):
        yield Problem(f"{at}.weight", f"is {message['weight']!r:.60}", "It is 0 or 1.")
    if isinstance(content, list):
        for index, part in enumerate(content):
            yield from _part(part, role, f"{at}.content[{index}]")
    elif not isinstance(content, str) and not (role == "assistant" and content is None):
        yield Problem(f"{at}.content", f"is {_type(content)}", "It is a text, or a list of parts.")
    if role == "assistant":
        if not content and not message.get("tool_calls") and not message.get("refusal"):
            yield Problem(f"{at}.content", "is missing", "The assistant says something, or calls a tool.")
        yield from _tool_calls(message, at, names)


def _tool_calls(message: dict[str, JSON], at: str, names: set[str] | None) -> Iterator[Problem]:
    calls = message.get("tool_calls")
    if calls is None:
        return
    if not isinstance(calls, list) or not calls or not all(isinstance(call, dict) for call in calls):
        yield Problem(f"{at}.tool_calls", f"is {_type(calls)}", "It is a list of at least one call.")
        return
    for index, call in enumerate(calls):
        where = f"{at}.tool_calls[{index}]"
        function = call.get("function")
        if not isinstance(call.get("id"), str) or not call["id"]:
            yield Problem(f"{where}.id", f"is {_type(call.get('id'))}", "It is a text.")
        if call.get("type") != "function" or not isinstance(function, dict):
            yield Problem(where, "calls no function", 'It is {"id": …, "type": "function", "function": {…}}.')
            continue
        if names is not None and str(function.get("name")) not in names:  # where it is learnt
            remedy = "List it in tools, as it was when the model called it."
            yield Problem(f"{where}.function.name", f"{function.get('name')!r:.60} isn't among the tools", remedy)
        if not _is_json_object(function.get("arguments")):
            yield Problem(f"{where}.function.arguments", "is no JSON object", "It is the arguments' JSON, as a text.")


def _part(part: JSON, role: str, at: str) -> Iterator[Problem]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text":
        if not isinstance(part.get("text"), str):
            yield Problem(f"{at}.text", f"is {_type(part.get('text'))}", "It is a text.")
        return
    if kind != "image_url":
        yield Problem(at, f"is of type {kind!r:.60}", "A part is text or an image (image_url).")
        return
    if role != "user":
        yield Problem(at, f"is an image in a message of role {role!r}", "Images are in messages of the user only.")
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else None
    if not isinstance(url, str) or not url.startswith(("https://", "http://", "data:")):
        yield Problem(f"{at}.image_url.url", f"is {url!r:.60}", "It is an address or a data URL.")
        return
    if (detail := image.get("detail")) not in (None, "low", "high", "auto"):
        yield Problem(f"{at}.image_url.detail", f"is {detail!r:.60}", "It is low, high or auto.")
    if url.startswith("data:"):
        yield from _data_url(url, f"{at}.image_url.url")


def _data_url(url: str, at: str) -> Iterator[Problem]:
    try:
        data = base64.b64decode(url.partition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        yield Problem(at, "is no base64", "Write the image's bytes as base64.")
        return
    info = image_info(data)
    if info is None or info.media_type not in _KINDS:
        yield Problem(at, f"is {info.media_type if info else 'no known image'}", "Images are JPEG, PNG or WEBP.")
    if len(data) > _MAX_IMAGE_BYTES:
        yield Problem(at, f"has {len(data):,} bytes", f"An image has at most {_MAX_IMAGE_BYTES:,}: make it smaller.")


def _ends_with_answer(line: dict[str, JSON]) -> Iterator[Problem]:
    given = line.get("messages")
    messages = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    if not isinstance(given, list) or not messages:
        return
    if (role := _dict(given[-1]).get("role")) != "assistant":
        yield Problem(f"messages[{len(given) - 1}].role", f"is {role!r:.60}", _LAST)
    answers = [each for each in messages if each.get("role") == "assistant"]
    if not answers:
        yield Problem("messages", "has no message of the assistant", "Add the answer to learn.")
    elif all(each.get("weight") == 0 for each in answers):
        yield Problem("messages", "has no message of the assistant but those of weight 0", "Nothing would be learnt.")
    if not any(each.get("role") == "user" for each in messages):
        yield Problem("messages", "has no message of the user", "Models are asked before they answer.", "warning")


_LAST = "The last message is the assistant's."


def _ends_with_question(messages: JSON, where: str) -> Iterator[Problem]:
    last = messages[-1] if isinstance(messages, list) and messages else None
    if isinstance(last, dict) and last.get("role") not in ("user", "tool"):
        problem = f"is {last.get('role')!r:.60}"
        yield Problem(f"{where}[{len(messages) - 1}].role", problem, "What is to be answered is last: user or tool.")


def _parts(message: dict[str, JSON]) -> list[dict[str, JSON]]:
    content = message.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _calls(message: dict[str, JSON]) -> list[dict[str, JSON]]:
    calls = message.get("tool_calls")
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _dict(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}


def _is_json_object(text: JSON) -> bool:
    if not isinstance(text, str):
        return False
    try:
        return isinstance(_json.loads(text), dict)
    except ValueError:
        return False


def _type(value: JSON) -> str:
    """Return what a value is, for a message."""
    if value is None:
        return "missing"
    for kind, name, article in ((str, "text", "a"), (list, "list", "a"), (dict, "object", "an")):
        if isinstance(value, kind):
            return f"{article} {name}" if value else f"an empty {name}"
    return f"{value!r:.40}"
