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

__all__ = ["LINE_RULES", "MAX_FILE_BYTES", "MAX_WITH_IMAGES", "MIN_EXAMPLES", "Problem", "problems_in"]

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
_TAKEN = (*_ROLES, "function")
"""Roles that are taken: the last is of the time before tools."""
_KINDS = ("image/jpeg", "image/png", "image/webp")
_SETTINGS = ("tools", "parallel_tool_calls")
_MESSAGE_KEYS = {
    "system": {"name"},
    "developer": {"name"},
    "user": {"name"},
    "assistant": {"name", "tool_calls", "weight", "refusal", "function_call"},
    "tool": {"tool_call_id"},
    "function": {"name"},
}
_OUTPUT_KEYS = {"role", "content", "name", "weight", "refusal", "tool_calls"}
_MEANT = {
    "preferred_completion": "It is called preferred_output.",
    "non_preferred_completion": "It is called non_preferred_output.",
    "chosen": "It is called preferred_output.",
    "rejected": "It is called non_preferred_output.",
    "prompt": 'Prompt and completion are messages now: {"messages": [{"role": "user", …}, {"role": "assistant", …}]}.',
    "completion": "It is the last message, of the role assistant.",
    "conversations": 'It is called messages; each has "role" and "content".',
}
"""What those meant who wrote a field of an older or another format."""

LINE_RULES = {
    "object": "A line is an object.",
    "unknown-field": "A line and its messages have the fields of the format and no others.",
    "messages": "There is a list of at least one message.",
    "role": "A message has one of the roles system, developer, user, assistant and tool.",
    "content": "A message has a text, or a list of parts.",
    "empty-text": "A text says something.",
    "name": "A name is a text.",
    "weight": "The weight of an answer is 0 or 1.",
    "part": "A part of a message is text or an image.",
    "image": "An image is a JPEG, PNG or WEBP of at most 10 MB, by address or as base64, in a message of the user's.",
    "images": "An example has at most 10 images, a pair has none.",
    "tools": "Tools are a list of 1 to 128 functions, each with a name and a JSON schema.",
    "tool-twice": "No two tools have the same name.",
    "parallel-tool-calls": "parallel_tool_calls is true or false.",
    "tool-calls": "A call has an id, a function and its arguments as a JSON text.",
    "unknown-tool": "A tool that is called is among the tools.",
    "tool-output": "Each call is followed by its output, and each output follows its call.",
    "last-message": "An example ends with an answer, a prompt with what is to be answered.",
    "no-answer": "An example has an answer to learn.",
    "no-question": "An example has a message of the user.",
    "pair": "A pair has an input with messages, and two lists of one answer each.",
    "same-answers": "The two answers of a pair differ.",
    "expected": "A case knows a good answer or a bad one.",
    "deprecated": "Functions of the time before tools are taken, and not for long.",
}
"""What is asked of a line: a sentence for each rule, by its name."""

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
    rule: str = ""
    """Which rule of `LINE_RULES` it breaks; "" for what is about a whole file."""


def _broken(rule: str, field: str, problem: str, remedy: str, level: str = "error") -> Problem:
    return Problem(field, problem, remedy, level, rule)


def problems_in(kind: str, line: JSON) -> Iterator[Problem]:
    """Yield what is wrong with a line of a data set.

    Args:
        kind: "sft", "preferences" or "evals".
        line: The line.
    """
    if not isinstance(line, dict):
        yield _broken("object", "", f"is {_type(line)}", "A line is an object.")
    elif kind == "sft":
        yield from _keys(line, ("messages", *_SETTINGS), "", "functions")
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
            yield _broken(
                "expected", "expected", "is missing, as is rejected", "Say what a good answer is, or a bad one."
            )


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
        yield _broken("pair", "input", f"is {_type(given)}", "It is an object with messages.")
    for name in outputs:
        output = line.get(name)
        if not isinstance(output, list) or len(output) != 1 or not isinstance(output[0], dict):
            yield _broken("pair", name, f"is {_type(output)}", "It is a list of one assistant message.")
        elif output[0].get("role") != "assistant":
            yield _broken("role", f"{name}[0].role", f"is {output[0].get('role')!r}", 'It is "assistant".')
        elif not isinstance(output[0].get("content"), str) or not output[0]["content"]:
            yield _broken("content", f"{name}[0].content", f"is {_type(output[0].get('content'))}", "It is a text.")
        elif "tool_calls" in output[0]:
            yield _broken("pair", f"{name}[0].tool_calls", "is there", "Pairs are of texts: take a pair without calls.")
        else:
            for key in output[0].keys() - _OUTPUT_KEYS:
                yield _broken("unknown-field", f"{name}[0].{key:.60}", "isn't a field of an answer", "Take it out.")
    if line.get(outputs[0]) == line.get(outputs[1]):
        yield _broken(
            "same-answers", outputs[1], "is the same as preferred_output", "Take the line out: it teaches nothing."
        )


