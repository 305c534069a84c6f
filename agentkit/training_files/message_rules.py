"""The rules about the messages of an example."""

from __future__ import annotations

from collections.abc import Iterator

from agentkit import _json
from agentkit.training_files.image_rules import MAX_IMAGES, problems_in_part
from agentkit.training_files.problems import JSON, Problem, broken, described

__all__ = ["ends_with_answer", "ends_with_question", "problems_in_messages"]

_ROLES = ("system", "developer", "user", "assistant", "tool")
_TAKEN = (*_ROLES, "function")
"""Roles that are taken: the last is of the time before tools."""
_MESSAGE_KEYS = {
    "system": {"name"},
    "developer": {"name"},
    "user": {"name"},
    "assistant": {"name", "tool_calls", "weight", "refusal", "function_call"},
    "tool": {"tool_call_id"},
    "function": {"name"},
}


def problems_in_messages(line: dict[str, JSON], where: str, *, text_only: bool = False) -> Iterator[Problem]:
    """Yield what is wrong with the messages of a line, or of the input of a pair.

    Args:
        line: What has the messages.
        where: Where they are in the line.
        text_only: Whether images are not taken, as in pairs.
    """
    messages = line.get("messages")
    if not isinstance(messages, list) or not messages:
        yield broken("messages", where, f"is {described(messages)}", "It is a list of at least one message.")
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
            yield broken("role", f"{at}.role", f"is {role!r:.60}", f"It is one of {', '.join(_ROLES)}.")
            continue
        yield from _message(message, at, None if text_only or message.get("weight") == 0 else names)
        images += sum(part.get("type") == "image_url" for part in _parts(message))
        if message["role"] == "tool":
            if str(message.get("tool_call_id")) not in waiting:
                remedy = "Put it after the call with that id."
                yield broken("tool-output", f"{at}.tool_call_id", "answers no call before it", remedy)
            waiting.discard(str(message.get("tool_call_id")))
            continue
        if waiting:
            yield broken("tool-output", at, f"comes before the output of {min(waiting):.60}", _FOLLOWS)
        waiting = {str(call.get("id")) for call in _calls(message)}
    if waiting and (text_only or "tool_calls" not in _dict(messages[-1])):
        yield broken("tool-output", where, f"ends before the output of {min(waiting):.60}", _FOLLOWS)
    if images and text_only:
        yield broken("images", where, "has images", "Pairs are of texts.")
    if images > MAX_IMAGES:
        yield broken("images", where, f"has {images} images", f"An example has at most {MAX_IMAGES}.")


_FOLLOWS = "Each call is followed by a tool message."


def _message(message: dict[str, JSON], at: str, names: set[str] | None) -> Iterator[Problem]:
    role, content = message["role"], message.get("content")
    for key in message.keys() - {"role", "content"} - _MESSAGE_KEYS[role]:
        problem = f"isn't a field of a message of role {role!r}"
        yield broken("unknown-field", f"{at}.{key:.60}", problem, "Take it out.")
    if not isinstance(message.get("name", ""), str):
        yield broken("name", f"{at}.name", f"is {described(message['name'])}", "It is a text, or left out.")
    if "weight" in message and (isinstance(message["weight"], bool) or message["weight"] not in (0, 1)):
        yield broken("weight", f"{at}.weight", f"is {message['weight']!r:.60}", "It is 0 or 1.")
    if isinstance(content, list):
        for index, part in enumerate(content):
            yield from problems_in_part(part, role, f"{at}.content[{index}]")
        if not content and role != "assistant":
            yield broken("content", f"{at}.content", "is an empty list", "It is a text, or a list of parts.")
    elif not isinstance(content, str) and not (role == "assistant" and content is None):
        yield broken("content", f"{at}.content", f"is {described(content)}", "It is a text, or a list of parts.")
    elif isinstance(content, str) and not content.strip() and (content or role in ("system", "developer", "user")):
        remedy = "Say something there, or take the message out."
        yield broken("empty-text", f"{at}.content", "says nothing", remedy, "warning")
    if role == "function" or "function_call" in message:
        where = at if role == "function" else f"{at}.function_call"
        remedy = "Use tools, tool_calls and messages of the role tool."
        yield broken("deprecated", where, "is of the time before tools", remedy, "warning")
    if role == "assistant":
        if not content and not any(message.get(key) for key in ("tool_calls", "refusal", "function_call")):
            yield broken("content", f"{at}.content", "is missing", "The assistant says something, or calls a tool.")
        if (refusal := message.get("refusal")) is not None and not isinstance(refusal, str):
            yield broken("content", f"{at}.refusal", f"is {described(refusal)}", "It is a text, or left out.")
        if (call := message.get("function_call")) is not None and not _is_function_call(call):
            yield broken("tool-calls", f"{at}.function_call", f"is {described(call)}", _FUNCTION_CALL)
        yield from _tool_calls(message, at, names)


