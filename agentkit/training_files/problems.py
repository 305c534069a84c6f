"""A problem in a line of training data, and the rules by their names."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["JSON", "LINE_RULES", "Problem", "broken", "described"]

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

JSON = Any
"""What a user may have put there."""


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


def broken(rule: str, field: str, problem: str, remedy: str, level: str = "error") -> Problem:
    """Return a problem with the rule that is broken first."""
    return Problem(field, problem, remedy, level, rule)


def described(value: JSON) -> str:
    """Return what a value is, for a message."""
    if value is None:
        return "missing"
    for kind, name, article in ((str, "text", "a"), (list, "list", "a"), (dict, "object", "an")):
        if isinstance(value, kind):
            return f"{article} {name}" if value else f"an empty {name}"
    return f"{value!r:.40}"