def _keys(line: dict[str, JSON], known: tuple[str, ...], before: str, *older: str) -> Iterator[Problem]:
    for key in line:
        if key not in known and key not in older:
            remedy = _MEANT.get(key, f"It has {', '.join(known)}.")
            yield _broken("unknown-field", f"{before}{key:.60}", "isn't a field of the format", remedy)


def _settings(line: dict[str, JSON], before: str) -> Iterator[Problem]:
    parallel = line.get("parallel_tool_calls")
    if parallel is not None and not isinstance(parallel, bool):
        yield _broken(
            "parallel-tool-calls", f"{before}parallel_tool_calls", f"is {_type(parallel)}", "It is true or false."
        )
    if (functions := line.get("functions")) is not None:
        yield from _functions(functions, before)
    tools = line.get("tools")
    if tools is None:
        return
    if not isinstance(tools, list) or not 1 <= len(tools) <= _MAX_TOOLS:
        yield _broken("tools", f"{before}tools", f"is {_type(tools)}", f"It is a list of 1 to {_MAX_TOOLS} tools.")
        return
    names: set[str] = set()
    for index, tool in enumerate(tools):
        where = f"{before}tools[{index}]"
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or tool.get("type") != "function":
            yield _broken("tools", where, "is no function", 'It is {"type": "function", "function": {…}}.')
        elif not isinstance(function.get("name"), str) or not _NAME.match(function["name"]):
            yield _broken("tools", f"{where}.function.name", f"is {function.get('name')!r:.60}", _NAME_RULE)
        elif not isinstance(function.get("parameters", {}), dict):
            problem = f"is {_type(function['parameters'])}"
            yield _broken("tools", f"{where}.function.parameters", problem, "It is a JSON schema.")
        elif function["name"] in names:
            yield _broken("tool-twice", f"{where}.function.name", f"{function['name']!r} is there twice", _ONCE)
        else:
            names.add(function["name"])


def _functions(functions: JSON, before: str) -> Iterator[Problem]:
    """Yield what is wrong with functions as they were listed before there were tools."""
    yield _broken("deprecated", f"{before}functions", "is what tools were called", "List them in tools.", "warning")
    if not isinstance(functions, list) or not 1 <= len(functions) <= _MAX_TOOLS:
        remedy = f"It is a list of 1 to {_MAX_TOOLS} functions."
        yield _broken("tools", f"{before}functions", f"is {_type(functions)}", remedy)
        return
    for index, function in enumerate(functions):
        name = _dict(function).get("name")
        if not isinstance(name, str) or not _NAME.match(name):
            yield _broken("tools", f"{before}functions[{index}].name", f"is {name!r:.60}", _NAME_RULE)


_NAME_RULE = "A name has 1 to 64 letters, digits, _ and -."
_ONCE = "Give each tool a name of its own."