_FUNCTION_CALL = "It has a name, and arguments as a JSON text."


def _is_function_call(call: JSON) -> bool:
    return isinstance(call, dict) and isinstance(call.get("name"), str) and _is_json_object(call.get("arguments"))


def _tool_calls(message: dict[str, JSON], at: str, names: set[str] | None) -> Iterator[Problem]:
    calls = message.get("tool_calls")
    if calls is None:
        return
    if not isinstance(calls, list) or not calls or not all(isinstance(call, dict) for call in calls):
        yield broken("tool-calls", f"{at}.tool_calls", f"is {described(calls)}", "It is a list of at least one call.")
        return
    ids: set[str] = set()
    for index, call in enumerate(calls):
        where = f"{at}.tool_calls[{index}]"
        function = call.get("function")
        if not isinstance(call.get("id"), str) or not call["id"]:
            yield broken("tool-calls", f"{where}.id", f"is {described(call.get('id'))}", "It is a text.")
        elif call["id"] in ids:
            yield broken("tool-calls", f"{where}.id", f"{call['id']!r:.60} is there twice", "Each call has its own id.")
        else:
            ids.add(call["id"])
        if call.get("type") != "function" or not isinstance(function, dict):
            yield broken(
                "tool-calls", where, "calls no function", 'It is {"id": …, "type": "function", "function": {…}}.'
            )
            continue
        if names is not None and str(function.get("name")) not in names:  # where it is learnt
            remedy = "List it in tools, as it was when the model called it."
            problem = f"{function.get('name')!r:.60} isn't among the tools"
            yield broken("unknown-tool", f"{where}.function.name", problem, remedy)
        if not _is_json_object(function.get("arguments")):
            remedy = "It is the arguments' JSON, as a text."
            yield broken("tool-calls", f"{where}.function.arguments", "is no JSON object", remedy)


def ends_with_answer(line: dict[str, JSON]) -> Iterator[Problem]:
    """Yield what keeps an example from ending with an answer to learn."""
    given = line.get("messages")
    messages = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    if not isinstance(given, list) or not messages:
        return
    if (role := _dict(given[-1]).get("role")) != "assistant":
        yield broken("last-message", f"messages[{len(given) - 1}].role", f"is {role!r:.60}", _LAST)
    answers = [each for each in messages if each.get("role") == "assistant"]
    if not answers:
        yield broken("no-answer", "messages", "has no message of the assistant", "Add the answer to learn.")
    elif all(each.get("weight") == 0 for each in answers):
        yield broken(
            "no-answer", "messages", "has no message of the assistant but those of weight 0", "Nothing would be learnt."
        )
    if not any(each.get("role") == "user" for each in messages):
        yield broken(
            "no-question", "messages", "has no message of the user", "Models are asked before they answer.", "warning"
        )


_LAST = "The last message is the assistant's."


def ends_with_question(messages: JSON, where: str) -> Iterator[Problem]:
    """Yield what keeps a prompt from ending with what is to be answered."""
    last = messages[-1] if isinstance(messages, list) and messages else None
    if isinstance(last, dict) and last.get("role") not in ("user", "tool"):
        problem = f"is {last.get('role')!r:.60}"
        yield broken(
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