def _messages(line: dict[str, JSON], where: str, *, text_only: bool = False) -> Iterator[Problem]:
    messages = line.get("messages")
    if not isinstance(messages, list) or not messages:
        yield _broken("messages", where, f"is {_type(messages)}", "It is a list of at least one message.")
        return
    tools = line.get("tools")
    functions = [tool.get("function") for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    names = {str(function.get("name")) for function in functions if isinstance(function, dict)}
    waiting: set[str] = set()
    images = 0
    for index, message in enumerate(messages):
        at = f"{where}[{index}]"
        if not isinstance(message, dict) or message.get("role") not in _TAKEN:
            role = message.get("role") if isinstance(message, dict) else message
            yield _broken("role", f"{at}.role", f"is {role!r:.60}", f"It is one of {', '.join(_ROLES)}.")
            continue
        yield from _message(message, at, None if text_only or message.get("weight") == 0 else names)
        images += sum(part.get("type") == "image_url" for part in _parts(message))
        if message["role"] == "tool":
            if str(message.get("tool_call_id")) not in waiting:
                remedy = "Put it after the call with that id."
                yield _broken("tool-output", f"{at}.tool_call_id", "answers no call before it", remedy)
            waiting.discard(str(message.get("tool_call_id")))
            continue
        if waiting:
            yield _broken("tool-output", at, f"comes before the output of {min(waiting):.60}", _FOLLOWS)
        waiting = {str(call.get("id")) for call in _calls(message)}
    if waiting and (text_only or "tool_calls" not in _dict(messages[-1])):
        yield _broken("tool-output", where, f"ends before the output of {min(waiting):.60}", _FOLLOWS)
    if images and text_only:
        yield _broken("images", where, "has images", "Pairs are of texts.")
    if images > _MAX_IMAGES:
        yield _broken("images", where, f"has {images} images", f"An example has at most {_MAX_IMAGES}.")


_FOLLOWS = "Each call is followed by a tool message."


def _message(message: dict[str, JSON], at: str, names: set[str] | None) -> Iterator[Problem]:
    role, content = message["role"], message.get("content")
    for key in message.keys() - {"role", "content"} - _MESSAGE_KEYS[role]:
        problem = f"isn't a field of a message of role {role!r}"
        yield _broken("unknown-field", f"{at}.{key:.60}", problem, "Take it out.")
    if not isinstance(message.get("name", ""), str):
        yield _broken("name", f"{at}.name", f"is {_type(message['name'])}", "It is a text, or left out.")
    if "weight" in message and (isinstance(message["weight"], bool) or message["weight"] not in (0, 1)):
        yield _broken("weight", f"{at}.weight", f"is {message['weight']!r:.60}", "It is 0 or 1.")
    if isinstance(content, list):
        for index, part in enumerate(content):
            yield from _part(part, role, f"{at}.content[{index}]")
        if not content and role != "assistant":
            yield _broken("content", f"{at}.content", "is an empty list", "It is a text, or a list of parts.")
    elif not isinstance(content, str) and not (role == "assistant" and content is None):
        yield _broken("content", f"{at}.content", f"is {_type(content)}", "It is a text, or a list of parts.")
    elif isinstance(content, str) and not content.strip() and (content or role in ("system", "developer", "user")):
        remedy = "Say something there, or take the message out."
        yield _broken("empty-text", f"{at}.content", "says nothing", remedy, "warning")
    if role == "function" or "function_call" in message:
        where = at if role == "function" else f"{at}.function_call"
        remedy = "Use tools, tool_calls and messages of the role tool."
        yield _broken("deprecated", where, "is of the time before tools", remedy, "warning")
    if role == "assistant":
        if not content and not any(message.get(key) for key in ("tool_calls", "refusal", "function_call")):
            yield _broken("content", f"{at}.content", "is missing", "The assistant says something, or calls a tool.")
        if (refusal := message.get("refusal")) is not None and not isinstance(refusal, str):
            yield _broken("content", f"{at}.refusal", f"is {_type(refusal)}", "It is a text, or left out.")
        if (call := message.get("function_call")) is not None and not _is_function_call(call):
            yield _broken("tool-calls", f"{at}.function_call", f"is {_type(call)}", _FUNCTION_CALL)
        yield from _tool_calls(message, at, names)


_FUNCTION_CALL = "It has a name, and arguments as a JSON text."


def _is_function_call(call: JSON) -> bool:
    return isinstance(call, dict) and isinstance(call.get("name"), str) and _is_json_object(call.get("arguments"))


def _tool_calls(message: dict[str, JSON], at: str, names: set[str] | None) -> Iterator[Problem]:
    calls = message.get("tool_calls")
    if calls is None:
        return
    if not isinstance(calls, list) or not calls or not all(isinstance(call, dict) for call in calls):
        yield _broken("tool-calls", f"{at}.tool_calls", f"is {_type(calls)}", "It is a list of at least one call.")
        return
    ids: set[str] = set()
    for index, call in enumerate(calls):
        where = f"{at}.tool_calls[{index}]"
        function = call.get("function")
        if not isinstance(call.get("id"), str) or not call["id"]:
            yield _broken("tool-calls", f"{where}.id", f"is {_type(call.get('id'))}", "It is a text.")
        elif call["id"] in ids:
            yield _broken(
                "tool-calls", f"{where}.id", f"{call['id']!r:.60} is there twice", "Each call has its own id."
            )
        else:
            ids.add(call["id"])
        if call.get("type") != "function" or not isinstance(function, dict):
            yield _broken(
                "tool-calls", where, "calls no function", 'It is {"id": …, "type": "function", "function": {…}}.'
            )
            continue
        if names is not None and str(function.get("name")) not in names:  # where it is learnt
            remedy = "List it in tools, as it was when the model called it."
            problem = f"{function.get('name')!r:.60} isn't among the tools"
            yield _broken("unknown-tool", f"{where}.function.name", problem, remedy)
        if not _is_json_object(function.get("arguments")):
            remedy = "It is the arguments' JSON, as a text."
            yield _broken("tool-calls", f"{where}.function.arguments", "is no JSON object", remedy)


def _part(part: JSON, role: str, at: str) -> Iterator[Problem]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text":
        if not isinstance(part.get("text"), str):
            yield _broken("part", f"{at}.text", f"is {_type(part.get('text'))}", "It is a text.")
        return
    if kind != "image_url":
        yield _broken("part", at, f"is of type {kind!r:.60}", "A part is text or an image (image_url).")
        return
    if role != "user":
        yield _broken(
            "image", at, f"is an image in a message of role {role!r}", "Images are in messages of the user only."
        )
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else None
    if not isinstance(url, str) or not url.startswith(("https://", "http://", "data:")):
        yield _broken("image", f"{at}.image_url.url", f"is {url!r:.60}", "It is an address or a data URL.")
        return
    if (detail := image.get("detail")) not in (None, "low", "high", "auto"):
        yield _broken("image", f"{at}.image_url.detail", f"is {detail!r:.60}", "It is low, high or auto.")
    if url.startswith("data:"):
        yield from _data_url(url, f"{at}.image_url.url")


def _data_url(url: str, at: str) -> Iterator[Problem]:
    try:
        data = base64.b64decode(url.partition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        yield _broken("image", at, "is no base64", "Write the image's bytes as base64.")
        return
    info = image_info(data)
    if info is None or info.media_type not in _KINDS:
        yield _broken(
            "image", at, f"is {info.media_type if info else 'no known image'}", "Images are JPEG, PNG or WEBP."
        )
    if len(data) > _MAX_IMAGE_BYTES:
        yield _broken(
            "image", at, f"has {len(data):,} bytes", f"An image has at most {_MAX_IMAGE_BYTES:,}: make it smaller."
        )


def _ends_with_answer(line: dict[str, JSON]) -> Iterator[Problem]:
    given = line.get("messages")
    messages = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    if not isinstance(given, list) or not messages:
        return
    if (role := _dict(given[-1]).get("role")) != "assistant":
        yield _broken("last-message", f"messages[{len(given) - 1}].role", f"is {role!r:.60}", _LAST)
    answers = [each for each in messages if each.get("role") == "assistant"]
    if not answers:
        yield _broken("no-answer", "messages", "has no message of the assistant", "Add the answer to learn.")
    elif all(each.get("weight") == 0 for each in answers):
        yield _broken(
            "no-answer", "messages", "has no message of the assistant but those of weight 0", "Nothing would be learnt."
        )
    if not any(each.get("role") == "user" for each in messages):
        yield _broken(
            "no-question", "messages", "has no message of the user", "Models are asked before they answer.", "warning"
        )


_LAST = "The last message is the assistant's."


def _ends_with_question(messages: JSON, where: str) -> Iterator[Problem]:
    last = messages[-1] if isinstance(messages, list) and messages else None
    if isinstance(last, dict) and last.get("role") not in ("user", "tool"):
        problem = f"is {last.get('role')!r:.60}"
        yield _broken(
            "last-message",
            f"{where}[{len(messages) - 1}].role",
            problem,
            "What is to be answered is last: user or tool.",
        )


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
